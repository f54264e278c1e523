"""Exercise 8: renewing the target network's parameters."""

import numpy as np
import pytest

from grader.checks.common import unchanged
from grader.contract import cases, compare
from grader.contract.case import Answers, Case
from grader.contract.outcomes import NotImplementedYet, Raised, Wrong

# Pairs (step, period).
MULTIPLES = ((0, 3), (3, 3), (6, 3), (1000, 250), (7, 1), (0, 1))
OTHERS = ((1, 3), (2, 3), (4, 3), (3, 6), (999, 250), (1, 1000))


@pytest.mark.points(1.5)
def test_syncs(student, rng):
    """When step is a multiple of period, step 0 too, θ_T becomes θ_Q.

    A hand-in that always returns θ_Q fails.
    """
    for step, period in MULTIPLES:
        agree(student, rng, step, period)
    if all(returned(student, rng, *pair) == "theta_Q" for pair in OTHERS):
        raise Wrong(
            "it always returned theta_Q, also where step is no multiple of period"
        )


@pytest.mark.points(1.5)
def test_keeps(student, rng):
    """At all other steps θ_T stays as it was.

    A hand-in that always returns θ_T fails.
    """
    for step, period in OTHERS:
        agree(student, rng, step, period)
    if all(returned(student, rng, *pair) == "theta_T" for pair in MULTIPLES):
        raise Wrong(
            "it always returned theta_T, even where step is a multiple of period"
        )


@pytest.mark.points(0.5)
@pytest.mark.after("syncs", "keeps")
def test_example(student):
    """The example in the docstring; no argument is deleted."""
    old, new = [np.array(-1, np.float32)], [np.array(7, np.float32)]
    for step in range(5):
        case = cases.sync(new, old, step, 2, net="number")
        expected = old if step % 2 else new
        compare.require(
            compare.leaves_problem(
                "theta_T", student.answer(case).leaves("theta_T"), expected, exact=True
            ),
            f"at step = {step}, period = 2, where each tree is a single number",
        )
        unchanged(student, case, ("jax",))


@pytest.mark.points(1.5)
@pytest.mark.after("syncs", "keeps")
def test_schedule(student, rng, passed):
    """Steps in any order: each is answered from its own number alone.

    The steps 0 to 12 are asked in random order, and then in another one, with period 4.
    The answers to multiples of 4 have to be right if the check `syncs` has passed, the
    others if `keeps` has. Where its check has failed, an answer has lost its points
    there, and has only to be the same both times.
    """
    first: dict[int, str] = {}
    for step in [*rng.permutation(13).tolist(), *rng.permutation(13).tolist()]:
        if ("keeps" if step % 4 else "syncs") in passed:
            agree(student, rng, step, 4)
            continue
        now = returned(student, rng, step, 4)
        before = first.setdefault(step, now)
        if now != before:
            raise Wrong(
                f"asked twice at step = {step}, period = 4: first {before}, then {now}"
            )


def agree(student: Answers, rng: np.random.Generator, step: int, period: int) -> None:
    """Check that the hand-in returns exactly θ_Q if a sync is due, else exactly θ_T.

    A sync is due if `step` is a multiple of `period`.

    Args:
        student: the hand-in.
        rng: generator from which θ_Q and θ_T are drawn.
        step: the number of gradient updates so far.
        period: the number of updates from one sync to the next.
    """
    theta_Q, theta_T, question = drawn(rng, step, period)
    renew = step % period == 0
    told = "a multiple: θ_T becomes θ_Q" if renew else "no multiple: θ_T has to stay"
    where = f"at step = {step}, period = {period} ({told})"
    try:
        obtained = student.answer(question).leaves("theta_T")
    except NotImplementedYet:
        raise
    except (Wrong, Raised) as problem:
        raise type(problem)(f"{problem}\n{where}") from None
    expected, other = (theta_Q, theta_T) if renew else (theta_T, theta_Q)
    found = compare.leaves_problem("theta_T", obtained, expected, exact=True)
    if found and not compare.leaves_problem("", obtained, other, exact=True):
        names = ("theta_T", "theta_Q") if renew else ("theta_Q", "theta_T")
        found = f"it returned {names[0]}, expected {names[1]}"
    compare.require(found, where)


def returned(student: Answers, rng: np.random.Generator, step: int, period: int) -> str:
    """Return which tree the hand-in returns: "theta_Q", "theta_T" or "neither".

    The result is also "neither" if the hand-in raises an exception, or if its answer is
    not valid.

    Args:
        student: the hand-in.
        rng: generator from which θ_Q and θ_T are drawn.
        step: the number of gradient updates so far.
        period: the number of updates from one sync to the next.
    """
    theta_Q, theta_T, question = drawn(rng, step, period)
    try:
        obtained = student.answer(question).leaves("theta_T")
    except (Wrong, Raised):
        return "neither"
    for name, tree in (("theta_Q", theta_Q), ("theta_T", theta_T)):
        if not compare.leaves_problem(name, obtained, tree, exact=True):
            return name
    return "neither"


def drawn(
    rng: np.random.Generator, step: int, period: int
) -> tuple[list[np.ndarray], list[np.ndarray], Case]:
    """Return random θ_Q and θ_T, and the question to `sync_target` with them."""
    theta_Q, theta_T = cases.probe(rng, 4, 2), cases.probe(rng, 4, 2)
    return theta_Q, theta_T, cases.sync(theta_Q, theta_T, step, period)
