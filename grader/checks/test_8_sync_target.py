"""Exercise 8: renewing the target network's parameters."""

import numpy as np
import pytest

from grader.checks.common import unchanged
from grader.contract import cases, compare
from grader.contract.case import Answers
from grader.contract.outcomes import NotImplementedYet, Raised, Wrong


@pytest.mark.points(1.5)
def test_syncs(student, rng):
    """When step is a multiple of period, step 0 too, θ_T becomes θ_Q."""
    for step, period in ((0, 3), (3, 3), (6, 3), (1000, 250), (7, 1), (0, 1)):
        agree(student, rng, step, period)
    agree(student, rng, 1, 3)  # fails a hand-in that always returns θ_Q


@pytest.mark.points(1.5)
def test_keeps(student, rng):
    """At all other steps θ_T stays as it was."""
    for step, period in ((1, 3), (2, 3), (4, 3), (3, 6), (999, 250), (1, 1000)):
        agree(student, rng, step, period)
    agree(student, rng, 3, 3)  # fails a hand-in that always returns θ_T


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
def test_schedule(student, rng):
    """Steps in any order: each is answered from its own number alone.

    The steps 0 to 12 are asked in random order, some of them twice, with period 4.
    """
    steps = rng.permutation(13)
    for step in [*steps.tolist(), *steps[:3].tolist()]:
        agree(student, rng, step, 4)


def agree(student: Answers, rng: np.random.Generator, step: int, period: int) -> None:
    """Check that the hand-in returns exactly θ_Q if a sync is due, else exactly θ_T.

    A sync is due if `step` is a multiple of `period`.

    Args:
        student: the hand-in.
        rng: generator from which θ_Q and θ_T are drawn.
        step: the number of gradient updates so far.
        period: the number of updates from one sync to the next.
    """
    theta_Q, theta_T = cases.probe(rng, 4, 2), cases.probe(rng, 4, 2)
    renew = step % period == 0
    told = "a multiple: θ_T becomes θ_Q" if renew else "no multiple: θ_T has to stay"
    where = f"at step = {step}, period = {period} ({told})"
    try:
        answer = student.answer(cases.sync(theta_Q, theta_T, step, period))
        obtained = answer.leaves("theta_T")
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
