"""Make a GIF of your agent on CartPole-v1, for `make watch`. Supplied.

The greedy policy, argmax_a Q(s, a; θ_Q), plays one episode. Gymnasium draws a picture
of each step that is shown; a strip below it shows the state, the action and the return.
The parameters are those that `make train` has saved.
"""

import argparse
import os
import sys
import time
from functools import cache
from pathlib import Path

import gymnasium
import numpy as np
from agent import DQNAgent
from PIL import Image, ImageDraw, ImageFont
from tasks import NO_TURN, USUAL_SIZES, turned
from train import SETTINGS, STOPPED, seed_of, whole, writable

EVERY = 2  # show every second step, which is enough for the eye
SECONDS_PER_STEP = 0.02  # the time that one step of CartPole simulates
NAMES = "position", "velocity", "angle", "angular velocity"
STRIP = 112  # the height of the strip below gymnasium's picture, in pixels
BAR_LEFT, BAR_MIDDLE, BAR_RIGHT = 140, 230, 320
Color = tuple[int, int, int]
WHITE, LIGHT, GREY, BLACK = (255,) * 3, (221,) * 3, (136,) * 3, (0,) * 3
BLUE = (31, 119, 180)
POLE, AXLE = (202, 152, 101), (129, 132, 203)  # as gymnasium draws them


def main() -> None:
    """Play one greedy episode with the parameters of `make train`; save it as a GIF."""
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
    with whole(path) as part:
        save_gif(frames, part)
    size = path.stat().st_size / 1e6
    when = time.strftime("%H:%M", time.localtime(trained.stat().st_mtime))
    print(f"The agent trained at {when} balances for {steps} of 500 steps")
    print(f"film: {path} ({size:.1f} MB)")


def play(agent: DQNAgent, seed: int) -> tuple[list[Image.Image], int]:
    """Let the greedy policy play one episode.

    Args:
        agent: the agent, whose Q values give the actions.
        seed: the seed of the episode.

    Returns:
        The frames of the film, and the number of steps.
    """
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # no window, no screen needed
    env = gymnasium.make("CartPole-v1", render_mode="rgb_array")
    state, _ = env.reset(seed=seed)
    frames, steps, total, ended = [], 0, 0.0, False
    while not ended:
        action = int(agent.q_values(turned(state[None], NO_TURN))[0].argmax())
        if steps % EVERY == 0:
            frames.append(frame(env.render(), state, action, steps, total))
        state, reward, terminated, truncated, _ = env.step(action)
        total += float(reward)
        steps, ended = steps + 1, terminated or truncated
    frames.append(frame(env.render(), state, None, steps, total))
    env.close()
    return frames, steps


def frame(
    picture: np.ndarray,
    state: np.ndarray,
    action: int | None,
    steps: int,
    total: float,
) -> Image.Image:
    """Return a frame of the film: gymnasium's picture, and a strip below it.

    The strip shows the state, the action that is chosen in it, the number of steps so
    far, and the return so far.

    Args:
        picture: gymnasium's picture of the state [H,W,3].
        state: the state [4].
        action: the action, 0 or 1; None after the end of the episode.
        steps: the number of steps so far.
        total: the return so far.
    """
    height, width, _ = picture.shape
    image = Image.new("RGB", (width, height + STRIP), WHITE)
    image.paste(Image.fromarray(picture))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=14)
    draw.line([(0, height), (width, height)], GREY)
    for row, (name, value) in enumerate(zip(NAMES, state, strict=True)):
        y = height + 22 + 22 * row
        draw.text((130, y), name, BLACK, font, anchor="rm")
        left, right = bar_ends(value, USUAL_SIZES[row])
        draw.rectangle([BAR_LEFT, y - 7, BAR_RIGHT, y + 7], LIGHT)
        draw.rectangle([left, y - 7, right, y + 7], BLUE)
        draw.line([(BAR_MIDDLE, y - 9), (BAR_MIDDLE, y + 9)], BLACK)
        draw.text((BAR_RIGHT + 55, y), f"{value:+z.2f}", BLACK, font, anchor="rm")
    draw.text((500, height + 22), "action", BLACK, font, anchor="mm")
    for number, sign in enumerate((-1, 1)):
        x, y = 500 + 14 * sign, height + 48
        corners = [(x, y - 14), (x, y + 14), (x + 24 * sign, y)]
        draw.polygon(corners, BLACK if number == action else LIGHT)
    words = f"step {steps}    return {total:.0f}"
    draw.text((500, height + 88), words, BLACK, font, anchor="mm")
    return image.quantize(palette=palette(), dither=Image.Dither.NONE)


def bar_ends(value: float, usual_size: float) -> tuple[int, int]:
    """Return where the bar of a number of the state begins and ends, in pixels.

    The bar begins in the middle and grows to the left or to the right. It has its full
    length if the number is twice the usual size or more. For position and angle, an
    episode ends at about this size.

    Args:
        value: the number.
        usual_size: the usual size of this number.
    """
    share = float(np.clip(value / (2 * usual_size), -1, 1))
    end = BAR_MIDDLE + round(share * (BAR_RIGHT - BAR_MIDDLE))
    return min(BAR_MIDDLE, end), max(BAR_MIDDLE, end)


@cache
def palette() -> Image.Image:
    """Return a picture with the colours of the film.

    All frames use the same colours, so that no colour changes from frame to frame. They
    are 16 greys, the blue of the bars, and mixtures of gymnasium's two colours with
    white and black, for the edges of what gymnasium draws.
    """
    colors = [(grey,) * 3 for grey in range(0, 256, 17)] + [BLUE]
    for color in (POLE, AXLE):
        for behind in (WHITE, BLACK):
            colors += [mixed(color, behind, share) for share in (0.25, 0.5, 0.75)]
        colors.append(color)
    image = Image.new("P", (1, 1))
    image.putpalette([part for color in colors for part in color])
    return image


def mixed(color: Color, other: Color, share: float) -> Color:
    """Return a mixture of two colours.

    Args:
        color: the first colour.
        other: the second colour.
        share: the share of the second colour, from 0 to 1.
    """
    red, green, blue = (
        round((1 - share) * a + share * b) for a, b in zip(color, other, strict=True)
    )
    return red, green, blue


def save_gif(frames: list[Image.Image], path: Path) -> None:
    """Write the frames as a GIF that repeats without end."""
    first, *others = frames
    pace = round(1000 * SECONDS_PER_STEP * EVERY)  # milliseconds
    durations = [pace] * len(others) + [1000]  # the last frame stays for a second
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped")
        sys.exit(STOPPED)
