"""Make a GIF of your agent on CartPole-v1: `make watch`, after `make train`. Supplied.

The greedy policy, argmax_a Q(s, a; θ_Q), plays one episode. Gymnasium draws a picture
of each step that is shown.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import gymnasium
import numpy as np
from agent import DQNAgent
from PIL import Image
from tasks import NO_TURN, turned
from train import SETTINGS, STOPPED, seed_of, writable

EVERY = 2  # show every second step, which is enough for the eye
SECONDS_PER_STEP = 0.02  # the time that one step of CartPole simulates


def main() -> None:
    """Play one greedy episode with the parameters of `make train`, write the GIF."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seed", type=seed_of, default="1", help="of the episode")
    parser.add_argument("--out", default="results", help="folder of theta_Q.npz")
    arguments = parser.parse_args()
    trained = Path(arguments.out) / "theta_Q.npz"
    if not trained.exists():
        sys.exit(f"{trained} is not there: `make train` writes it, so run that first")
    writable(arguments.out)

    try:
        agent = DQNAgent(seed=0, state_dim=4, num_actions=2, settings=SETTINGS)
        agent.load(trained)
    except NotImplementedError as stub:
        sys.exit(f"not implemented yet: {stub}")
    except ValueError as error:
        sys.exit(f"{trained}: {error}; `make train` writes it anew")
    try:
        frames, steps = play(agent, arguments.seed)
    except gymnasium.error.DependencyNotInstalled:
        sys.exit("pygame is missing: `make watch` or `uv sync --extra watch` gets it")

    path = trained.with_name("cartpole.gif")
    save_gif(frames, path)
    when = time.strftime("%H:%M", time.localtime(trained.stat().st_mtime))
    print(f"The agent trained at {when} balances for {steps} of 500 steps: {path}")


def play(agent: DQNAgent, seed: int) -> tuple[list[np.ndarray], int]:
    """Let the greedy policy play one episode.

    Args:
        agent: the agent, whose Q values give the actions.
        seed: the seed of the episode.

    Returns:
        The pictures, each [H,W,3], and the number of steps.
    """
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # no window, no screen needed
    env = gymnasium.make("CartPole-v1", render_mode="rgb_array")
    state, _ = env.reset(seed=seed)
    frames, steps, ended = [env.render()], 0, False
    while not ended:
        action = agent.q_values(turned(state[None], NO_TURN))[0].argmax()
        state, _, terminated, truncated, _ = env.step(int(action))
        steps, ended = steps + 1, terminated or truncated
        if steps % EVERY == 0 or ended:
            frames.append(env.render())
    env.close()
    return frames, steps


def save_gif(frames: list[np.ndarray], path: Path) -> None:
    """Write pictures, each [H,W,3], as a GIF that repeats without end."""
    first, *others = map(Image.fromarray, frames)
    first = first.quantize(16)  # all pictures have the colours of the first one
    others = [
        frame.quantize(palette=first, dither=Image.Dither.NONE) for frame in others
    ]
    pace = round(1000 * SECONDS_PER_STEP * EVERY)  # milliseconds
    durations = [pace] * len(others) + [1000]  # the last picture stays for a second
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped")
        sys.exit(STOPPED)
