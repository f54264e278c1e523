"""A task that an untrained network solves is not taken."""

import dataclasses

import numpy as np
import pytest

N, D, A = 6, 4, 2
START = [np.full((D, A), 0.25, np.float32)]


class OneStep:
    """N episodes of one step; the secret action has return 1, the other 0.

    Args:
        num_envs: N.
        secret: the action that solves the task.
    """

    def __init__(self, num_envs, secret):
        self.num_envs, self.secret = num_envs, secret

    def reset(self, seed=None):
        """Return the first states."""
        return np.ones((self.num_envs, D), np.float32), {}

    def step(self, actions):
        """End all episodes."""
        rewards = (actions == self.secret).astype(float)
        ended = np.ones(self.num_envs, bool)
        return self.reset()[0], rewards, ended, ~ended, {}


class Rule:
    """The values of a network with a fixed rule.

    Args:
        action: the best action by the start parameters.
        changed: the best action by all other parameters.
    """

    def __init__(self, action, changed):
        self.actions, self.judged = (action, changed), []

    def q_values(self, theta, states):
        """Return values [N,A]; note the largest change of a parameter."""
        change = np.abs(theta - 0.25).max()
        self.judged.append(change)
        return np.tile(np.eye(A)[self.actions[int(change > 0)]], (len(states), 1))


@pytest.fixture
def drawn(learner):
    """Return a function of a network and of secrets that draws a task.

    The function returns the drawn task's secret, or None, and how many tasks were
    drawn.
    """
    settings = dataclasses.replace(learner.train.SETTINGS, validation_episodes=N)

    def run(network, secrets):
        tasks = []

        def draw(rng):
            secret = secrets[min(len(tasks), len(secrets) - 1)]
            facts = {"secret": secret}
            tasks.append(secret)
            return learner.Task(
                lambda n: OneStep(n, secret), settings, lambda mean: mean < 0.5, facts
            )

        rng = np.random.default_rng(1)
        task = learner.draw_failing(draw, network, START, rng)
        return (None if task is None else task.facts["secret"]), len(tasks)

    return run


def test_the_first_task_that_is_not_solved(drawn):
    """A network that always chooses action 1 gets the first task that needs 0."""
    assert drawn(Rule(1, 1), [1, 1, 0, 1]) == (0, 3)


def test_a_rule_that_waits_for_other_parameters(drawn):
    """A rule that works only after the parameters have changed is found as well."""
    assert drawn(Rule(0, 1), [1, 0, 1])[0] is None


def test_a_network_that_solves_all_tasks(drawn, learner):
    """After 20 tasks there is none."""
    assert drawn(Rule(1, 1), [1]) == (None, learner.DRAWS)


def test_small_and_large_changes_are_tried(drawn, learner):
    """The network fails with noise of each size on its parameters."""
    rule = Rule(0, 0)
    assert drawn(rule, [1]) == (1, 1)
    start, *noisy = rule.judged
    assert start == 0
    expected = [0.5 * size for size in learner.NOISES]
    assert all(a < b < 10 * a for a, b in zip(expected, noisy, strict=True))
