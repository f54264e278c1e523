"""The training loop of homework 2: an agent learns a task of `tasks.py`.

Supplied and complete. `make train` runs this loop with the parts that you wrote in
`dqn.py`, and the grader runs the same loop. The loop contains no network, buffer or
loss. It only calls these methods of an agent:

    act(states, epsilon)   return epsilon-greedy actions
    observe(...)           store transitions
    learn()                do a block of gradient updates, return the mean loss
    q_values(states)       return Q(s, a) for every action, for the greedy policy
"""

import os
import signal
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from progress import Block
    from recorded import RecordedAgent
    from tasks import Maze


@dataclass(frozen=True)
class Settings:
    """The settings of training. The defaults are for CartPole-v1.

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
    block_steps: int = 64
    block_updates: int = 128
    batch_size: int = 64
    capacity: int = 10_000
    period: int = 100
    gamma: float = 0.99
    learning_rate: float = 1e-3
    epsilon_start: float = 1.0
    epsilon_end: float = 0.04
    epsilon_steps: int = 3_000
    validate_steps: int = 1_024
    validation_episodes: int = 100
    solved_at: float = 490.0
    promising_at: float = 100.0


# The grader trains with these two as well.
SETTINGS = Settings()
MAZE_SETTINGS = Settings(
    env_steps=16_384,
    learning_rate=3e-3,
    validate_steps=512,
    validation_episodes=115,  # they begin 5 times in each room but the exit
)
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
        epsilon: the current ε.
        loss: the mean loss of the block.
        mean_return: the mean return of the last validation; nan before the first one.
    """

    env_step: int
    epsilon: float
    loss: float
    mean_return: float


# Takes a number N, and returns a vector environment of N environments.
MakeEnvs = Callable[[int], Any]


def maze_settings(maze: "Maze") -> Settings:
    """Return the settings for a maze: training stops close to its shortest way.

    Args:
        maze: the maze.
    """
    return replace(
        MAZE_SETTINGS,
        solved_at=-1.02 * maze.shortest,
        promising_at=-1.1 * maze.shortest,
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


class Task(NamedTuple):
    """A task of `make train`, and how its learning curve is shown.

    Attributes:
        title: the title of the curve.
        make_envs: the function that makes the environments.
        settings: the settings of training.
        lowest: the mean return at the lower end of the curve's axis.
        highest: the mean return at the upper end of the axis.
        marks: mean returns that are marked in the picture, with their names.
    """

    title: str
    make_envs: MakeEnvs
    settings: Settings
    lowest: float
    highest: float
    marks: dict[str, float]


TASKS = ("cartpole", "turned", "maze")
BEST, RANDOM = "best possible", "random policy"  # names of the marks


def task_named(name: str, seed: int) -> Task:
    """Return the task of a name.

    Args:
        name: one of `TASKS`.
        seed: the seed with which the maze or the turn is drawn.
    """
    import tasks

    rng = np.random.default_rng(seed)
    if name == "maze":
        maze = tasks.draw_maze(rng)
        marks = {BEST: -maze.shortest, RANDOM: -maze.walk}
        settings = maze_settings(maze)
        title = f"DQN in a maze, shortest way {maze.shortest:.1f} steps"
        make_envs = partial(tasks.MazeEnvs, maze=maze)
        return Task(title, make_envs, settings, -tasks.STEP_LIMIT, 0, marks)
    title, turn = "DQN on CartPole-v1", tasks.NO_TURN
    if name == "turned":
        title, turn = "DQN on CartPole-v1, turned", tasks.draw_turn(rng)
    marks = {BEST: 500.0, RANDOM: 22.0}
    make_envs = partial(tasks.make_turned, turn=turn)
    return Task(title, make_envs, SETTINGS, 0, 510, marks)


def main() -> None:
    """Train the agent made of your own `dqn.py`; show and save the result."""
    import argparse

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--task", choices=TASKS, default="cartpole")
    parser.add_argument("--seed", type=seed_of, default="1", help="any text")
    parser.add_argument("--out", default="results", help="folder for the files")
    arguments = parser.parse_args()
    folder = writable(arguments.out)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, stop_at_once)

    sys.path.append(str(Path(__file__).resolve().parents[1]))  # `grader` lies there
    try:
        from recorded import RecordedAgent
    except ModuleNotFoundError as error:
        if error.name != "grader":
            raise
        sys.exit("error: the folder `grader` is missing; it belongs beside `starter`")
    task = task_named(arguments.task, arguments.seed)
    state_dim, num_actions = 4, 2
    curve: list[tuple[int, float]] = []
    blocks: list[Block] = []
    stopped = False
    try:
        agent = RecordedAgent(arguments.seed, state_dim, num_actions, task.settings)
        train_with_progress(agent, task, arguments.seed, curve, blocks)
        print_result(agent, arguments.task, task, curve)
    except NotImplementedError as stub:
        sys.exit(f"not implemented yet: {stub}")
    except KeyboardInterrupt:
        if not blocks:
            raise
        stopped = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # saving takes a few seconds
    films = arguments.task == "cartpole"  # `make watch` shows no other task
    try:
        name = "training_curve" + ("" if films else f"_{arguments.task}")
        picture = folder / f"{name}.png"
        files = save(picture, agent if films else None, task, curve, blocks)
    except OSError as error:
        sys.exit(f"error: {folder}: {error.strerror}")
    if stopped:
        print(f"stopped at step {blocks[-1].env_step}; kept until there: {files}")
        sys.exit(STOPPED)
    print(f"saved: {files}")
    if films:
        print("`make watch` films your agent")


def stop_at_once(*_: object) -> None:
    """End the program at once after Ctrl-C, while there is nothing to save.

    This handler raises no KeyboardInterrupt: JAX may lose an exception, or crash, while
    it is imported or compiles.
    """
    os.write(1, b"\nstopped: nothing was saved\n")
    os._exit(STOPPED)


def seed_of(text: str) -> int:
    """Return a whole number, computed from a text, that can be used as a seed."""
    return zlib.crc32(text.encode("utf-8", "surrogateescape")) >> 1


def writable(out: str) -> Path:
    """Make a folder if it is missing, and return its path.

    If no file can be written in the folder, the program ends with exit code 2.
    """
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        print(f"error: OUT={out!r}: {error.strerror}", file=sys.stderr)
        sys.exit(2)
    return folder


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield the path of a temporary file; rename it to `path` after the with block.

    If the block raises an exception, the temporary file is deleted instead.
    """
    part = path.with_name(f"part-{path.name}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def train_with_progress(
    agent: "RecordedAgent",
    task: Task,
    seed: int,
    curve: list[tuple[int, float]],
    blocks: list["Block"],
) -> None:
    """Train the agent and show the progress.

    Args:
        agent: the agent to train.
        task: the task.
        seed: the seed of the training and validation episodes.
        curve: the list to which the points of the learning curve are added. The first
            point, at step 0, is that of the untrained network.
        blocks: the list to which a `Block` is added for each block of updates.
    """
    from progress import Block, Display

    with Display(task, curve, blocks) as display:

        def show(progress: Progress) -> None:
            numbers = progress.env_step, progress.epsilon, progress.loss
            display.update(Block(*numbers, agent.max_q))
            if signal.getsignal(signal.SIGINT) is stop_at_once:
                signal.signal(signal.SIGINT, signal.default_int_handler)

        # These episodes draw nothing from the random numbers of the training.
        envs = task.make_envs(task.settings.validation_episodes)
        curve.append((0, float(evaluate(agent, envs, seed).mean())))
        display.print_validations()
        train(agent, task.make_envs, seed, task.settings, show, curve)


def print_result(
    agent: "RecordedAgent", name: str, task: Task, curve: list[tuple[int, float]]
) -> None:
    """Print whether the goal was reached; if the task was not learned, print why.

    Args:
        agent: the agent after training.
        name: one of `TASKS`.
        task: the task of this name.
        curve: the learning curve, with a point at step 0.
    """
    from progress import as_return, say
    from recorded import why_not

    env_step, mean_return = curve[-1]
    if mean_return >= task.settings.solved_at:
        say(f"\ngoal reached at step {env_step}")
        return
    say(
        f"\ngoal not reached in {task.settings.env_steps} steps: mean return "
        f"{as_return(mean_return, task)} at the end"
    )
    kind = "maze" if name == "maze" else "cartpole"
    for line in why_not(kind, agent, curve, task.marks[RANDOM], task.marks[BEST]):
        say(line, "→ ")


def save(
    picture: Path,
    agent: "RecordedAgent | None",
    task: Task,
    curve: list[tuple[int, float]],
    blocks: list["Block"],
) -> str:
    """Write the parameters and the picture; return the paths of the files as text.

    Args:
        picture: the path of the picture; the parameters are saved beside it.
        agent: the agent whose parameters are saved; None to save none.
        task: the task.
        curve: the learning curve.
        blocks: what was recorded after each block of updates.
    """
    from curve import save_curve

    files = [picture]
    if agent:
        files.append(picture.with_name("theta_Q.npz"))
        with whole(files[-1]) as part:
            agent.save(part)
    with whole(picture) as part:
        save_curve(curve, task, part, blocks)
    return " and ".join(map(str, files))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped: nothing was saved")
        sys.exit(STOPPED)
