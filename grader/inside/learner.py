"""Learn the tasks with the hand-in's parts, and test the learned policies.

This code runs in the learner, the process that has the environments, the seeds, the
parameters and the training loop. The loop is in `starter/train.py` and the environments
are in `starter/tasks.py`; students have both files. The agent that the loop calls is in
`learning/agent.py`.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import tasks
import train
from jax import export

from grader.inside.learning.agent import BlindAgent, Deviates, make_act
from grader.inside.learning.tokens import Foul
from grader.inside.learning.updates import Updates, make_values
from grader.inside.networks import OPTIMIZERS
from grader.inside.programs import BadProgram
from grader.inside.translation.attributes import Untranslatable
from grader.inside.translation.translate import translated

# Standard deviations of the noise that `draw_failing` adds to untrained parameters. The
# network must fail in the drawn task with each of these noises.
NOISES = (0.03, 0.3, 3.0)
# Environment steps of a training by formula. The number is small, because the updates
# of such a training take long. In nine of ten trainings, a right hand-in needs fewer
# steps: see tests/evidence/CALIBRATION.md.
FORMULA_STEPS = {"maze": 6_144, "cartpole": 12_288}
DRAWS = 20  # the largest number of tasks drawn to find one with a failing network
ALREADY_SOLVED = "the untrained network already solves every task that was drawn"
# An untrained network has to stay below these limits. In a maze, 0 is a random walk and
# 1 the shortest way; on CartPole the limit is a mean return.
UNTRAINED_SHARE = 0.5
UNTRAINED_RETURN = 100.0


@dataclasses.dataclass(frozen=True)
class Task:
    """A task that was drawn for one training: its environments and settings.

    Attributes:
        make_envs: function from a number N to N new environments.
        settings: settings of the training.
        fails: function from the mean return of an untrained network to a bool. True
            means that the network fails: the return is too low to solve the task.
        facts: numbers that describe the task, by name, for the report.
    """

    make_envs: Callable[[int], Any]
    settings: train.Settings
    fails: Callable[[float], bool]
    facts: dict[str, float] = dataclasses.field(default_factory=dict)


def draw_maze(rng: np.random.Generator) -> Task:
    """Draw a maze of rooms, and return it as a task."""
    maze = tasks.draw_maze(rng)
    best, walk = -maze.shortest, -maze.walk
    limit = walk + UNTRAINED_SHARE * (best - walk)
    farthest = tasks.steps_to_exit(maze.nexts).max()
    return Task(
        lambda num_envs: tasks.MazeEnvs(num_envs, maze),
        train.maze_settings(maze),
        lambda mean: mean < limit,
        {
            "shortest": float(maze.shortest),
            "random_walk": float(maze.walk),
            "farthest": float(farthest),
        },
    )


def draw_cartpole(rng: np.random.Generator) -> Task:
    """Draw a turned CartPole, and return it as a task.

    A turned CartPole has states that are rotated or reflected, and its two actions may
    be swapped.
    """
    turn = tasks.draw_turn(rng)
    return Task(
        lambda num_envs: tasks.make_turned(num_envs, turn),
        train.SETTINGS,
        lambda mean: mean < UNTRAINED_RETURN,
        {
            "swapped": float(turn.swapped),
            "reflected": float(np.linalg.det(turn.matrix) < 0),
            # 1 if the turn only exchanges axes; 0.5 if it mixes all four equally.
            "overlap": float(np.abs(turn.matrix).max(axis=1).mean()),
        },
    )


DRAW = {"maze": draw_maze, "cartpole": draw_cartpole}


def learn(
    runner: Any,
    task: str,
    seed: int,
    programs: dict[str, str],
    theta: list[np.ndarray],
    by_formula: bool,
) -> dict[str, Any]:
    """Draw a task, train once, and test the greedy policy on fresh episodes.

    Args:
        runner: the `Runner`; it has the loaded programs and passes questions to the
            grader.
        task: "maze" or "cartpole".
        seed: seed of all random numbers.
        programs: names of the loaded programs by role: "network", "act" and "update".
        theta: parameters of the new network, a list of arrays.
        by_formula: True to make the updates by the formula of the hand-in's `td_loss`.
            The training then has fewer steps.

    Returns:
        The results as a dict, see `report`.
    """
    rng = np.random.default_rng(seed)
    agent_seed, train_seed, test_seed = map(int, rng.integers(2**31, size=3))
    updates, act = compiled(runner, programs, theta, "learning", train.SETTINGS.gamma)
    drawn = draw_failing(DRAW[task], updates, theta, rng)
    if drawn is None:
        return report(ALREADY_SOLVED)
    make_envs, settings = drawn.make_envs, drawn.settings
    if by_formula:
        settings = dataclasses.replace(settings, env_steps=FORMULA_STEPS[task])
    agent = BlindAgent(
        runner.ask, updates, act, theta, agent_seed, settings, tasks.DOORS,
        by_formula=by_formula,
    )  # fmt: skip
    curve: list = []

    def on_progress(progress: train.Progress) -> None:
        if progress.env_step % settings.validate_steps == 0:
            step, most = progress.env_step, settings.env_steps
            runner.ask({"do": "progress", "env_step": step, "most": most})

    test_envs = make_envs(settings.validation_episodes)
    problem, mean_return = "", 0.0
    try:
        train.train(agent, make_envs, train_seed, settings, on_progress, curve)
        mean_return = float(train.evaluate(agent, test_envs, test_seed).mean())
    except Foul as foul:
        problem = str(foul)
    except Deviates:
        return report("", deviates=True)
    return report(
        problem,
        mean_return=mean_return,
        curve=curve,
        facts=drawn.facts,
        compared=agent.compared,
        watched=agent.training_log.as_dict(),
    )


def report(problem: str, **results: Any) -> dict[str, Any]:
    """Return the results of one training as a dict, with defaults for missing entries.

    Args:
        problem: why learning was stopped; "" if it was not stopped, or was stopped
            because `td_update` deviates.
        results: further entries of the dict by name.

    Returns:
        A dict with these entries:

        - `mean_return`: mean return of the test episodes; 0 if learning was stopped.
        - `curve` [n,2]: for each validation, the environment step and the mean return.
        - `facts`: numbers that describe the task, see `Task`.
        - `compared`: in how many updates the hand-in's `td_update` was compared with
          the grader's update.
        - `watched`: the recorded numbers, see `TrainingLog.as_dict`.
        - `problem`: the argument.
        - `deviates`: whether `td_update` makes other updates than the grader.
    """
    defaults = {
        "mean_return": 0.0, "curve": [], "facts": {}, "compared": 0, "watched": {},
        "deviates": False,
    }  # fmt: skip
    answer = {**defaults, "problem": problem, **results}
    answer["curve"] = np.array(answer["curve"], np.float64).reshape(-1, 2)
    return answer


def learn_table(
    runner: Any,
    rows: dict[str, np.ndarray],
    settings: dict[str, Any],
    seed: int,
    programs: dict[str, str],
    by_formula: bool,
) -> dict[str, Any]:
    """Learn a table of values in one block of updates from given transitions.

    Args:
        runner: the `Runner`; it has the loaded programs and passes questions to the
            grader.
        rows: the N transitions: for each field, an array [N,...]; states are one-hot.
            The buffer gets all transitions in a random order. The buffer's capacity may
            be less than N.
        settings: values for the fields `block_updates`, `batch_size`, `capacity`,
            `period` and `gamma` of `train.Settings`.
        seed: seed of all random numbers.
        programs: {"update": name of the loaded program of `td_update`}.
        by_formula: True to make the updates by the formula of the hand-in's `td_loss`.

    Returns:
        A dict with three entries: the table `Q` [S,A]; `deviates`, whether learning was
        stopped because `td_update` makes other updates than the grader; and `problem`,
        a text that says why learning was stopped for another reason, else "".
    """
    num_states, num_actions = rows["state"].shape[1], tasks.DOORS
    theta = [np.zeros((num_actions, num_states), np.float32)]
    all_settings = dataclasses.replace(train.SETTINGS, block_steps=0, **settings)
    updates, _ = compiled(runner, programs, theta, "table", all_settings.gamma)
    agent = BlindAgent(
        runner.ask, updates, None, theta, seed, all_settings, num_actions,
        by_formula=by_formula,
    )  # fmt: skip
    agent.observe(*rows.values())
    problem, deviates = "", False
    try:
        agent.learn()
    except Foul as foul:
        problem = str(foul)
    except Deviates:
        deviates = True
    Q = np.asarray(agent.theta_Q).reshape(num_actions, num_states).T
    return {"Q": Q, "problem": problem, "deviates": deviates}


def compiled(
    runner: Any,
    programs: dict[str, str],
    theta: list[np.ndarray],
    optimizer: str,
    gamma: float,
) -> tuple[Updates, Callable | None]:
    """Make the updates and the function for acting from the hand-in's programs.

    The runner keeps both, so that they are compiled only once for the same programs.

    Args:
        runner: the `Runner` with the loaded programs.
        programs: names of the loaded programs, by role: "update", and for the maze and
            CartPole "network" and "act". Without "network", `theta` is a table of
            values.
        theta: parameters of the network, or the table [A,S]; a list of arrays.
        optimizer: name of an optimizer in `OPTIMIZERS`; it must be a form of Adam.
        gamma: the discount γ.

    Returns:
        An object that makes updates, and the function of `make_act`, which chooses
        actions. The function is None if `programs` has no "act".

    Raises:
        BadProgram: the network's program cannot be translated.
    """

    def make() -> tuple[Updates, Callable | None]:
        loaded = {role: runner.programs[name] for role, name in programs.items()}
        network: Callable[[list[Any], Any], Any] = table
        if "network" in programs:
            network = network_of(runner.exported[programs["network"]], theta)
        values, adam = make_values(network), OPTIMIZERS[optimizer]()
        updates = Updates(values, loaded["update"], adam, theta, gamma)
        return updates, make_act(updates, loaded["act"]) if "act" in loaded else None

    return runner.kept(f"learning {sorted(programs.items())}", make)


def network_of(
    program: export.Exported, theta: list[np.ndarray]
) -> Callable[[list[Any], Any], Any]:
    """Translate a network's program into a function from theta and a state to values.

    The function takes the list `theta` and one state [D], and returns values [A].

    Args:
        program: the network's program for one state.
        theta: parameters of the network, a list of arrays; only their shapes are used.

    Raises:
        BadProgram: the program cannot be translated, or does not return values [A].
    """

    def network(theta: list[Any], state: Any) -> Any:
        return call(*jax.tree.leaves({"theta": theta, "state": state}))[0]

    try:
        call = translated(program)
        state = np.zeros(tasks.STATE_DIM, np.float32)
        shape = jax.eval_shape(network, theta, state).shape
    except Untranslatable as problem:
        words = f"q_network: the grader cannot train a network with {problem}"
        raise BadProgram(words) from None
    if shape != (tasks.DOORS,):
        words = f"q_network: {shape} is the shape of the values of one state"
        raise BadProgram(f"{words}, expected {(tasks.DOORS,)}")
    return network


def table(theta: list[Any], state: Any) -> Any:
    """Return the values [A] of a one-hot state [S] in a table [A,S]."""
    return theta[0] @ state


def draw_failing(
    draw: Callable[[np.random.Generator], Task],
    updates: Updates,
    theta: list[np.ndarray],
    rng: np.random.Generator,
) -> Task | None:
    """Draw tasks until the untrained network fails in one.

    A hand-in's network may contain a fixed rule that solves some tasks without
    learning. If the untrained network solves a task, another task is drawn. The rule
    may also begin to work only when the parameters have changed. Therefore the network
    must also fail when random noise is added to its parameters.

    Args:
        draw: function that draws a task with a random generator.
        updates: the updates for this network; their function `q_values` computes the
            network's values.
        theta: the untrained parameters, a list of arrays.
        rng: random generator for the tasks and the noise.

    Returns:
        The task; None if the network fails in none of `DRAWS` tasks.
    """
    vector = np.concatenate([leaf.ravel() for leaf in theta])
    vectors = [vector + size * rng.normal(size=vector.shape) for size in (0.0, *NOISES)]
    for _ in range(DRAWS):
        task, seed = draw(rng), int(rng.integers(2**31))
        envs = task.make_envs(task.settings.validation_episodes)
        returns = (
            train.evaluate(Untrained(updates, noisy), envs, seed).mean()
            for noisy in vectors
        )
        if all(map(task.fails, returns)):
            return task
    return None


class Untrained:
    """An agent that never learns, for `train.evaluate`.

    Args:
        updates: the updates for this network; their function `q_values` computes the
            network's values.
        theta: the P untrained parameters as one vector [P], perhaps with noise.
    """

    def __init__(self, updates: Updates, theta: np.ndarray) -> None:
        self.updates, self.theta = updates, theta.astype(np.float32)

    def q_values(self, states: np.ndarray) -> np.ndarray:
        """Return the values Q(s, a) [N,A] of all actions in the states [N,D]."""
        return np.asarray(self.updates.q_values(self.theta, states))
