"""Exercise 6: the temporal-difference loss."""

import numpy as np
import pytest

from grader.checks.common import factor_between, loss_of, unchanged
from grader.contract import cases, compare, fixed_cases
from grader.contract.case import Answers, Case, Student
from grader.contract.outcomes import Wrong
from grader.diagnosis.target_inference import targets_of

VALUES = ("one_continues", "batch_continues", "batch_mixed")
MAX_SHOWN = 8  # a message shows no numbers of a larger batch
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
    """One transition: its target is y = r + γ max Q(s′,·; θ_T)."""
    for_each(
        fixed_cases.TD_CONTINUES,
        lambda case: agree_on_targets(case, student, reference),
    )


@pytest.mark.points(2.5)
def test_one_ends(student, reference, for_each):
    """One transition into a terminal state: the target is r alone."""
    for_each(
        fixed_cases.TD_ENDS, lambda case: agree_on_targets(case, student, reference)
    )


@pytest.mark.points(2)
def test_batch_continues(student, reference, for_each):
    """A batch without an end: each transition has its own target."""
    for_each(
        fixed_cases.TD_BATCH_CONTINUES,
        lambda case: agree_on_targets(case, student, reference),
    )


@pytest.mark.points(2)
def test_batch_mixed(student, reference, for_each):
    """A batch in which some end: each has the target of its own kind."""
    for_each(
        fixed_cases.TD_MIXED, lambda case: agree_on_targets(case, student, reference)
    )


@pytest.mark.points(3)
def test_mean_of_squares(student, reference, for_each):
    """The loss is the mean over the batch of (Q(s,a; θ_Q) - y)²."""
    for_each(
        fixed_cases.TD_BATCH_CONTINUES, lambda case: agree(case, student, reference)
    )
    # With B = 5, division by `len(batch)`, the number of its fields, would be right by
    # chance.
    agree(fixed_cases.TD_LEARNING.fixed[0], student, reference)


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
    """No transition ends: ∇L(θ_Q) is right, up to a factor that L has.

    If the loss is f times the right loss, ∇L(θ_Q) has to be f times the right one.
    """
    for_each(
        fixed_cases.TD_BATCH_CONTINUES,
        lambda case: agree_on_gradient(case, student, reference),
    )


@pytest.mark.points(2)
def test_gradient_mixed(student, reference, for_each):
    """Some transitions end: ∇L(θ_Q) is right, up to a factor that L has.

    If the loss is f times the right loss, ∇L(θ_Q) has to be f times the right one.
    """
    for_each(
        fixed_cases.TD_MIXED, lambda case: agree_on_gradient(case, student, reference)
    )


@pytest.mark.points(0.5)
@pytest.mark.after(*VALUES)
def test_end_has_no_future(student, for_each):
    """What follows a terminal transition (s′) changes nothing.

    s′ of each terminal transition is changed, and the loss has to stay the same.
    """

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

    for_each(fixed_cases.TD_MIXED, body)


@pytest.mark.points(0.5)
@pytest.mark.after(*VALUES)
def test_flags_as_numbers(student):
    """`terminated` may be 0 and 1 of an integer or float type.

    The loss has to be the same as with booleans.
    """
    case = fixed_cases.TD_MIXED.fixed[0]
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
    """Check that the hand-in's loss equals the reference's, up to the tolerance."""
    expected = reference.answer(case).array("loss")
    compare.require(
        compare.problem("td_loss", loss_of(student, case), expected), describe(case)
    )


def agree_on_targets(case: Case, student: Student, reference: Answers) -> None:
    """Check that the hand-in's targets y equal the reference's targets.

    If the losses are equal, the targets are taken to be equal, too. If not, the case is
    asked again with a table in place of each network, and the targets are inferred from
    the answers. So a loss with a wrong factor can pass; another check judges the
    factor.

    Raises:
        Wrong: the losses differ, and the targets differ or cannot be inferred.
    """
    expected = reference.answer(case).array("loss")
    problem = compare.problem("td_loss", loss_of(student, case), expected)
    if problem:
        table = cases.on_table(case)
        own, right = targets_of(table, student), targets_of(table, reference)
        if own is None or right is None or compare.value_problem("", own, right):
            raise Wrong("\n".join([problem, describe(case)]))


def agree_on_gradient(case: Case, student: Student, reference: Answers) -> None:
    """Check that the hand-in's gradient is right, up to the factor of the loss.

    The gradient has to be f times the right gradient. The factor f is what
    `factor_between` returns for the hand-in's loss and the right loss.
    """
    answer, right = student.answer(case), reference.answer(case)
    factor = factor_between(answer.array("loss"), right.array("loss"))
    compare.require(
        compare.leaves_problem(
            "gradient",
            answer.leaves("grads"),
            [factor * leaf for leaf in right.leaves("grads")],
        ),
        describe(case),
    )


def describe(case: Case) -> str:
    """Return a case's discount, actions, rewards, flags and Q values as text.

    Returns:
        The text of several lines; only B and the discount if the batch has more than
        `MAX_SHOWN` transitions.
    """
    args = case.args
    sizes = (
        f"with B = {len(args['action'])}, gamma = {compare.number(case.spec['gamma'])}"
    )
    if len(args["action"]) > MAX_SHOWN:
        return sizes
    names = ("action", "reward", "terminated")
    lines = [f"{name} = {compare.numbers(args[name])}" for name in names]
    taken = cases.taken_values(args)
    best = cases.probe_values(args["theta_T"], args["next_state"]).max(axis=1)
    return "\n".join(
        [
            sizes,
            *lines,
            f"Q(s, a; θ_Q) = {compare.numbers(taken)}",
            f"max Q(s′, ·; θ_T) = {compare.numbers(best)}",
        ]
    )
