"""The checks of `sync_target`, with hand-ins that return one of two trees."""

from collections.abc import Callable

import numpy as np
import pytest

from grader.checks import test_8_sync_target as checks
from grader.contract.case import Answer, Case
from grader.contract.outcomes import Raised, Wrong

CHECKS = {
    "syncs": checks.test_syncs,
    "keeps": checks.test_keeps,
    "schedule": checks.test_schedule,
}
EACH = set(CHECKS)


class Sync:
    """A fake hand-in that renews θ_T at some steps.

    Args:
        renews: function (step, period) that returns whether θ_T is renewed.
        renewed: what the fake returns to renew θ_T: a key of `MADE`.
        kept: what the fake returns to keep θ_T: a key of `MADE`.
    """

    def __init__(
        self, renews: Callable, renewed: str = "theta_Q", kept: str = "theta_T"
    ) -> None:
        self.renews, self.renewed, self.kept = renews, renewed, kept

    def answer(self, case: Case) -> Answer:
        """Return θ_T of the next updates."""
        renews = self.renews(case.spec["step"], case.spec["period"])
        make = MADE[self.renewed if renews else self.kept]
        trees = case.args["theta_Q"], case.args["theta_T"]
        return Answer(theta_T=[make(q, t) for q, t in zip(*trees, strict=True)])


def fails(error: type[Exception]) -> Callable:
    """Return a function that raises an exception of this type."""

    def make(q: np.ndarray, t: np.ndarray) -> np.ndarray:
        raise error("no tree")

    return make


MADE = {
    "theta_Q": lambda q, t: q,
    "theta_T": lambda q, t: t,
    "mixture": lambda q, t: (q + t) / 2,
    "zeros": lambda q, t: 0 * q,
    "half": lambda q, t: q.astype(np.float16),
    "error": fails(Raised),
    "nothing": fails(Wrong),
}


def outcomes(student: Sync) -> tuple[set[str], set[str]]:
    """Run the checks in order; return the names of those that pass and that wait."""
    passed: set[str] = set()
    waiting: set[str] = set()
    for name, check in CHECKS.items():
        marks = {mark.name: mark.args for mark in check.pytestmark}
        if "after" in marks and passed.isdisjoint(marks["after"]):
            waiting.add(name)
            continue
        more = {"passed": set(passed)} if name == "schedule" else {}
        try:
            check(student=student, rng=np.random.default_rng(0), **more)
            passed.add(name)
        except (Wrong, Raised):
            pass
    return passed, waiting


def multiple(step: int, period: int) -> bool:
    """Tell whether θ_T has to be renewed."""
    return step % period == 0


@pytest.mark.parametrize(
    ("renewed", "kept", "lost"),
    [
        ("theta_Q", "theta_T", set()),
        ("error", "theta_T", {"syncs"}),
        ("mixture", "theta_T", {"syncs"}),
        ("zeros", "theta_T", {"syncs"}),
        ("half", "theta_T", {"syncs"}),
        ("theta_Q", "error", {"keeps"}),
        ("theta_Q", "nothing", {"keeps"}),
        ("theta_Q", "mixture", {"keeps"}),
    ],
)
def test_a_wrong_tree_costs_one_check(renewed, kept, lost):
    """A wrong tree at the multiples costs `syncs` alone, elsewhere `keeps` alone."""
    assert outcomes(Sync(multiple, renewed, kept)) == (EACH - lost, set())


@pytest.mark.parametrize(
    ("renews", "lost"),
    [
        (lambda s, p: s > 0 and s % p == 0, {"syncs"}),
        (lambda s, p: s == p, {"syncs"}),
        (lambda s, p: s == 0, {"syncs"}),
        (lambda s, p: s % 200 == 0, {"syncs"}),
        (lambda s, p: s > 0 and s % 200 == 0, {"syncs"}),
        (lambda s, p: s % 4 == 0 and s % p == 0, {"syncs"}),
        (lambda s, p: s % p == 0 or s % 5 == 0, {"schedule"}),
        (lambda s, p: s % p == 0 and s != 12, {"schedule"}),
    ],
)
def test_wrong_steps_cost_the_checks_that_ask_them(renews, lost):
    """A wrong rule that goes by step and period costs only checks of wrong answers."""
    assert outcomes(Sync(renews)) == (EACH - lost, set())


def divides(step: int, period: int) -> bool:
    """Tell whether the period is a multiple of the step, or raise an exception."""
    if step == 0:
        raise Raised("ZeroDivisionError")
    return period % step == 0


@pytest.mark.parametrize(
    "student",
    [
        Sync(lambda s, p: not multiple(s, p)),
        Sync(lambda s, p: s & (p - 1) == 0),
        Sync(lambda s, p: s % p == 1),
        Sync(divides),
    ],
    ids=["swapped trees", "powers of two", "one late", "swapped operands"],
)
def test_a_wholly_wrong_rule_does_not_pay(student):
    """A rule that is wrong at multiples and elsewhere has no schedule to judge."""
    assert outcomes(student) == (set(), {"schedule"})


@pytest.mark.parametrize(
    "tree", ["theta_Q", "theta_T", "mixture", "zeros", "error", "nothing"]
)
def test_a_constant_answer_does_not_pay(tree):
    """A hand-in that always returns the same passes no check."""
    assert outcomes(Sync(multiple, tree, tree)) == (set(), {"schedule"})


def test_an_answer_that_depends_on_earlier_calls():
    """A hand-in that counts its calls passes no check."""
    calls = []

    def counted(step: int, period: int) -> bool:
        calls.append(step)
        return (len(calls) - 1) % period == 0

    assert outcomes(Sync(counted)) == (set(), {"schedule"})


@pytest.mark.parametrize("broken", ["syncs", "keeps"])
def test_half_of_it_depends_on_earlier_calls(broken):
    """Code whose wrong half also depends on earlier calls loses `schedule`, too."""
    calls = []

    def counted(step: int, period: int) -> bool:
        calls.append(step)
        renews = multiple(step, period)
        return renews != (len(calls) % 3 == 0 and renews == (broken == "syncs"))

    assert outcomes(Sync(counted)) == (EACH - {broken, "schedule"}, set())
