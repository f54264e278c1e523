"""The tasks that the agent learns: CartPole-v1, and a maze of rooms.

Supplied and complete. Exercise 9 uses a turned CartPole and a maze. Both are drawn from
the run's seed, which is fresh in the official run, so nobody can know them beforehand:
an agent has to learn them. In each task a state has 4 numbers, and there are 2 actions.

Each task is a vector environment: N environments that are stepped together. When an
episode has ended, the next step ignores its action, returns the first state of a new
episode, and has reward 0.
"""

from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space

# ---------------------------------------------------------------- the maze of rooms

ROOMS = 24
EXIT = 0  # the number of the exit room; an agent sees the looks, not the numbers
DOORS = 2  # the doors of a room, which are the actions
STATE_DIM = 4
NOISE = 0.05  # the standard deviation of the noise on a look
STEP_LIMIT = 40  # the steps after which an episode is truncated
LONGEST_WAY = range(6, 10)  # the steps from the farthest room to the exit


class Maze(NamedTuple):
    """A maze of 24 rooms with two doors each. One room is the exit.

    Attributes:
        nexts: the room behind each door of each room, int [24,2].
        looks: the look of each room, float32 [24,4].
        shortest: the mean number of steps of the shortest way to the exit, over all
            rooms but the exit.
        walk: the mean number of steps of a random walk, which ends at the exit or at
            the step limit, over the same rooms.
    """

    nexts: np.ndarray
    looks: np.ndarray
    shortest: float
    walk: float


def draw_maze(rng: np.random.Generator) -> Maze:
    """Draw a maze whose farthest room is 6 to 9 steps from the exit.

    Each of the two doors is a permutation of the rooms: through the same door, no two
    rooms lead to the same room. Each look is a random vector in ℝ⁴.
    """
    while True:
        nexts = np.stack([rng.permutation(ROOMS) for _ in range(DOORS)], axis=1)
        steps = steps_to_exit(nexts)
        if steps.max() in LONGEST_WAY:
            break
    looks = rng.normal(size=(ROOMS, STATE_DIM)).astype(np.float32)
    starts = slice(EXIT + 1, ROOMS)
    walk = steps_of_walk(nexts)[starts].mean()
    return Maze(nexts, looks, float(steps[starts].mean()), float(walk))


def steps_to_exit(nexts: np.ndarray) -> np.ndarray:
    """Return the fewest steps from each room to the exit [24]; inf without a way.

    Args:
        nexts: the room behind each door of each room [24,2].
    """
    steps = np.full(ROOMS, np.inf)
    steps[EXIT] = 0
    for _ in range(ROOMS):
        steps = np.minimum(steps, 1 + steps[nexts].min(axis=1))
    return steps


def steps_of_walk(nexts: np.ndarray) -> np.ndarray:
    """Return the mean number of steps of a random walk from each room [24].

    Args:
        nexts: the room behind each door of each room [24,2].
    """
    steps = np.zeros(ROOMS)
    for _ in range(STEP_LIMIT):
        steps = 1 + steps[nexts].mean(axis=1)
        steps[EXIT] = 0
    return steps


class MazeEnvs(VectorEnv):
    """N agents in one maze, each alone. An episode starts in any room but the exit.

    After `reset`, the N first rooms are spread over the maze as evenly as possible, so
    that the mean return of N episodes depends little on chance.

    A state is the look of the room plus a little noise, drawn anew at each visit. Each
    step has reward -1. The exit is terminal; after 40 steps an episode is truncated.

    Args:
        num_envs: N.
        maze: the maze.
    """

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(self, num_envs: int, maze: Maze) -> None:
        self.num_envs, self.maze = num_envs, maze
        self.single_action_space = spaces.Discrete(DOORS)
        self.single_observation_space = spaces.Box(-np.inf, np.inf, (STATE_DIM,))
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start N episodes; return the first states [N,4] and an empty dict."""
        super().reset(seed=seed)
        others = self.np_random.permutation(np.arange(EXIT + 1, ROOMS))
        self.rooms = np.resize(others, self.num_envs)
        self.steps = np.zeros(self.num_envs, dtype=np.int32)
        self.just_ended = np.zeros(self.num_envs, dtype=bool)
        return self.states(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, ...]:
        """Go through a door in each of N environments.

        Args:
            actions: the number of the door, 0 or 1 [N].

        Returns:
            The states [N,4], rewards [N], terminateds [N], truncateds [N] and an empty
            dict.
        """
        new = self.just_ended
        behind_door = self.maze.nexts[self.rooms, actions]
        # A random room that is not the exit.
        first = self.np_random.integers(EXIT + 1, ROOMS, self.num_envs)
        self.rooms = np.where(new, first, behind_door)
        self.steps = np.where(new, 0, self.steps + 1)
        terminateds = self.rooms == EXIT
        truncateds = self.steps >= STEP_LIMIT
        rewards = np.where(new, 0, -1).astype(np.float32)
        self.just_ended = terminateds | truncateds
        return self.states(), rewards, terminateds, truncateds, {}

    def states(self) -> np.ndarray:
        """Return what is seen in each environment, float32 [N,4]."""
        noise = self.np_random.normal(0, NOISE, (self.num_envs, STATE_DIM))
        return (self.maze.looks[self.rooms] + noise).astype(np.float32)


# ---------------------------------------------------------------- CartPole-v1

USUAL_SIZES = np.array([1.2, 1.0, 0.1, 1.0])  # of the four numbers of a state


class Turn(NamedTuple):
    """What the turned CartPole does to states and actions.

    Attributes:
        matrix: a rotation or reflection of the state, orthogonal [4,4].
        swapped: true if action 0 pushes to the right and action 1 to the left.
    """

    matrix: np.ndarray
    swapped: bool


NO_TURN = Turn(np.eye(STATE_DIM), swapped=False)  # the states are scaled only


def draw_turn(rng: np.random.Generator) -> Turn:
    """Draw a random rotation or reflection, and whether the actions are swapped.

    All rotations and reflections are equally likely.
    """
    # Q of a random matrix's QR decomposition; the signs make Q's distribution uniform.
    q, r = np.linalg.qr(rng.normal(size=(STATE_DIM, STATE_DIM)))
    return Turn(q * np.sign(np.diag(r)), bool(rng.integers(2)))


class TurnedEnvs(VectorWrapper):
    """CartPole-v1 whose states are scaled and turned, and whose actions may be swapped.

    The physics, the rewards and the ends of episodes are those of CartPole-v1.

    Args:
        envs: CartPole-v1 environments.
        turn: the turn.
    """

    def __init__(self, envs: VectorEnv, turn: Turn) -> None:
        super().__init__(envs)
        self.turn = turn

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start N episodes; return the first states [N,4] and a dict."""
        states, info = self.env.reset(seed=seed, options=options)
        return turned(states, self.turn), info

    def step(self, actions: np.ndarray) -> tuple[Any, ...]:
        """Do one step in each of N environments; see `MazeEnvs.step`."""
        actions = 1 - actions if self.turn.swapped else actions
        states, *others = self.env.step(actions)
        return turned(states, self.turn), *others


def turned(states: np.ndarray, turn: Turn) -> np.ndarray:
    """Return the scaled and turned states of CartPole-v1, float32 [N,4].

    Dividing by the usual sizes makes all four numbers about as large as 1: a network
    learns faster from such numbers.
    """
    return (states / USUAL_SIZES @ turn.matrix.T).astype(np.float32)


def make_cartpole(num_envs: int) -> VectorEnv:
    """Return `num_envs` CartPole-v1 environments that NumPy steps all at once."""
    return gymnasium.make_vec(
        "CartPole-v1", num_envs=num_envs, vectorization_mode="vector_entry_point"
    )


def make_turned(num_envs: int, turn: Turn) -> TurnedEnvs:
    """Return `num_envs` environments of CartPole-v1 with the same turn."""
    return TurnedEnvs(make_cartpole(num_envs), turn)
