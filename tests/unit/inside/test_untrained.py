"""A task is learned only if the untrained network does not solve it already."""

import dataclasses

import numpy as np
import pytest

N, D, A = 6, 4, 2
START = [np.full((D, A), 0.25, np.float32)]


class OneStep:
    """A fake environment with N episodes of one step each.

    One action, the secret one, has the reward 1; the other action has the reward 0.

    Args:
        num_envs: N.
        secret: the secret action, 0 or 1.
    """

    def __init__(self, num_envs, secret):
        self.num_envs, self.secret = num_envs, secret

    def reset(self, seed=None):
        """Start all episodes; return the first states and an empty dict."""
        return np.ones((self.num_envs, D), np.float32), {}

    def step(self, actions):
        """End all episodes after one step.

        Returns:
            The states, rewards, terminateds, truncateds and an empty dict.
        """
        rewards = (actions == self.secret).astype(float)
        ended = np.ones(self.num_envs, bool)
        return self.reset()[0], rewards, ended, ~ended, {}


class Rule:
    """A fake network whose best action depends on whether its parameters are `START`.

    Args:
        action: the best action for the parameters `START`.
        changed: the best action for all other parameters.

    Attributes:
        judged: for each call, the largest difference of a parameter from `START`.
    """

    def __init__(self, action, changed):
        self.actions, self.judged = (action, changed), []

    def q_values(self, theta, states):
        """Return the values [N,A] of the states, and add an entry to `judged`."""
        change = np.abs(theta - 0.25).max()
        self.judged.append(change)
        return np.tile(np.eye(A)[self.actions[int(change > 0)]], (len(states), 1))


@pytest.fixture
def drawn(learner):
    """Return a function (network, secrets) that draws tasks until the network fails.

    The argument `secrets` has the secret action of each task; the last one also serves
    further tasks. The function returns two values: the secret action of the task that
    was taken (None if the network solves all tasks), and the number of drawn tasks.
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
    """A network that always chooses action 1 gets the first task whose secret is 0."""
    assert drawn(Rule(1, 1), [1, 1, 0, 1]) == (0, 3)


def test_a_rule_that_waits_for_other_parameters(drawn):
    """A task is not taken if the network solves it after a change of θ."""
    assert drawn(Rule(0, 1), [1, 0, 1])[0] is None


def test_a_network_that_solves_all_tasks(drawn, learner):
    """If the network solves each of 20 drawn tasks, no task is taken."""
    assert drawn(Rule(1, 1), [1]) == (None, learner.DRAWS)


def test_small_and_large_changes_are_tried(drawn, learner):
    """The network is tested with its own θ, and with noise of several sizes on θ."""
    rule = Rule(0, 0)
    assert drawn(rule, [1]) == (1, 1)
    start, *noisy = rule.judged
    assert start == 0
    expected = [0.5 * size for size in learner.NOISES]
    assert all(a < b < 10 * a for a, b in zip(expected, noisy, strict=True))
