"""In learning, each part of the hand-in sees only what it needs for its own work.

`BlindAgent` is the learner's agent: it calls these parts, and asks the grader for the
replay buffer and for `sync_target`.
"""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from grader.inside.learning.tokens import FIELDS, Foul
from grader.inside.learning.updates import CLOSE

D, A, BLOCK, B = 4, 2, 5, 4


class FakeUpdates:
    """A fake of `Updates`: an update adds 1 to θ_Q, and the network is linear.

    Attributes:
        batches: for each block, the batches of its updates.
        distance: the distance between the grader's and the hand-in's θ_Q, the same for
            all compared updates.
    """

    def __init__(self):
        self.batches, self.distance = [], 0.0

    def fresh_state(self, theta, rate=0.0):
        """Return 0, the number of updates so far, as the state of the optimizer."""
        return 0

    def values(self, theta, states):
        """Return the values [N,A] of states [N,D], where θ is a list of one matrix."""
        return states @ theta[0]

    def unflat(self, vector):
        """Return θ as a list of one matrix [D,A], from a vector."""
        return [vector.reshape(D, A)]

    def q_values(self, theta, states):
        """Return the values [N,A] of states [N,D], where θ is a vector."""
        return self.values(self.unflat(np.asarray(theta)), states)

    def all_values(self, theta_Q, theta_T, batch):
        """Return the values of the batch's states s and s′, and of a state of zeros.

        The keys begin with `q_` for values by θ_Q, and with `t_` for values by θ_T.
        They end with `s` for s, `n` for s′, or `0` for zeros.
        """
        of = {"s": batch["state"], "n": batch["next_state"], "0": np.zeros((1, D))}
        found = {f"q_{k}": self.q_values(theta_Q, states) for k, states in of.items()}
        return {**found, **{f"t_{k}": self.q_values(theta_T, x) for k, x in of.items()}}

    def step_along(self, carry, batch, slopes, compared):
        """Make an update that adds the sum of all slopes to θ_Q.

        Returns:
            The new θ_Q and state, and the distance.
        """
        moved = carry[0] + sum(float(slope.sum()) for slope in slopes.values())
        return (moved, carry[2] + 1), self.distance

    def block(self, carry, batches, synced, compared):
        """Make a block of updates, each of which adds 1 to θ_Q.

        Args:
            carry: θ_Q, θ_T and the optimizer's state.
            batches: the batches of the updates.
            synced: for each update, whether θ_T becomes θ_Q after it.
            compared: for each update, whether it is compared with the hand-in's.

        Returns:
            The new carry, the losses and the distances. The distance is -1 for an
            update that is not compared.
        """
        self.batches.append(batches)
        theta_Q, theta_T, state = carry
        for sync in synced:
            theta_Q = theta_Q + 1
            theta_T = theta_Q if sync else theta_T
        distances = np.where(compared, self.distance, -1.0)
        losses = np.arange(len(synced), dtype=float)
        return (theta_Q, theta_T, state + len(synced)), losses, distances


class Grader:
    """A fake of the grader that answers the learner's questions.

    Its buffer is right. Its `sync_target` returns θ_Q after some updates, else θ_T.

    Args:
        synced: the numbers, from 1, of the updates after which θ_T becomes θ_Q.
        slopes: function that answers a question for slopes; it returns the loss and the
            slopes by name.

    Attributes:
        asked: all questions, in order.
    """

    def __init__(self, synced=(), slopes=None):
        self.synced, self.slopes = synced, slopes
        self.asked, self.rows = [], None

    def __call__(self, question):
        """Return the answer to a question."""
        self.asked.append(question)
        return getattr(self, question["do"])(question)

    def use_buffer(self, question):
        """Store the question's rows in the buffer; return drawn batches by field."""
        new, old = question["rows"], self.rows
        self.rows = {
            name: np.concatenate([old[name], new[name]]) if old else new[name]
            for name in FIELDS
        }
        rng = np.random.default_rng(question["seed"])
        shape = question["num_batches"], question["batch_size"]
        which = rng.integers(len(self.rows["action"]), size=shape)
        return {name: column[which] for name, column in self.rows.items()}

    def schedule(self, question):
        """Return 1 for each update after which θ_T becomes θ_Q, 0 for the others."""
        steps = question["first"] + np.arange(question["count"])
        return {"synced": np.isin(steps, self.synced).astype(np.int8)}

    def of(self, do):
        """Return all questions of one kind, without the key `do`.

        Args:
            do: the kind: "use_buffer" or "schedule".
        """
        return [
            {name: value for name, value in question.items() if name != "do"}
            for question in self.asked
            if question["do"] == do
        ]


@pytest.fixture
def make(agent):
    """Return a function that makes an agent for a small task.

    It takes the agent's `act`, a seed, `by_formula`, and the arguments of `Grader`. It
    returns the agent, the agent's fake updates and the fake grader.
    """
    small = {"block_steps": 8, "block_updates": BLOCK, "batch_size": B, "capacity": 50}
    settings = replace(agent.train.SETTINGS, period=3, validation_episodes=6, **small)

    def build(act=lambda *_: None, seed=1, by_formula=False, **answers):
        updates, grader = FakeUpdates(), Grader(**answers)
        theta = [np.arange(D * A, dtype=np.float32).reshape(D, A)]
        made = agent.BlindAgent(
            grader, updates, act, theta, seed, settings, A, by_formula=by_formula
        )
        return made, updates, grader

    return build


def observe(made, first=0, n=8):
    """Let an agent observe n transitions with rewards `first`, `first` + 1, and so on.

    The other fields follow from the reward.
    """
    number = np.arange(first, first + n)
    states = np.repeat(number[:, None], D, axis=1) / 10
    made.observe(states, number % 2, number, number % 3 == 0, states + 0.1)


def test_sync_is_asked_beforehand_and_in_order(make, agent, monkeypatch):
    """The answers of `sync_target` are asked before the updates, many in one question.

    θ_T becomes θ_Q after the updates for which the answer says so. The question holds
    no parameters.
    """
    monkeypatch.setattr(agent, "ASKED_AT_ONCE", 7)
    made, _, grader = make(synced=(2, 9))
    start, after = np.asarray(made.theta_Q), []
    for block in range(4):
        observe(made, 8 * block)
        made.learn()
        after.append(np.asarray(made.theta_T - start).max())
    assert after == [2, 9, 9, 9]
    asked = grader.of("schedule")
    assert asked == [{"first": first, "count": 7, "period": 3} for first in (1, 8, 15)]


def test_an_answer_that_is_neither(make, monkeypatch, agent):
    """If `sync_target` returns neither θ_Q nor θ_T, `Foul` ends learning."""
    made, _, grader = make()
    observe(made)
    monkeypatch.setattr(
        grader, "schedule", lambda q: {"synced": np.full(q["count"], 2, np.int8)}
    )
    with pytest.raises(Foul, match="neither theta_Q nor theta_T"):
        made.learn()


def test_the_buffer_sees_nothing_of_the_task(make):
    """The questions to the buffer do not depend on the observed transitions.

    Each question has the same number of tokens, whatever the number of transitions is.
    """
    asked = []
    for first in (0, 1000):
        made, _, grader = make()
        for block in range(3):
            observe(made, first + 8 * block, n=8 - block)
            made.learn()
        asked.append(grader.of("use_buffer"))
    assert [len(question["rows"]["action"]) for question in asked[0]] == [8, 8, 8]
    np.testing.assert_equal(*asked)


def test_updates_get_the_real_transitions(make):
    """The batches of the updates hold observed transitions, not the buffer's tokens."""
    made, updates, _ = make()
    observe(made, 0)
    made.learn()
    observe(made, 8, n=6)
    made.learn()
    batches = updates.batches[1]
    number = batches["reward"]
    assert number.shape == (BLOCK, B)
    assert set(number.ravel()) <= set(range(14))
    assert number.max() > 7
    np.testing.assert_array_equal(batches["terminated"], number % 3 == 0)
    np.testing.assert_array_equal(batches["action"], number % 2)
    np.testing.assert_allclose(batches["state"][..., 2], number / 10, 1e-5)
    np.testing.assert_allclose(batches["next_state"][..., 0], number / 10 + 0.1, 1e-5)


# ---------------------------------------------------------------- actions


def reading(args):
    """Return a dict with actions [N] that depend on the sizes of the values.

    Args:
        args: the arguments of `epsilon_greedy`, by name.
    """
    return {"actions": (jnp.abs(args["q_values"]).sum(axis=1) * 1000).astype(int) % A}


def greedy(args):
    """Return a dict with the greedy actions [N].

    Args:
        args: the arguments of `epsilon_greedy`, by name.
    """
    return {"actions": args["q_values"].argmax(axis=1)}


def by_epsilon(args):
    """Return a dict with actions [N], which are all 1 if ε is above ½, else all 0.

    Args:
        args: the arguments of `epsilon_greedy`, by name.
    """
    return {"actions": jnp.full(len(args["q_values"]), args["epsilon"] > 0.5, int)}


def actions(make, agent, program, scale=1.0, epsilon=0.0, shift=0.0):
    """Return an agent's actions in 20 random states, and the values of these states.

    Args:
        make: the fixture.
        agent: the fixture.
        program: the hand-in's `epsilon_greedy`.
        scale: factor of the random θ_Q.
        epsilon: ε.
        shift: a number that is added to θ_Q, which keeps the order of the values.
    """
    made, updates, _ = make(agent.make_act(FakeUpdates(), program))
    rng = np.random.default_rng(5)
    theta = rng.normal(size=D * A) * scale + shift
    made.theta_Q = theta.astype(np.float32)
    states = rng.normal(size=(20, D)).astype(np.float32)
    return made.act(states, epsilon), updates.q_values(made.theta_Q, states)


def test_only_the_order_of_the_values_counts(make, agent):
    """Values in the same order give the same actions, even if their sizes differ.

    This holds even for an `epsilon_greedy` that uses the sizes of the values.
    """
    first, q_values = actions(make, agent, reading)
    second, others = actions(make, agent, reading, scale=7.0, shift=0.5)
    assert (q_values.argmax(axis=1) == others.argmax(axis=1)).all()
    np.testing.assert_array_equal(first, second)
    assert set(first) == {0, 1}


def test_the_order_is_that_of_the_values(make, agent):
    """The greedy action is the arg max of the network's values.

    `epsilon_greedy` gets the real ε.
    """
    chosen, q_values = actions(make, agent, greedy)
    np.testing.assert_array_equal(chosen, q_values.argmax(axis=1))
    assert set(chosen) == {0, 1}
    assert set(actions(make, agent, by_epsilon, epsilon=0.9)[0]) == {1}
    assert set(actions(make, agent, by_epsilon, epsilon=0.1)[0]) == {0}


def test_equal_values_stay_equal(make, agent):
    """If two values of a state are equal, `epsilon_greedy` gets two equal values."""

    def equal(args):
        return {"actions": (args["q_values"][:, 0] == args["q_values"][:, 1]) * 1}

    assert set(actions(make, agent, equal, scale=0.0)[0]) == {1}
    assert set(actions(make, agent, equal)[0]) == {0}


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (np.zeros(3, int), r"gave shape \(3,\) for 2 states"),
        (np.array([0, 2]), "chose action 2"),
        (np.array([0.5, 0.5]), "chose action 0.5"),
    ],
)
def test_actions_that_there_are_not(make, returned, words):
    """A wrong number of actions, or an action other than 0 and 1, ends learning."""
    made, *_ = make(lambda *_: returned)
    with pytest.raises(Foul, match=words):
        made.act(np.zeros((2, D), np.float32), 0.1)


# ---------------------------------------------------------------- the hand-in's updates


def test_updates_that_deviate_end_learning(make, agent):
    """Some updates of each block are compared with the hand-in's `td_update`.

    If too many of these updates deviate, `Deviates` is raised.
    """
    made, updates, _ = make()
    for block in range(3):
        observe(made, 8 * block)
        made.learn()
    assert (
        made.compared == made.settings.block_updates + 2
    )  # every update of the short first block
    updates.distance = 2 * CLOSE
    observe(made, 100)
    made.learn()  # one deviation may come from a kink
    observe(made, 200)
    with pytest.raises(agent.Deviates):
        made.learn()


@pytest.mark.parametrize("distance", [2 * CLOSE, np.inf, np.nan])
def test_few_kinks_are_tolerated(make, agent, distance):
    """One deviating update among 50 is tolerated; the third among about 100 is not.

    A single update can deviate at a kink of the network, as from ReLU.
    """
    made, *_ = make()
    one_of_50 = np.where(np.arange(50) == 7, distance, CLOSE / 2)
    made.check(one_of_50)
    made.check(one_of_50)
    with pytest.raises(agent.Deviates):
        made.check(np.array([distance]))


def test_parameters_that_are_not_finite(make, agent):
    """If θ_Q is NaN by the grader's and the hand-in's update, `Foul` ends learning.

    If θ_Q is NaN by the grader's update only, `Deviates` is raised.
    """
    made, *_ = make()
    made.theta_Q = made.theta_Q * np.nan
    with pytest.raises(Foul, match="theta_Q became NaN or infinite"):
        made.check(np.full(5, np.nan))
    with pytest.raises(Foul, match="Q values became NaN or infinite"):
        made.q_values(np.ones((3, D), np.float32))
    made, *_ = make()
    made.theta_Q = made.theta_Q * np.nan
    with pytest.raises(agent.Deviates):  # only the grader's θ_Q is NaN
        made.check(np.full(5, 2 * CLOSE))


def test_learning_by_a_formula(make):
    """An agent that learns by a formula asks the grader for the slopes of each batch.

    The question holds the values of the batch by θ_Q and by θ_T. The update moves θ_Q
    along the slopes.
    """
    made, updates, grader = make(by_formula=True, synced=(2, 4))
    asked = []

    def slopes(question):
        asked.append(question)
        size = {"q_s": (B, A), "q_n": (B, A), "q_0": (1, A)}
        found = {name: np.zeros(shape) for name, shape in size.items()}
        found["q_0"][0, 0] = len(asked)
        return {**found, "loss": 10.0 * len(asked)}

    grader.slopes = slopes
    start = np.asarray(made.theta_Q)
    observe(made)
    assert made.learn() == 30.0
    moved = np.cumsum([1, 2, 3, 4, 5])
    np.testing.assert_allclose(made.theta_Q - start, moved[-1])
    np.testing.assert_allclose(made.theta_T - start, moved[3])
    assert len(asked) == BLOCK
    for i, question in enumerate(asked):
        number = question["reward"].astype(int)
        states = np.repeat(number[:, None], D, axis=1) / 10
        np.testing.assert_array_equal(question["terminated"], number % 3 == 0)
        theta_Q = start + (moved[i - 1] if i else 0)
        theta_T = start + (0, 0, moved[1], moved[1], moved[3])[i]
        found = updates.all_values(
            theta_Q, theta_T, {"state": states, "next_state": states + 0.1}
        )
        for name, value in found.items():
            np.testing.assert_allclose(question[name], value, 1e-4, err_msg=name)
