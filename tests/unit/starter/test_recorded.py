"""The recorded agent learns as the agent does, and says why it did not learn."""

from dataclasses import replace

import jax
import numpy as np
import pytest


@pytest.fixture
def settings(train):
    """Return settings with small sizes, so that compiling and running are quick."""
    small = {"block_steps": 16, "block_updates": 5, "batch_size": 12, "num_envs": 4}
    return replace(train.SETTINGS, period=3, capacity=100, **small)


def feed(agent, steps: int, seed: int = 0) -> None:
    """Let an agent see some steps of 4 environments; it acts by itself."""
    rng = np.random.default_rng(seed)
    for number in range(steps):
        states, nexts = rng.normal(size=(2, 4, 4)).astype(np.float32)
        actions = agent.act(states, 0.5)
        ends = np.arange(4) == number % 4
        agent.observe(states, actions, np.ones(4), ends, nexts)


def test_recording_changes_nothing(recorded, settings):
    """The recorded agent acts and learns exactly as the agent that it records."""
    agents = [
        make(3, 4, 2, settings) for make in (recorded.RecordedAgent, recorded.DQNAgent)
    ]
    found = []
    for agent in agents:
        losses = []
        for block in range(3):
            feed(agent, 4, seed=block)
            losses.append(agent.learn())
        states = np.ones((2, 4), np.float32)
        found.append((losses, [float(q) for q in agent.q_values(states).ravel()]))
        assert agent.act(states, 1.0).shape == (2,)
    assert found[0] == found[1]
    thetas = [jax.tree.leaves(agent.theta_Q) for agent in agents]
    assert all(map(np.array_equal, *thetas))


@pytest.mark.parametrize("right", [True, False])
def test_syncs_are_recorded(recorded, settings, monkeypatch, right):
    """The share of syncs that took place is 1 for a right part, and 0 for a mixture."""
    part = recorded.DQNAgent.one_update.__globals__["dqn"]
    if not right:

        def mixed(theta_Q, theta_T, step, period):
            return jax.tree.map(lambda q, t: 0.9 * t + 0.1 * q, theta_Q, theta_T)

        monkeypatch.setattr(part, "sync_target", mixed)
    agent = recorded.RecordedAgent(1, 4, 2, settings)
    for block in range(3):
        feed(agent, 4, seed=block)
        agent.learn()
    log = agent.log.as_dict()
    assert log["synced"].tolist() == [float(right)] * 3
    assert log["env_step"].tolist() == [16, 32, 48]


def test_a_block_without_updates_is_not_recorded(recorded, settings):
    """With fewer transitions than a batch nothing is recorded; steps count on."""
    agent = recorded.RecordedAgent(1, 4, 2, settings)
    assert np.isnan(agent.max_q)
    feed(agent, 2)
    assert np.isnan(agent.learn())
    assert np.isnan(agent.max_q)
    feed(agent, 4)
    agent.learn()
    assert agent.log.as_dict()["env_step"].tolist() == [24]
    # The states that were seen are the normal ones of `feed`.
    states = np.random.default_rng(9).normal(size=(5000, 4)).astype(np.float32)
    expected = agent.q_values(states).max(axis=1)
    assert agent.max_q == pytest.approx(float(expected.mean()), abs=0.05)


CURVE = [(0, 9.0), (1024, 9.3), (2048, 9.2), (3072, 9.3)]


def not_learned(recorded, settings, **columns: float):
    """Return an agent whose log has 48 blocks; the columns that are given differ."""
    agent = recorded.RecordedAgent(1, 4, 2, settings)
    row = {
        **{"largest_loss": 1.0, "greedy": 0.98, "q": 40.0, "largest_q": 80.0},
        **{"q_at_end": 2.0, "same_best": 0.6, "moved": 1.0, "synced": 1.0},
        **columns,
    }
    for block in range(48):
        line = {**row, "env_step": 64.0 * (block + 1)}
        line["greedy"] = 0.5 if block < 8 else row["greedy"]
        agent.log.blocks.append([line[name] for name in recorded.COLUMNS])
    return agent


def reasons(recorded, agent, curve=CURVE) -> str:
    """Return why an agent did not learn CartPole, as one text."""
    return " ".join(recorded.why_not("cartpole", agent, curve, 22.0, 500.0))


def test_sentences_are_those_of_exercise_9(recorded, train):
    """The first cause is told; before one that presumes right updates, a line says so.

    The line is missing where ¬d is the cause: there the updates are not presumed right.
    """
    agent = not_learned(recorded, train.SETTINGS, synced=0.0)
    text = reasons(recorded, agent)
    assert "sync_target returned θ_Q in 0 of them" in text
    assert "make grade ONLY=sync_target" in text
    assert recorded.IF_RIGHT not in text

    agent = not_learned(recorded, train.SETTINGS, largest_q=1.0, q=0.9)
    text = reasons(recorded, agent)
    assert "the largest |Q(s, a)| was 1;" in text
    assert text.startswith(recorded.IF_RIGHT)

    agent = not_learned(recorded, train.SETTINGS, largest_q=99.0, q=98, q_at_end=97)
    text = reasons(recorded, agent)
    assert text.startswith("Q is heading for 100 = 1/(1−γ)")
    assert "¬d is missing" in text
    assert recorded.IF_RIGHT not in text

    agent = not_learned(recorded, train.SETTINGS)
    text = reasons(recorded, agent)
    assert "do not show which part is the cause" in text
    assert recorded.IF_RIGHT not in text


def test_no_reason_where_it_learned_or_settings_differ(recorded, train):
    """No reason is said for a return that is worth all points, and no false one."""
    agent = not_learned(recorded, train.SETTINGS, synced=0.0)
    assert reasons(recorded, agent, [*CURVE, (4096, 449.0)])
    assert not reasons(recorded, agent, [*CURVE, (4096, 450.0)])
    for change in ({"period": 200}, {"gamma": 0.9}):
        other = replace(train.SETTINGS, **change)
        assert not reasons(recorded, not_learned(recorded, other, synced=0.0))


def test_reasons_before_the_first_validation(recorded, train):
    """Without a block of updates there is nothing to say."""
    agent = recorded.RecordedAgent(1, 4, 2, train.SETTINGS)
    assert reasons(recorded, agent, CURVE[:1]) == ""


@pytest.mark.parametrize("returned", [None, ()])
def test_a_target_that_is_no_theta(recorded, settings, returned):
    """What is no θ at all is not the same as θ_Q, and raises nothing."""
    agent = recorded.RecordedAgent(1, 4, 2, settings)
    assert recorded.same(agent.theta_Q, agent.theta_Q)
    assert not recorded.same(agent.theta_Q, returned)
