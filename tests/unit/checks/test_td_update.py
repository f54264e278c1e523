"""The checks of `td_update` beside a wrong `td_loss`, with hand-ins that use NumPy."""

from types import SimpleNamespace

import numpy as np
import pytest

from grader.checks import test_7_td_update as checks
from grader.contract.case import Answer, Case
from grader.contract.outcomes import NotImplementedYet, Raised, Waiting, Wrong
from tests.support.failed_checks import failed
from tests.support.losses import td_loss

RATE, DECAY = 0.1, 0.5


def right(case):
    return td_loss(case)


def half(case):
    loss, grads = td_loss(case)
    return loss / 2, [leaf / 2 for leaf in grads]


def with_a_minus(case):
    return td_loss(case, np.subtract)


def stand_in(case):
    return td_loss(case, lambda r, future: -future)


def fails(case):
    raise Raised("ValueError: no number")


def pair(case):
    raise Wrong("td_loss returned a tuple")


def stub(case):
    raise NotImplementedYet("td_loss")


def moved(theta, state, grads):
    """Return the parameters and the state after a step of momentum."""
    state = [DECAY * m + g for m, g in zip(state, grads, strict=True)]
    return [p - RATE * m for p, m in zip(theta, state, strict=True)], state


def untrusted(request, what):
    """Return the answer of a runner to the request for one step."""
    given = (request[name] for name in ("theta", "opt_state", "grads"))
    return dict(zip(("theta_Q", "opt_state"), moved(*given), strict=True))


RUNNER = SimpleNamespace(
    trusted=lambda do, optimizer, theta: {"opt_state": [0 * p for p in theta]},
    untrusted=untrusted,
)


class HandIn:
    """A fake hand-in with a `td_loss` and a `td_update`.

    Args:
        td_loss: function of a case that returns the loss and its gradient.
        follows: function of a case and of `td_loss`, or its stand-in, that returns the
            loss and the gradient of the update.
        still: True for an update that returns θ_Q as it was.
    """

    def __init__(self, td_loss, follows, still=False):
        self.td_loss, self.follows, self.still = td_loss, follows, still
        self.stopped = set()

    def answer(self, case: Case) -> Answer:
        """Return the answer to a question to `td_loss` or `td_update`."""
        of_loss = stand_in if case.spec.get("stand_in") else self.td_loss
        if case.part == "td_loss":
            loss, grads = of_loss(case)
            return Answer(loss=np.array(loss), grads=grads)
        try:
            loss, grads = self.follows(case, of_loss)
        except NotImplementedYet:
            raise Waiting("waits for td_loss") from None
        theta, state = case.args["theta_Q"], case.args["opt_state"]
        after, state = moved(theta, state, grads)
        return Answer(
            theta_Q=theta if self.still else after,
            opt_state=state,
            loss=np.array(loss),
        )

    called = answer

    def export(self, case: Case) -> str:
        """Return the name of a program, if the part raises no exception."""
        self.answer(case)
        return "program"

    def changed(self, case: Case, kind: str) -> list:
        """Return no names: the arguments stay as they are."""
        return []


REFERENCE = HandIn(right, None)


def lost(student):
    """Return the names of the checks that a fake hand-in fails."""
    given = {"student": student, "reference": REFERENCE, "runner": RUNNER}
    return failed(checks, given)


def of_td_loss(case, of_loss):
    return of_loss(case)


def of_its_own(case, of_loss):
    return right(case)


def with_aux(case, of_loss):
    """Return the loss in the pair that td_loss returns; a number is no pair."""
    if of_loss is stand_in:
        raise Raised("TypeError: expected a pair")
    return right(case)


@pytest.mark.parametrize("of_loss", [right, half, with_a_minus, fails, pair])
@pytest.mark.parametrize("follows", [of_td_loss, of_its_own])
def test_a_wrong_td_loss_costs_nothing(of_loss, follows):
    """A right step passes beside any td_loss, called or written out again."""
    follows = with_aux if of_loss is pair and follows is of_td_loss else follows
    assert lost(HandIn(of_loss, follows)) == set()


def test_a_stub_costs_only_who_needs_it():
    """Beside a stub of td_loss, a step with the loss written out again passes."""
    assert lost(HandIn(stub, of_its_own)) == set()
    with pytest.raises(Waiting):
        lost(HandIn(stub, of_td_loss))


def test_a_right_td_loss_gives_no_second_try():
    """Beside a right td_loss, a step that is right only at times fails."""
    asked = []

    def at_times(case, of_loss):
        asked.append(case)
        return (right if len(asked) % 2 else with_a_minus)(case)

    assert "one_step" in lost(HandIn(right, at_times))


@pytest.mark.parametrize("of_loss", [right, half, fails])
@pytest.mark.parametrize(
    "wrong",
    [
        HandIn(None, lambda case, of_loss: with_a_minus(case)),
        HandIn(None, lambda case, of_loss: (0.0, [0 * g for g in right(case)[1]])),
        HandIn(None, of_td_loss, still=True),
        HandIn(None, of_its_own, still=True),
    ],
    ids=["another loss", "no gradient", "still", "its own loss, still"],
)
def test_a_wrong_step_fails(of_loss, wrong):
    """A step on another loss fails, and so does one that ignores the gradient."""
    names = lost(HandIn(of_loss, wrong.follows, wrong.still))
    assert names >= {"one_step", "state_survives", "any_optimizer"}
