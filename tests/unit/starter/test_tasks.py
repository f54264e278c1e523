"""Each run of exercise 9 draws a maze of rooms, and a turned CartPole.

A room has two doors and a look: the state [4] that the agent sees there, without the
noise.
"""

from collections import deque
from itertools import pairwise

import numpy as np
import pytest

SEEDS = range(20)


def ways(nexts: np.ndarray) -> list[int]:
    """Return for each room the smallest number of steps to room 0, the exit.

    Args:
        nexts: for each room and each of its two doors, the room behind the door [24,2].
    """
    found = {0: 0}
    queue = deque([0])
    while queue:
        room = queue.popleft()
        for before in np.flatnonzero((nexts == room).any(axis=1)):
            if before not in found:
                found[int(before)] = found[room] + 1
                queue.append(int(before))
    return [found[room] for room in range(len(nexts))]


@pytest.fixture(scope="module")
def maze(tasks):
    """Return a maze that is drawn with a fixed seed."""
    return tasks.draw_maze(np.random.default_rng(0))


@pytest.fixture
def rooms_of(maze):
    """Return a function that finds the numbers of the rooms [N] from states [N,4].

    A state is a room's look plus noise, so the room with the nearest look is found.
    """

    def rooms(states: np.ndarray) -> list[int]:
        distances = np.linalg.norm(states[:, None] - maze.looks[None], axis=-1)
        return distances.argmin(axis=1).tolist()

    return rooms


@pytest.mark.parametrize("seed", SEEDS)
def test_each_maze_has_a_way_of_6_to_9_steps(tasks, seed):
    """The room that is farthest from the exit is 6 to 9 steps away.

    Through each of the two doors, every room is reached from exactly one room.
    `shortest` is the mean number of steps to the exit, over all other rooms.
    """
    maze = tasks.draw_maze(np.random.default_rng(seed))
    assert maze.nexts.shape == (24, 2)
    assert maze.looks.shape == (24, 4)
    assert maze.looks.dtype == np.float32
    for door in maze.nexts.T:
        assert sorted(door) == list(range(24))
    steps = ways(maze.nexts)
    assert 6 <= max(steps) <= 9
    assert maze.shortest == pytest.approx(np.mean(steps[1:]))


def test_mazes_differ(tasks):
    """Generators in the same state draw the same maze; otherwise the mazes differ."""
    one, same, other = (tasks.draw_maze(np.random.default_rng(s)) for s in (1, 1, 2))
    assert (one.nexts == same.nexts).all()
    assert (one.looks == same.looks).all()
    assert (one.nexts != other.nexts).any()
    assert (one.looks != other.looks).any()


def test_the_walk_is_that_of_random_actions(tasks, maze):
    """`maze.walk` is the mean length of episodes in which all actions are random."""
    envs = tasks.MazeEnvs(2300, maze)
    envs.reset(seed=1)
    rng, lengths, running = np.random.default_rng(1), 0, np.ones(2300, dtype=bool)
    while running.any():
        lengths += running
        _, _, terminateds, truncateds, _ = envs.step(rng.integers(0, 2, 2300))
        running &= ~(terminateds | truncateds)
    # The standard error is about 0.3 steps.
    assert lengths.mean() == pytest.approx(maze.walk, abs=1.2)


def test_the_first_rooms_are_spread_evenly(tasks, maze, rooms_of):
    """In 46 environments, two episodes start in each of the 23 rooms that are no exit.

    The order of the rooms depends on the seed.
    """
    envs = tasks.MazeEnvs(46, maze)
    first, again, other = (rooms_of(envs.reset(seed=seed)[0]) for seed in (3, 3, 4))
    assert sorted(first) == sorted([*range(1, 24)] * 2)
    assert first == again
    assert first != other


def test_a_door_leads_where_the_maze_says(tasks, maze, rooms_of):
    """A step leads through the chosen door and has reward -1; at the exit d is true.

    The states of one room differ, because the noise is drawn for each state.
    """
    envs = tasks.MazeEnvs(46, maze)
    states, _ = envs.reset(seed=5)
    before = rooms_of(states)
    actions = np.arange(46) % 2
    states, rewards, terminateds, truncateds, _ = envs.step(actions)
    expected = maze.nexts[before, actions]
    assert rooms_of(states) == expected.tolist()
    assert states.dtype == rewards.dtype == np.float32
    assert rewards.tolist() == [-1.0] * 46
    assert terminateds.tolist() == (expected == 0).tolist()
    assert terminateds.any()
    assert not truncateds.any()
    noise = states - maze.looks[expected]
    assert 0.03 < noise.std() < 0.07
    assert len(np.unique(noise)) == noise.size


def ends_of(envs, steps: int) -> list[tuple]:
    """Take action 0 in one environment for some steps.

    Returns:
        For each step, a pair of the end and the reward. The end is "terminated",
        "truncated" or "".
    """
    found = []
    envs.reset(seed=1)
    for _ in range(steps):
        _, rewards, terminateds, truncateds, _ = envs.step(np.zeros(1, dtype=int))
        end = "terminated" if terminateds[0] else "truncated" if truncateds[0] else ""
        found.append((end, float(rewards[0])))
    return found


def test_after_40_steps_an_episode_is_truncated(tasks, maze):
    """The 40th step of an episode truncates it; the next step begins a new episode."""
    nexts = np.stack([np.arange(24)] * 2, axis=1)  # each door leads back to its room
    ends = ends_of(tasks.MazeEnvs(1, maze._replace(nexts=nexts)), 82)
    one = [("", -1.0)] * 39 + [("truncated", -1.0), ("", 0.0)]
    assert ends == one * 2


def test_the_exit_in_the_40th_step_is_terminal(tasks, maze):
    """If the 40th step leads to the exit, the episode is terminated and truncated."""
    envs = tasks.MazeEnvs(1, maze._replace(nexts=np.zeros((24, 2), dtype=int)))
    envs.reset(seed=1)
    envs.steps[:] = 39
    _, _, terminateds, truncateds, _ = envs.step(np.zeros(1, dtype=int))
    assert terminateds[0]
    assert truncateds[0]


@pytest.mark.parametrize("kind", ["maze", "turned"])
def test_an_episode_ends_as_in_cartpole(tasks, maze, kind):
    """After the end of an episode, one step only resets: reward 0, no end.

    This holds in the maze and in the turned CartPole.
    """
    exit_everywhere = maze._replace(nexts=np.zeros((24, 2), dtype=int))
    envs = {
        "maze": lambda: tasks.MazeEnvs(1, exit_everywhere),
        "turned": lambda: tasks.make_turned(1, tasks.NO_TURN),
    }[kind]()
    ends = ends_of(envs, 60)
    assert "terminated" in dict(ends)
    for (end, _), (next_end, reward) in pairwise(ends):
        assert (reward == 0.0) == (end != "")
        assert not (end and next_end)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_turn_keeps_lengths_and_angles(tasks, seed):
    """The matrix of a turn is orthogonal, so it keeps lengths and angles."""
    matrix = tasks.draw_turn(np.random.default_rng(seed)).matrix
    assert matrix @ matrix.T == pytest.approx(np.eye(4))


def test_turns_are_of_all_kinds(tasks):
    """A turn is a rotation or a reflection, with actions swapped or not.

    All directions are equally likely.
    """
    turns = [tasks.draw_turn(np.random.default_rng(seed)) for seed in SEEDS]
    kinds = {(np.linalg.det(turn.matrix) > 0, turn.swapped) for turn in turns}
    assert len(kinds) == 4
    # No direction is preferred: the mean of each element is near 0.
    many = [tasks.draw_turn(np.random.default_rng(seed)).matrix for seed in range(400)]
    assert np.abs(np.mean(many, axis=0)).max() < 0.1


@pytest.mark.parametrize("swapped", [False, True])
def test_the_turned_cartpole_is_cartpole(tasks, swapped):
    """If its states are turned back, a turned CartPole behaves like CartPole.

    Rewards and ends of episodes are the same, too.
    """
    turn = tasks.draw_turn(np.random.default_rng(3))._replace(swapped=swapped)
    plain, turned = tasks.make_cartpole(5), tasks.make_turned(5, turn)
    states, turned_states = (envs.reset(seed=7)[0] for envs in (plain, turned))
    rng = np.random.default_rng(0)
    for _ in range(100):
        assert turned_states.dtype == np.float32
        back = turned_states @ turn.matrix * tasks.USUAL_SIZES
        assert back == pytest.approx(states, abs=1e-5)
        actions = rng.integers(0, 2, 5)
        states, *rest, _ = plain.step(actions)
        turned_states, *turned_rest, _ = turned.step(
            1 - actions if swapped else actions
        )
        for one, other in zip(rest, turned_rest, strict=True):
            assert one.tolist() == other.tolist()
