"""The reader finds the mistakes of a `td_update` from its answers alone."""

from dataclasses import replace

import numpy as np
import pytest

from grader.contract.case import Answer, Case
from grader.diagnosis.patterns import update
from grader.diagnosis.patterns.step.computed import (
    BATCH_SIZE,
    AdamState,
    Draw,
    drawn,
    flat,
    loss_and_gradients,
    network,
    optimizer_step,
    question,
)
from grader.diagnosis.patterns.step.taken import Seen
from tests.support.losses import td_loss

RNG = np.random.default_rng(4)
DRAWS = [drawn(RNG, scale, size) for scale, size in update.SCALES]
B = BATCH_SIZE


def right(draw):
    return loss_and_gradients(draw, draw.theta_Q, draw.theta_T, draw.gamma)[1]


def swapped(draw):
    return loss_and_gradients(draw, draw.theta_T, draw.theta_Q, draw.gamma)[1]


def loss(draw, theta):
    return loss_and_gradients(draw, theta, draw.theta_T, draw.gamma)[0]


def short(vector):
    """Round the numbers to float32, and return them as float64."""
    return vector.astype(np.float32).astype(np.float64)


def answers(gradient=right, times=1.0, base="θ_Q", kept=False, fresh=False, after=0):
    """Return the answers of a fake `td_update` to the questions `DRAWS`.

    The result has a list of answers for each optimizer, by the optimizer's name.

    Args:
        gradient: function of a question that computes the gradient by θ_Q.
        times: a number by which the optimizer's updates are multiplied.
        base: the parameters to which the updates are added: "θ_Q", "θ_T" or "0".
        kept: True to return the optimizer's state as it was passed in.
        fresh: True to begin with a new state of the optimizer.
        after: 1 to compute the returned loss after the step, 0 for before.
    """
    made = {}
    for optimizer in update.OPTIMIZERS:
        made[optimizer] = []
        for draw in DRAWS:
            before = draw.fresh() if fresh else draw.state
            updates, state = optimizer_step(
                optimizer, before, gradient(draw), draw.theta_Q
            )
            start = {"θ_Q": draw.theta_Q, "θ_T": draw.theta_T, "0": 0 * updates}[base]
            theta = short(start + times * updates)
            state = draw.state if kept else state
            state = AdamState(state.count, short(state.mu), short(state.nu))
            told = loss(draw, theta if after else draw.theta_Q)
            state = None if optimizer == "sgd" else state
            made[optimizer].append(Seen(theta, state, told))
    return made


def read(**changes):
    """Return the reading's text and the mistakes' names; None without a reading.

    Args:
        changes: the arguments of `answers`.
    """
    found = update.explained(DRAWS, answers(**changes), {})
    return found and (found.computes, [one.name for one in found.differences])


def test_right_steps_get_no_reading():
    """For a right `td_update` there is no reading."""
    assert read() is None


@pytest.mark.parametrize(
    ("changes", "words", "names"),
    [
        ({"gradient": swapped}, "∇L(θ_T, θ_Q)", ["up-theta-swapped"]),
        ({"gradient": lambda d: -right(d)}, "-1 times", ["up-ascends"]),
        ({"gradient": lambda d: 0.3 * right(d)}, "0.3 times", ["up-scaled-gradient"]),
        ({"gradient": lambda d: right(d) / B}, "1/B times", ["up-divides-by-batch"]),
        ({"gradient": lambda d: right(d) * B}, "B times", ["up-sums-gradients"]),
        # The `len` of a batch is 5, the number of its fields.
        ({"gradient": lambda d: right(d) / 5}, "0.2 times", ["up-scaled-gradient"]),
        ({"gradient": lambda d: right(d) * 5}, "5 times", ["up-scaled-gradient"]),
        (
            {"gradient": lambda d: np.clip(right(d), -3, 3)},
            "beyond ±3 cut",
            ["up-clips-values"],
        ),
        (
            {"gradient": lambda d: right(d) / np.linalg.norm(right(d))},
            "brought to length 1",
            ["up-normalises"],
        ),
        (
            {"gradient": lambda d: right(d) + 0.002 * d.theta_Q},
            "+ 0.002 θ_Q",
            ["up-weight-decay"],
        ),
        ({"gradient": lambda d: np.sign(right(d))}, "the signs", ["up-signs"]),
        ({"times": -1.0}, "-1 times the optimizer's", ["up-subtracts-updates"]),
        ({"times": 2.0}, "2 times the optimizer's", ["up-applied-twice"]),
        ({"base": "θ_T"}, "starts from θ_T", ["up-steps-from-target"]),
        ({"base": "0"}, "returned as θ_Q", ["up-returns-updates"]),
        ({"kept": True}, "opt_state is returned as it was", ["up-old-state"]),
        ({"fresh": True}, "anew", ["up-opt-reinit"]),
        ({"after": 1}, "the new θ_Q", ["up-loss-after"]),
    ],
)
def test_one_mistake(changes, words, names):
    """A single mistake gets its name, and the reading describes the mistake."""
    computes, found = read(**changes)
    assert words in computes
    assert found == names


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"gradient": swapped, "kept": True}, ["up-theta-swapped", "up-old-state"]),
        ({"fresh": True, "times": -1.0}, ["up-opt-reinit", "up-subtracts-updates"]),
        ({"kept": True, "base": "0"}, ["up-old-state", "up-returns-updates"]),
        ({"times": 2.0, "after": 1}, ["up-applied-twice", "up-loss-after"]),
    ],
)
def test_two_mistakes_are_both_named(changes, names):
    """Two mistakes are both named if they concern different parts of the update.

    Such parts are the gradient, the optimizer's state, the new θ_Q and the returned
    loss.
    """
    assert read(**changes)[1] == names


def test_several_steps_in_one_call_are_counted():
    """If one call makes several optimizer steps, the reading shows how many.

    The number is the rise of the count in Adam's state.
    """
    made = answers()
    made["adam"] = [
        replace(one, state=replace(one.state, count=one.state.count + 63))
        for one in made["adam"]
    ]
    found = update.explained(DRAWS, made, {})
    assert "Adam's count rises by 64 in one call" in found.computes
    assert [one.name for one in found.differences] == ["up-two-steps"]


def test_numbers_that_fit_nothing_get_no_name():
    """If no formula fits the returned θ_Q, there is no reading."""
    assert read(gradient=lambda d: right(d) ** 3) is None


class Steps:
    """A fake hand-in whose `td_update` makes right steps on a gradient of its own.

    Args:
        gradient: function of a question and of the gradient of `td_loss`, itself a
            function of the question; it returns the gradient by θ_Q.
    """

    def __init__(self, gradient):
        self.gradient = gradient

    def answer(self, case: Case) -> Answer:
        """Return the answer to a question to `td_loss` or `td_update`."""
        draw = draw_of(case)
        of_loss = right if case.spec["stand_in"] else own_loss
        if case.part == "td_loss":
            return Answer(grads=draw.leaves(of_loss(draw)))
        grads = self.gradient(draw, of_loss)
        optimizer = case.spec["optimizer"]
        updates, after = optimizer_step(optimizer, draw.state, grads, draw.theta_Q)
        state = question(replace(draw, state=after), optimizer).args["opt_state"]
        return Answer(
            theta_Q=draw.leaves(draw.theta_Q + updates),
            opt_state=state,
            loss=np.array(loss(draw, draw.theta_Q), np.float32),
        )

    called = answer

    def afresh(self):
        """Return the fake itself, which remembers nothing."""
        return self

    def export(self, case: Case) -> str:
        """Return the name of a program; the export works."""
        return "program"

    def changed(self, case: Case, kind: str) -> list:
        """Return no names: the arguments stay as they are."""
        return []


def draw_of(case):
    """Return a case as a `Draw`, with Adam's state if the case has one."""
    thetas = (flat(case.args[name]) for name in ("theta_Q", "theta_T"))
    draw = Draw(case, *thetas, AdamState(0, np.zeros(0), np.zeros(0)))
    if not case.args.get("opt_state"):
        return draw
    count, *averages = case.args["opt_state"]
    mu, nu = flat(averages[:4]), flat(averages[4:])
    return replace(draw, state=AdamState(int(count), mu, nu))


def on_values(draw, label):
    """Return the gradient by θ_Q of the mean of (Q(s, ·; θ_Q) − label)²."""
    values, pull = network(draw, draw.theta_Q, draw.case.args["state"])
    return pull(2 * (values - label(draw)) / values.size)


def own_loss(draw):
    return on_values(draw, lambda draw: draw.case.args["reward"][:, None])


def written_out(draw):
    """Return the gradient by θ_Q of the loss that the homework asks for."""
    return flat(td_loss(draw.case)[1])


def with_clipped_rewards(draw):
    reward = np.clip(draw.case.args["reward"], -1, 1)
    return replace(draw, case=draw.case.replace(args={"reward": reward}))


@pytest.mark.parametrize(
    ("gradient", "names"),
    [
        (lambda draw, of_loss: of_loss(draw), None),
        (lambda draw, of_loss: on_values(draw, lambda draw: 0.5), ["up-other-loss"]),
        # The hand-in's own td_loss, by another name.
        (lambda draw, of_loss: own_loss(draw), None),
        # The right loss, written out again, beside a wrong td_loss.
        (lambda draw, of_loss: written_out(draw), None),
        (lambda draw, of_loss: written_out(draw) / 2, ["up-other-loss"]),
        # td_loss itself, on a changed batch.
        (lambda draw, of_loss: of_loss(with_clipped_rewards(draw)), None),
    ],
)
def test_steps_on_another_loss(gradient, names):
    """Only steps that do not depend on `td_loss` are steps on another loss.

    Steps on the right loss get no reading, nor do those on a changed batch's `td_loss`.
    """
    found = update.read(Steps(gradient), np.random.default_rng(1))
    assert (found and [one.name for one in found.differences]) == names


def test_a_missing_field_has_two_causes():
    """A step that reads fields of Adam's state may use the optimizer passed in.

    The exception does not show whether the step or another optimizer has read them.
    """
    text = "td_update: AttributeError: 'EmptyState' object has no attribute 'count'"
    found = update.explained(DRAWS, {}, {"sgd": text})
    assert [one.name for one in found.differences] == ["up-own-optimizer"]
    assert found.computes == "with optax.sgd the step fails"
    hint = found.differences[0].hint
    assert "reads a field" in hint
    assert "or hands the state to another optimizer" in hint


def test_error_messages_are_read():
    """If a part's error message fits only one known mistake, this mistake is named.

    For other error messages there is no reading.
    """
    text = "td_update's theta_Q is not the kind of tree that came in: it has 1 array"
    found = update.explained(DRAWS, {}, {"sgd": f"{text}, expected 4"})
    assert [one.name for one in found.differences] == ["up-loss-first"]
    assert update.explained(DRAWS, {}, {"sgd": "td_update: ValueError: no"}) is None


def test_gradients_are_those_of_the_loss():
    """The gradients by θ_Q and by θ_T agree with finite differences of the loss."""
    draw = DRAWS[0]
    _, first, second = loss_and_gradients(draw, draw.theta_Q, draw.theta_T, 0.7)
    for i in (0, 24, 32, 67):
        step = 1e-6 * np.eye(len(first))[i]
        for gradient, places in ((first, (1, 0)), (second, (0, 1))):
            ends = [
                loss_and_gradients(
                    draw,
                    draw.theta_Q + sign * places[0] * step,
                    draw.theta_T + sign * places[1] * step,
                    0.7,
                )[0]
                for sign in (1, -1)
            ]
            slope = (ends[0] - ends[1]) / 2e-6
            assert slope == pytest.approx(gradient[i], rel=1e-4, abs=1e-6)


def test_questions_carry_the_state():
    """A question with Adam holds a state of Adam after several steps.

    A question with SGD holds no state.
    """
    state = question(DRAWS[0], "adam").args["opt_state"]
    assert int(state[0]) == DRAWS[0].state.count
    assert np.allclose(flat(state[1:5]), DRAWS[0].state.mu)
    assert question(DRAWS[0], "sgd").args["opt_state"] == []
