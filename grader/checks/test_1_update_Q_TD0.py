"""Exercise 1: one TD(0) update of the table."""

import numpy as np
import pytest

from grader.checks.common import unchanged
from grader.contract import compare, fixed_cases
from grader.contract.case import Answers, Case
from grader.contract.outcomes import WAITS_FOR_ABOVE, Waiting, Wrong

SMALL = 1e-4  # a smaller factor can be a rounding error
STEP = ("states", "actions", "rewards", "next_states", "terminateds")
# The example in the starter's docstring. `EXAMPLE_Q` has its two answers: the key is
# the last flag, True if the episode ends in a terminal state, False if it is cut.
EXAMPLE = Case(
    "update_Q_TD0",
    {"alpha": 0.5, "gamma": 0.25},
    {
        "Q": np.array([[1, 2], [3, 4], [5, 6]], np.float32),
        "states": np.array([0, 1], np.int32),
        "actions": np.array([0, 1], np.int32),
        "rewards": np.array([1, 10], np.float32),
        "next_states": np.array([1, 2], np.int32),
        "terminateds": np.array([False, True]),
    },
)
EXAMPLE_Q = {True: [[1.5, 2], [3, 7], [5, 6]], False: [[1.5, 2], [3, 7.75], [5, 6]]}


@pytest.mark.points(2)
def test_one_step_continues(student, reference, for_each):
    """One step: the target of Q(s,a) is r + γ max Q(s′,·)."""
    for_each(
        fixed_cases.TD0_CONTINUES,
        lambda case: agree_on_targets(case, student, reference),
    )


@pytest.mark.points(2)
def test_one_step_ends(student, reference, for_each):
    """One step into a terminal state: the target is r alone."""
    for_each(
        fixed_cases.TD0_ENDS, lambda case: agree_on_targets(case, student, reference)
    )


@pytest.mark.points(2)
def test_episode_cut(student, reference, for_each):
    """Cut by the time limit: every step bootstraps, the last one too."""
    for_each(
        fixed_cases.TD0_CUT, lambda case: agree_on_targets(case, student, reference)
    )


@pytest.mark.points(2)
def test_episode_ends(student, reference, for_each):
    """Ended in a terminal state: only the last step has no future."""
    for_each(
        fixed_cases.TD0_EPISODE, lambda case: agree_on_targets(case, student, reference)
    )


@pytest.mark.points(4)
def test_step_size(student, reference, for_each):
    """Each visited Q(s,a) moves by -αη, and no other cell moves.

    η is Q(s,a) minus its target. The whole table has to equal the reference's.
    """
    for_each(fixed_cases.TD0_CUT, lambda case: agree(case, student, reference))


@pytest.mark.points(1)
def test_revisits(student, reference, for_each):
    """An episode that comes back to a state: no visit gets lost.

    Two tables are accepted. For one, all steps are updated at once from the old Q. For
    the other, they are updated one after the other.
    """

    def body(case: Case) -> None:
        obtained = student.answer(case).array("Q")
        at_once = reference.answer(case).array("Q")
        online = case.args["Q"]
        for t in range(len(case.args["states"])):
            step = {name: case.args[name][t : t + 1] for name in STEP}
            args = {**case.args, "Q": online, **step}
            online = reference.answer(Case(case.part, case.spec, args)).array("Q")
        found = compare.problem("Q", obtained, at_once)
        if found and compare.problem("Q", obtained, online):
            raise Wrong("\n".join([found, describe(case)]))

    for_each(fixed_cases.TD0_REVISITS, body)


@pytest.mark.points(0.5)
def test_example(student):
    """The examples in the docstring.

    The part is called, not exported. The expected tables are in the starter's
    docstring.
    """
    for ends, expected in EXAMPLE_Q.items():
        args = {**EXAMPLE.args, "terminateds": np.array([False, ends])}
        case = Case(EXAMPLE.part, EXAMPLE.spec, args)
        obtained = student.called(case).array("Q")
        compare.require(
            compare.problem("Q", obtained, np.array(expected)), describe(case)
        )


@pytest.mark.points(0.5)
@pytest.mark.after("one_step_continues", "episode_cut", "episode_ends")
def test_flags_as_numbers(student):
    """`terminateds` may be 0 and 1 of an integer or float type.

    The answer has to be the same as with booleans.
    """
    case = fixed_cases.TD0_EPISODE.fixed[0]
    expected = student.answer(case).array("Q")
    for name in ("uint8", "float32"):
        flags = case.args["terminateds"].astype(name)
        answer = student.answer(
            Case(case.part, case.spec, {**case.args, "terminateds": flags})
        )
        compare.require(
            compare.problem("Q", answer.array("Q"), expected),
            f"with terminateds of type {name}, expected as with bool",
        )


@pytest.mark.points(0.5)
@pytest.mark.after("one_step_continues", "episode_cut", "episode_ends")
def test_pure(student):
    """The Q that came in is not changed; same question, same answer.

    A case is called twice, with another case in between.
    """
    case, other = fixed_cases.TD0_EPISODE.fixed[:2]
    first = student.called(case).array("Q")
    student.called(other)
    compare.require(
        compare.problem("Q", student.called(case).array("Q"), first),
        "the second time that the same question was asked",
    )
    unchanged(student, case)


@pytest.mark.points(0.5)
@pytest.mark.part("episode_terminateds")
def test_episode_terminateds(student, passed):
    """`episode_terminateds` has T flags, true at the last step only.

    The starter supplies this function, so the check pays only if another check of the
    exercise has passed.
    """
    for num_steps in (1, 3, 4):
        case = Case("episode_terminateds", {"num_steps": num_steps}, {})
        flags = student.answer(case).array("terminateds")
        if flags.shape == (num_steps + 1,):
            raise Wrong(
                f"episode_terminateds({num_steps}) has {num_steps + 1} entries, "
                f"expected {num_steps}"
            )
        expected = np.arange(num_steps) == num_steps - 1
        compare.require(
            compare.problem("episode_terminateds", flags, expected, exact=True)
        )
    if not passed:  # no points yet, because the starter supplies this function
        raise Waiting(WAITS_FOR_ABOVE)


def agree(case: Case, student: Answers, reference: Answers) -> None:
    """Check that the hand-in's table Q equals the reference's, up to the tolerance."""
    compare.require(
        compare.problem(
            "Q", student.answer(case).array("Q"), reference.answer(case).array("Q")
        ),
        describe(case),
    )


def agree_on_targets(case: Case, student: Answers, reference: Answers) -> None:
    """Check that the hand-in moves Q toward the right targets, with any step size.

    The targets are right if the hand-in's table equals the reference's. They are also
    right if the hand-in changes every cell by the right change times one factor for all
    cells. The factor may be negative, but not 0. It means a wrong step size, which
    another check judges.

    Raises:
        Wrong: the targets are wrong.
    """
    obtained = student.answer(case).array("Q")
    expected = reference.answer(case).array("Q")
    problem = compare.problem("Q", obtained, expected)
    if problem and obtained.shape == expected.shape and np.isfinite(obtained).all():
        # If all rewards rise by one number, all targets rise by it. How much a cell
        # then rises shows by which factor the hand-in moves the cell toward its target.
        # The number is as large as the rewards, so that rounding does not hide it.
        rise = np.float32(max(1.0, np.abs(case.args["rewards"]).max()))
        higher = case.replace(args={"rewards": case.args["rewards"] + rise})
        rises = student.answer(higher).array("Q") - obtained
        right_rises = reference.answer(higher).array("Q") - expected
        factor = np.abs(rises).max() / max(np.abs(right_rises).max(), SMALL)
        multiples = [
            case.args["Q"] + one * (expected - case.args["Q"])
            for one in (factor, -factor)
            if factor > SMALL and not compare.problem("", rises, one * right_rises)
        ]
        if any(compare.problem("", obtained, Q) is None for Q in multiples):
            return
    compare.require(problem, describe(case))


def describe(case: Case) -> str:
    """Return a case's settings and steps as text of several lines, for a message.

    If at most three states are visited, their rows of Q are added. If there are more,
    the text has Q(s,a) and the greatest Q(s′,·) of each step instead.
    """
    Q, states, after = (case.args[name] for name in ("Q", "states", "next_states"))
    rows = sorted({*states.tolist(), *after.tolist()})
    alpha, gamma = (compare.number(case.spec[name]) for name in ("alpha", "gamma"))
    lines = [f"with alpha = {alpha}, gamma = {gamma}"]
    lines += [f"{name} = {compare.numbers(case.args[name])}" for name in STEP]
    if len(rows) <= 3:
        lines += [f"Q[{row}] = {compare.numbers(Q[row])}" for row in rows]
    else:
        taken = Q[states, case.args["actions"]]
        lines.append(f"Q(s, a) = {compare.numbers(taken)}")
        lines.append(f"max Q(s′, ·) = {compare.numbers(Q[after].max(axis=1))}")
    return "\n".join(lines)
