"""Exercise 6: the temporal-difference loss."""

import numpy as np
import pytest

from grader.checks.common import unchanged
from grader.contract import cases, compare, fixed_cases
from grader.contract.case import Answers, Case, Student
from grader.contract.outcomes import Raised
from grader.diagnosis.target_inference import read_off

VALUES = ("one_continues", "batch_continues", "batch_mixed")
MAX_SHOWN = 8  # a message shows no batch with more transitions
EXAMPLE = Case(  # the example in the starter's docstring
    "td_loss",
    {"net": "table", "state_dim": 1, "num_actions": 2, "gradient": False, "gamma": 0.5},
    {
        "theta_Q": [np.array([[1], [3]], np.float32)],
        "theta_T": [np.array([[2], [4]], np.float32)],
        "state": np.array([[1], [2]], np.float32),
        "action": np.array([1, 0], np.int32),
        "reward": np.array([1, 5], np.float32),
        "terminated": np.array([False, True]),
        "next_state": np.array([[2], [2]], np.float32),
    },
)


@pytest.mark.points(2.5)
def test_one_continues(student, reference, for_each):
    """One transition: (Q(s,a; θ_Q) - (r + γ max Q(s′,·; θ_T)))²."""
    for_each(fixed_cases.TD_CONTINUES, lambda case: agree(case, student, reference))


@pytest.mark.points(2.5)
def test_one_ends(student, reference, for_each):
    """One transition into a terminal state: the target is r alone."""
    for_each(fixed_cases.TD_ENDS, lambda case: agree(case, student, reference))


@pytest.mark.points(3)
def test_batch_continues(student, reference, for_each):
    """A batch without an end: the loss is the mean over its transitions."""
    for_each(
        fixed_cases.TD_BATCH_CONTINUES, lambda case: agree(case, student, reference)
    )


@pytest.mark.points(2.5)
def test_batch_mixed(student, reference, for_each):
    """A batch in which some end: each has the target of its own kind."""
    for_each(fixed_cases.TD_MIXED, lambda case: agree(case, student, reference))


@pytest.mark.points(0.5)
def test_example(student):
    """The example in the docstring; no argument is changed."""
    obtained = student.called(EXAMPLE).array("loss")
    compare.require(
        compare.problem("td_loss", obtained, np.array(6.5)), describe(EXAMPLE)
    )
    unchanged(student, EXAMPLE)


@pytest.mark.points(2)
def test_gradient_continues(student, reference, for_each):
    """The gradient with respect to θ_Q is right where no transition ends."""
    for_each(
        fixed_cases.TD_BATCH_CONTINUES,
        lambda case: agree_on_gradient(case, student, reference),
    )


@pytest.mark.points(2)
def test_gradient_mixed(student, reference, for_each):
    """The gradient with respect to θ_Q is right where some transitions end."""
    for_each(
        fixed_cases.TD_MIXED, lambda case: agree_on_gradient(case, student, reference)
    )


@pytest.mark.points(1)
@pytest.mark.after(*VALUES)
def test_end_has_no_future(student, for_each):
    """What follows a terminal transition (s′) changes nothing."""

    def body(case: Case) -> None:
        ends = case.args["terminated"]
        next_state = case.args["next_state"].copy()
        next_state[ends] += 3.0
        other = Case(case.part, case.spec, {**case.args, "next_state": next_state})
        compare.require(
            compare.problem("td_loss", loss_of(student, other), loss_of(student, case)),
            "expected as before s′ of the terminal transitions was changed",
            f"terminated = {compare.numbers(ends)}",
        )

    for_each(fixed_cases.TD_MIXED, body)


@pytest.mark.points(1)
@pytest.mark.after(*VALUES)
def test_order(student, for_each):
    """The order of the transitions in the batch changes nothing."""

    def body(case: Case) -> None:
        order = np.array([3, 0, 4, 1, 2])
        fields = ("state", "action", "reward", "terminated", "next_state")
        shuffled = {name: case.args[name][order] for name in fields}
        other = Case(case.part, case.spec, {**case.args, **shuffled})
        compare.require(
            compare.problem("td_loss", loss_of(student, other), loss_of(student, case)),
            f"expected as before the batch was put in the order {order.tolist()}",
        )

    for_each(fixed_cases.TD_MIXED, body)


@pytest.mark.points(0.5)
@pytest.mark.after(*VALUES)
def test_flags_as_numbers(student):
    """`terminated` may be 0 and 1 of an integer or float type."""
    case = fixed_cases.TD_MIXED.fixed[0]
    expected = loss_of(student, case)
    for name in ("uint8", "float32"):
        flags = case.args["terminated"].astype(name)
        other = Case(case.part, case.spec, {**case.args, "terminated": flags})
        compare.require(
            compare.problem("td_loss", loss_of(student, other), expected),
            f"with terminated of type {name}, expected as with bool",
        )


@pytest.mark.points(1)
@pytest.mark.after(*VALUES)
def test_works_under_jit(student):
    """It works under `jax.jit` and `jax.grad`."""
    student.export(fixed_cases.TD_MIXED.fixed[0])


@pytest.mark.points(1.5)
def test_learning_sizes(student, reference, for_each):
    """Loss and gradient at the sizes of CartPole: B = 64, D = 4, A = 2."""

    def body(case: Case) -> None:
        agree(case, student, reference)
        agree_on_gradient(case, student, reference)

    for_each(fixed_cases.TD_LEARNING, body)


def agree(case: Case, student: Student, reference: Answers) -> None:
    """Check that the hand-in's loss equals the reference's loss."""
    expected = reference.answer(case).array("loss")
    problem = compare.problem("td_loss", loss_of(student, case), expected)
    if problem:  # not before, because the targets cost more questions
        targets = targets_read_off(case, student, reference)
        compare.require(problem, describe(case), targets)


def agree_on_gradient(case: Case, student: Student, reference: Answers) -> None:
    """Check that the hand-in's gradient equals the reference's gradient."""
    compare.require(
        compare.leaves_problem(
            "gradient",
            student.answer(case).leaves("grads"),
            reference.answer(case).leaves("grads"),
        ),
        describe(case),
    )


def loss_of(student: Student, case: Case) -> np.ndarray:
    """Return the hand-in's loss, even if its gradient cannot be computed."""
    try:
        return student.answer(case).array("loss")
    except Raised:
        spec = {**case.spec, "gradient": False}
        return student.answer(Case(case.part, spec, case.args)).array("loss")


def targets_read_off(case: Case, student: Student, reference: Answers) -> str:
    """Return the hand-in's targets y and the right targets in words.

    Returns:
        "" if the targets are equal or unknown, or the batch has more than `MAX_SHOWN`
        transitions.
    """
    if len(case.args["action"]) > MAX_SHOWN:
        return ""
    table = cases.on_table(case)
    own, right = read_off(table, student), read_off(table, reference)
    if not own or not right or own.targets is None or right.targets is None:
        return ""
    if not compare.value_problem("", own.targets, right.targets):
        return ""
    return (
        "the targets, read off your loss and its gradient:\n"
        f"obtained y = {targets_in_words(own.targets)}\n"
        f"expected y = {targets_in_words(right.targets)}"
    )


def targets_in_words(targets: np.ndarray) -> str:
    """Return targets [B] as text with four digits.

    More digits would be rounding errors, because targets are differences of float32
    numbers. For the same reason, targets near 0 are written as 0.
    """
    noise = np.abs(targets) < 1e-5 * np.abs(targets).max()
    shown = (f"{0.0 if n else y:.4g}" for y, n in zip(targets, noise, strict=True))
    return f"[{', '.join(shown)}]"


def describe(case: Case) -> str:
    """Return the case in a few lines of text, without the network's parameters.

    Returns:
        "" if the batch has more than `MAX_SHOWN` transitions.
    """
    args = case.args
    if len(args["action"]) > MAX_SHOWN:
        return ""
    names = ("action", "reward", "terminated")
    lines = [f"{name} = {compare.numbers(args[name])}" for name in names]
    taken = cases.taken_values(args)
    best = cases.probe_values(args["theta_T"], args["next_state"]).max(axis=1)
    return "\n".join(
        [
            f"with gamma = {compare.number(case.spec['gamma'])}",
            *lines,
            f"Q(s, a; θ_Q) = {compare.numbers(taken)}",
            f"max Q(s′, ·; θ_T) = {compare.numbers(best)}",
        ]
    )
