"""Exercise 6: the temporal-difference loss."""

import numpy as np
import pytest

from grader import compare, ladders
from grader.checks.common import unchanged
from grader.outcomes import Raised
from grader.session import Answers, Case, Student

VALUES = ("one_continues", "batch_continues", "batch_mixed")
OUTPUT_BIAS = 3  # among the probe network's parameters


@pytest.mark.points(2.5)
def test_one_continues(student, reference, for_each):
    """One transition: (Q(s,a; θ_Q) - (r + γ max Q(s′,·; θ_T)))²."""
    for_each(ladders.TD_CONTINUES, lambda case: agree(case, student, reference))


@pytest.mark.points(2.5)
def test_one_ends(student, reference, for_each):
    """One transition into a terminal state: the target is r alone."""
    for_each(ladders.TD_ENDS, lambda case: agree(case, student, reference))


@pytest.mark.points(3)
def test_batch_continues(student, reference, for_each):
    """A batch without an end: the loss is the mean over its transitions."""
    for_each(ladders.TD_BATCH_CONTINUES, lambda case: agree(case, student, reference))


@pytest.mark.points(3)
def test_batch_mixed(student, reference, for_each):
    """A batch in which some end: each has the target of its own kind."""
    for_each(ladders.TD_MIXED, lambda case: agree(case, student, reference))


@pytest.mark.points(2)
def test_gradient_continues(student, reference, for_each):
    """The gradient with respect to θ_Q is right where no transition ends."""
    for_each(
        ladders.TD_BATCH_CONTINUES,
        lambda case: agree_on_gradient(case, student, reference),
    )


@pytest.mark.points(2)
def test_gradient_mixed(student, reference, for_each):
    """The gradient with respect to θ_Q is right where some transitions end."""
    for_each(ladders.TD_MIXED, lambda case: agree_on_gradient(case, student, reference))


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

    for_each(ladders.TD_MIXED, body, property=True)


@pytest.mark.points(0.5)
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

    for_each(ladders.TD_MIXED, body, property=True)


@pytest.mark.points(0.5)
@pytest.mark.after(*VALUES)
def test_flags_as_numbers(student):
    """`terminated` may be 0 and 1 of an integer or float type."""
    case = ladders.TD_MIXED.ladder[0]
    expected = loss_of(student, case)
    for name in ("uint8", "float32"):
        flags = case.args["terminated"].astype(name)
        other = Case(case.part, case.spec, {**case.args, "terminated": flags})
        compare.require(
            compare.problem("td_loss", loss_of(student, other), expected),
            f"with terminated of type {name}, expected as with bool",
        )


@pytest.mark.points(0.5)
@pytest.mark.after(*VALUES)
def test_pure(student):
    """The arguments that came in keep their values."""
    unchanged(student, ladders.TD_MIXED.ladder[0])


@pytest.mark.points(1)
@pytest.mark.after(*VALUES)
def test_works_under_jit(student):
    """It works under `jax.jit` and `jax.grad`."""
    student.export(ladders.TD_MIXED.ladder[0])


@pytest.mark.points(1.5)
def test_learning_sizes(student, reference, for_each):
    """Loss and gradient at the sizes of CartPole: B = 64, D = 4, A = 2."""

    def body(case: Case) -> None:
        agree(case, student, reference)
        agree_on_gradient(case, student, reference)

    for_each(ladders.TD_LEARNING, body)


def agree(case: Case, student: Student, reference: Answers) -> None:
    """The hand-in's loss is the reference's."""
    right = reference.answer(case)
    obtained = loss_of(student, case)
    compare.require(
        compare.problem("td_loss", obtained, right.array("loss")),
        told(case),
        target_read_off(case, student, right.leaves("grads")),
    )


def agree_on_gradient(case: Case, student: Student, reference: Answers) -> None:
    """The hand-in's gradient is the reference's."""
    compare.require(
        compare.leaves_problem(
            "gradient",
            student.answer(case).leaves("grads"),
            reference.answer(case).leaves("grads"),
        ),
        told(case),
    )


def loss_of(student: Student, case: Case) -> np.ndarray:
    """The hand-in's loss; where no gradient can be had, the value alone."""
    try:
        return student.answer(case).array("loss")
    except Raised:
        spec = {**case.spec, "gradient": False}
        return student.answer(Case(case.part, spec, case.args)).array("loss")


def target_read_off(case: Case, student: Student, right: list[np.ndarray]) -> str:
    """At B = 1 the gradient in the output bias b_a is 2 (q - y): so y = q - g / 2."""
    if len(case.args["action"]) != 1:
        return ""
    try:
        answer = student.answer(case)
    except Raised:
        return ""
    own = answer.leaves("grads")
    if compare.shape_problem("", answer.array("loss"), ()) or len(own) != len(right):
        return ""
    action = int(case.args["action"][0])
    if own[OUTPUT_BIAS].shape != right[OUTPUT_BIAS].shape:
        return ""
    more = float(right[OUTPUT_BIAS][action] - own[OUTPUT_BIAS][action]) / 2
    if not abs(more) > 1e-3:
        return ""
    word = "more" if more > 0 else "less"
    amount = compare.number(abs(more))
    return f"read off the gradient, your target is {amount} {word} than the right one"


def told(case: Case) -> str:
    """The question, without the network."""
    args = case.args
    if len(args["action"]) > 8:
        return ""
    names = ("action", "reward", "terminated")
    lines = [f"{name} = {compare.numbers(args[name])}" for name in names]
    return "\n".join([f"with gamma = {compare.number(args['gamma'])}", *lines])
