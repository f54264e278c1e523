"""The training loop of homework 2: an agent learns to balance CartPole-v1.

Supplied and complete. `make train` runs this loop with the parts that you wrote in
`dqn.py`, and the grader runs the same loop. The loop contains no network, buffer or
loss. It only calls these methods of an agent:

    act(states, epsilon)   return epsilon-greedy actions
    observe(...)           store transitions
    learn()                do a block of gradient updates, return the mean loss
    q_values(states)       return Q(s, a) for every action, for the greedy policy
"""

import pathlib
import sys
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import gymnasium
import numpy as np


@dataclass(frozen=True)
class Settings:
    """The settings of training. The defaults are the values that the grader uses.

    Environment steps are counted over all environments together.

    Attributes:
        num_envs: the number of environments that run at the same time, N.
        env_steps: the environment steps after which training ends.
        block_steps: the environment steps from one block of updates to the next.
        block_updates: the gradient updates in one block.
        batch_size: the transitions in one batch, B.
        capacity: the capacity of the replay buffer.
        period: the gradient updates from one target sync to the next.
        gamma: the discount factor γ.
        learning_rate: Adam's learning rate.
        epsilon_start: ε at the start.
        epsilon_end: ε after `epsilon_steps`.
        epsilon_steps: the environment steps in which ε falls in a straight line.
        validate_steps: the environment steps from one validation to the next.
        validation_episodes: the greedy episodes in one validation.
        solved_at: the mean return of a validation at which training stops, if the
            validation before it has reached `promising_at`.
        promising_at: see `solved_at`; a single good validation may be luck.
    """

    num_envs: int = 8
    env_steps: int = 50_000
    block_steps: int = 256
    block_updates: int = 128
    batch_size: int = 64
    capacity: int = 10_000
    period: int = 128
    gamma: float = 0.99
    learning_rate: float = 2.3e-3
    epsilon_start: float = 1.0
    epsilon_end: float = 0.04
    epsilon_steps: int = 8_000
    validate_steps: int = 2_048
    validation_episodes: int = 100
    solved_at: float = 490.0
    promising_at: float = 100.0


SETTINGS = Settings()
STOPPED = 130  # exit code after Ctrl-C


class Agent(Protocol):
    """The agent that the loop trains.

    N is the number of environments, D the size of a state, A the number of actions.
    """

    def act(self, states: np.ndarray, epsilon: float) -> np.ndarray:
        """Return an action for each of N states [N,D], as integers [N]."""

    def observe(
        self,
        states: np.ndarray,
        actions: np.ndarray,
        rewards: np.ndarray,
        terminateds: np.ndarray,
        next_states: np.ndarray,
    ) -> None:
        """Store up to N transitions; the first axis of each argument counts them."""

    def learn(self) -> float:
        """Do a block of gradient updates and return the mean of their losses."""

    def q_values(self, states: np.ndarray) -> np.ndarray:
        """Return Q(s, a) for N states [N,D], as floats [N,A]."""


class Progress(NamedTuple):
    """The state of training after a block of updates.

    Attributes:
        env_step: the environment steps so far.
        epsilon: ε now.
        loss: the mean loss of the block.
        mean_return: the mean return of the last validation; nan before the first one.
    """

    env_step: int
    epsilon: float
    loss: float
    mean_return: float


# Takes a number N, and returns a vector environment of N environments.
MakeEnvs = Callable[[int], Any]


def make_cartpole(num_envs: int) -> gymnasium.vector.VectorEnv:
    """Return `num_envs` CartPole-v1 environments that NumPy steps all at once."""
    return gymnasium.make_vec(
        "CartPole-v1", num_envs=num_envs, vectorization_mode="vector_entry_point"
    )


def train(
    agent: Agent,
    make_envs: MakeEnvs,
    seed: int,
    settings: Settings = SETTINGS,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    curve: list[tuple[int, float]] | None = None,
) -> list[tuple[int, float]]:
    """Train until the greedy policy is good, or for `settings.env_steps`.

    Args:
        agent: the agent to train.
        make_envs: the function that makes the environments.
        seed: the seed of the training and validation episodes.
        settings: the settings, see `Settings`.
        on_progress: called after each block of updates.
        curve: the list to which the points of the learning curve are added. A caller
            that interrupts training still has the points in this list.

    Returns:
        The learning curve: for each validation, the environment steps so far and the
        mean return.
    """
    train_seed, validation_seed = np.random.SeedSequence(seed).generate_state(2)
    envs = make_envs(settings.num_envs)
    validation_envs = make_envs(settings.validation_episodes)
    curve = [] if curve is None else curve
    loss = mean_return = float("nan")

    states, _ = envs.reset(seed=int(train_seed))
    just_ended = np.zeros(settings.num_envs, dtype=bool)
    for env_step in range(settings.num_envs, settings.env_steps + 1, settings.num_envs):
        epsilon = epsilon_at(env_step, settings)
        actions = agent.act(states, epsilon)
        next_states, rewards, terminateds, truncateds, _ = envs.step(actions)

        # After the end of an episode, the environment ignores the next action and
        # returns the first state of a new episode. This step is not a transition, so it
        # is not stored.
        real = ~just_ended
        agent.observe(
            states[real],
            actions[real],
            rewards[real],
            terminateds[real],  # not truncateds: the time limit is not a terminal state
            next_states[real],
        )
        just_ended = terminateds | truncateds
        states = next_states  # the line that the slide's loop forgets

        if env_step % settings.block_steps == 0:
            loss = agent.learn()
            on_progress(Progress(env_step, epsilon, loss, mean_return))
        if env_step % settings.validate_steps == 0:
            returns = evaluate(agent, validation_envs, int(validation_seed) + env_step)
            before, mean_return = mean_return, float(returns.mean())
            curve.append((env_step, mean_return))
            if mean_return >= settings.solved_at and before >= settings.promising_at:
                break
    return curve


def epsilon_at(env_step: int, settings: Settings) -> float:
    """Return ε after `env_step` steps: a straight line, then a constant."""
    done = min(env_step / settings.epsilon_steps, 1.0)
    return settings.epsilon_start + done * (
        settings.epsilon_end - settings.epsilon_start
    )


def evaluate(agent: Agent, envs: Any, seed: int) -> np.ndarray:
    """Return the returns of one greedy episode in each of N environments [N].

    Args:
        agent: the agent, whose Q values give the actions.
        envs: the vector environment of N environments.
        seed: the seed of the episodes.
    """
    states, _ = envs.reset(seed=seed)
    returns = np.zeros(envs.num_envs)
    running = np.ones(envs.num_envs, dtype=bool)
    while running.any():
        actions = agent.q_values(states).argmax(axis=1)
        states, rewards, terminateds, truncateds, _ = envs.step(actions)
        returns += rewards * running
        running &= ~(terminateds | truncateds)
    return returns


def main() -> None:
    """Train the agent made of your own `dqn.py`; show and save what came of it."""
    import argparse

    from agent import DQNAgent

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seed", type=seed_of, default="1", help="any text")
    parser.add_argument("--out", default="results", help="folder for the files")
    arguments = parser.parse_args()
    folder = writable(arguments.out)

    state_dim, num_actions = 4, 2
    curve: list[tuple[int, float]] = []
    stopped = False
    try:
        agent = DQNAgent(arguments.seed, state_dim, num_actions, SETTINGS)
        train_with_progress(agent, arguments.seed, curve)
    except NotImplementedError as stub:
        sys.exit(f"not implemented yet: {stub}")
    except KeyboardInterrupt:
        stopped = True
    for env_step, mean_return in curve:
        print(f"{env_step:6d}  {mean_return:5.1f}  " + "█" * round(mean_return / 12.5))
    if curve:
        picture = folder / "training_curve.png"
        save_curve(curve, picture)
        agent.save(folder / "theta_Q.npz")
        print(f"picture: {picture}\n`make watch` shows your agent at it")
    if stopped:
        print("stopped: " + ("saved is what there was" if curve else "nothing to save"))
        sys.exit(STOPPED)


def seed_of(text: str) -> int:
    """Return a whole number, computed from a text, that can be used as a seed."""
    return zlib.crc32(text.encode("utf-8", "surrogateescape")) >> 1


def writable(out: str) -> pathlib.Path:
    """Make a folder if it is missing, and return its path.

    If no file can be written in the folder, the program ends with exit code 2.
    """
    folder = pathlib.Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        print(f"error: OUT={out!r}: {error.strerror}", file=sys.stderr)
        sys.exit(2)
    return folder


def train_with_progress(
    agent: Agent, seed: int, curve: list[tuple[int, float]]
) -> None:
    """Train the agent and show a progress bar.

    Args:
        agent: the agent to train.
        seed: the seed of the training and validation episodes.
        curve: the list to which the points of the learning curve are added.
    """
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as ProgressBar

    columns = (BarColumn(20), TextColumn("{task.description}"))
    # A notebook or a log cannot overwrite a line, even if FORCE_COLOR is set.
    console = Console(force_terminal=None if sys.stdout.isatty() else False)
    with ProgressBar(*columns, console=console) as bar:
        task = bar.add_task("compiling …", total=SETTINGS.env_steps)

        def show(progress: Progress) -> None:
            judged = progress.mean_return == progress.mean_return  # not nan
            mean_return = f"{progress.mean_return:5.1f}" if judged else "    –"
            words = (
                f"step {progress.env_step:6d}  return {mean_return}  "
                f"ε {progress.epsilon:.2f}  loss {progress.loss:.3g}"
            )
            bar.update(task, completed=progress.env_step, description=words)

        train(agent, make_cartpole, seed, SETTINGS, show, curve)


def save_curve(curve: list[tuple[int, float]], path: Any) -> None:
    """Draw the learning curve and write it as a PNG.

    Args:
        curve: pairs of environment step and mean return.
        path: the path of the PNG.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    axes.plot(*zip(*curve, strict=True), marker="o", markersize=3)
    axes.axhline(450, color="tab:green", linestyle="--", label="full points at 450")
    axes.axhline(195, color="tab:orange", linestyle="--", label="half points at 195")
    axes.set(
        title="DQN on CartPole-v1",
        xlabel="environment steps",
        ylabel=f"mean return of {SETTINGS.validation_episodes} greedy episodes",
        ylim=(0, 510),
    )
    axes.legend(loc="best")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped: nothing was saved")
        sys.exit(STOPPED)
