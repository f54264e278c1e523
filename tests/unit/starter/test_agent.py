"""The agent of the starter asks each part at the right time; training stops in time."""

from dataclasses import replace

import jax
import numpy as np
import pytest


@pytest.fixture
def settings(train):
    """Return settings with small sizes, so that compiling and running are quick."""
    small = {"block_steps": 16, "block_updates": 5, "batch_size": 4, "capacity": 100}
    return replace(train.SETTINGS, period=3, **small)


def filled(agent, settings):
    """Return an agent whose buffer holds 20 transitions."""
    made = agent.DQNAgent(1, 4, 2, settings)
    rng = np.random.default_rng(0)
    states = rng.normal(size=(21, 4)).astype(np.float32)
    ends = np.arange(20) % 7 == 0
    made.observe(states[:-1], np.arange(20) % 2, np.ones(20), ends, states[1:])
    return made


def weights(theta) -> list[float]:
    """Return the sum of each array of θ; the tests compare two θ by these sums."""
    return [float(np.sum(leaf)) for leaf in jax.tree.leaves(theta)]


def test_fields_may_be_lists(agent, settings, monkeypatch):
    """A batch with lists of rows as fields trains like one with arrays."""
    right_sample = agent.dqn.ReplayBuffer.sample
    as_arrays = filled(agent, settings)
    as_arrays.learn()

    def sample(buffer, batch_size, rng):
        batch = right_sample(buffer, batch_size, rng)
        return agent.dqn.Transition(*map(tuple, batch))

    monkeypatch.setattr(agent.dqn.ReplayBuffer, "sample", sample)
    as_lists = filled(agent, settings)
    as_lists.learn()
    assert weights(as_lists.theta_Q) == weights(as_arrays.theta_Q)


def test_sync_is_asked_after_each_update(agent, settings, monkeypatch):
    """After each update, `sync_target` gets the number of updates and the new θ_Q.

    What `sync_target` returns is the θ_T of the next update.
    """
    asked, used = [], []
    right_sync = agent.dqn.sync_target

    def sync(theta_Q, theta_T, step, period):
        asked.append((step, period, weights(theta_Q)))
        return right_sync(theta_Q, theta_T, step, period)

    monkeypatch.setattr(agent.dqn, "sync_target", sync)
    made = filled(agent, settings)
    update = made._update

    def recorded(theta_Q, theta_T, opt_state, batch):
        used.append(weights(theta_T))
        return update(theta_Q, theta_T, opt_state, batch)

    made._update = recorded
    first = weights(made.theta_Q)
    made.learn()
    made.learn()
    assert [step for step, _, _ in asked] == list(range(1, 11))
    assert {period for _, period, _ in asked} == {3}
    after = [first, *(theta_Q for _, _, theta_Q in asked)]
    assert len(set(map(tuple, after))) == 11  # each update moves θ_Q
    # θ_T is the θ_Q after update 0, 3, 6 and 9, whichever is the last.
    assert used == [after[i // 3 * 3] for i in range(10)]


def test_no_update_before_a_batch_is_there(agent, settings):
    """With fewer transitions than a batch, `learn` returns nan and changes nothing."""
    made = agent.DQNAgent(1, 4, 2, settings)
    before = weights(made.theta_Q)
    assert np.isnan(made.learn())
    assert weights(made.theta_Q) == before
    assert made.num_updates == 0


def test_theta_t_is_not_theta_q_where_a_block_begins(train):
    """The period of the syncs and a block's number of updates do not divide each other.

    So θ_T differs from θ_Q at the start of many blocks, and code that confuses the two
    is noticed.
    """
    for settings in (train.SETTINGS, train.MAZE_SETTINGS):
        assert settings.block_updates % settings.period != 0
        assert settings.period % settings.block_updates != 0


class Walker:
    """A fake agent for a maze that knows the shortest way after a number of steps.

    Args:
        maze: the maze.
        shortest: for each of the 24 rooms, the smallest number of steps to the exit.
        learned_at: the number of environment steps after which the agent knows the way.
    """

    def __init__(self, maze, shortest, learned_at: int) -> None:
        self.maze, self.steps = maze, 0
        self.shortest, self.learned_at = shortest, learned_at

    def act(self, states, epsilon):
        """Return action 0 for each state; count one step for each state."""
        self.steps += len(states)
        return np.zeros(len(states), dtype=int)

    def observe(self, *columns) -> None:
        """Store nothing."""

    def learn(self) -> float:
        """Change nothing; return 0 as the loss."""
        return 0.0

    def q_values(self, states):
        """Return the values [N,2] of states [N,4].

        The value of a door is minus the number of steps from the room behind it to the
        exit. Before the agent knows the way, the signs are reversed.
        """
        looks = self.maze.looks[None]
        rooms = np.linalg.norm(states[:, None] - looks, axis=-1).argmin(axis=1)
        values = -self.shortest[self.maze.nexts[rooms]]
        return values if self.steps >= self.learned_at else -values


def test_training_stops_close_to_the_shortest_way(tasks, train):
    """In a maze, training stops after two validations in a row with the shortest way.

    The learning curve has the mean return of each validation.
    """
    maze = tasks.draw_maze(np.random.default_rng(2))
    shortest = tasks.steps_to_exit(maze.nexts)
    settings = replace(train.maze_settings(maze), validate_steps=512)
    agent = Walker(maze, shortest, learned_at=1024)
    curve = train.train(agent, lambda n: tasks.MazeEnvs(n, maze), 1, settings)
    assert [step for step, _ in curve] == [512, 1024, 1536]
    assert curve[0][1] < -2 * maze.shortest
    assert curve[1][1] == curve[2][1] == pytest.approx(-maze.shortest)
