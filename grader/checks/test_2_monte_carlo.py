"""Exercise 2: Monte Carlo returns and the loss on them."""

import numpy as np
import pytest

from grader.checks.common import factor_between, loss_of, unchanged
from grader.contract import cases, compare, fixed_cases
from grader.contract.case import Answers, Case, Student
from grader.contract.outcomes import (
    NOT_IMPLEMENTED,
    NotImplementedYet,
    Raised,
    Stopped,
    Waiting,
    Wrong,
)
from grader.contract.stand_in import STAND_IN_WORDS, stand_in_returns

MAX_RETURN = 1e4  # with larger returns, float32 is too coarse to judge the loss
UNIT = 8.0  # about the size of the returns, so that float32 is precise enough
# The examples in the starter's docstrings.
RETURNS_EXAMPLE = Case(
    "discounted_returns", {"gamma": 0.5}, {"reward": np.array([1, 0, 2], np.float32)}
)
LOSS_EXAMPLE = Case(
    "mc_loss",
    {"net": "table", "state_dim": 1, "num_actions": 2, "gradient": True, "gamma": 0.5},
    {
        "theta_Q": [np.array([[1], [3]], np.float32)],
        "state": np.array([[1], [2]], np.float32),
        "action": np.array([1, 0], np.int32),
        "reward": np.array([0, 4], np.float32),
    },
)


@pytest.mark.points(1)
@pytest.mark.part("discounted_returns")
def test_one_step_returns(student, reference, for_each):
    """An episode of one step: its return is its reward."""
    for_each(
        fixed_cases.RETURNS_SHORT,
        lambda case: agree_on_returns(case, student, reference),
    )


@pytest.mark.points(2.5)
@pytest.mark.part("discounted_returns")
def test_returns(student, reference, for_each):
    """Each step's return: its reward, and later ones discounted by γ a step."""
    for_each(
        fixed_cases.RETURNS_LONG,
        lambda case: agree_on_returns(case, student, reference),
    )


@pytest.mark.points(0.5)
@pytest.mark.part("discounted_returns")
def test_returns_example(student):
    """The example in the docstring of `discounted_returns`."""
    obtained = student.called(RETURNS_EXAMPLE).array("returns")
    compare.require(compare.problem("G", obtained, np.array([1.5, 1, 2])))


@pytest.mark.points(0.5)
@pytest.mark.after("returns")
@pytest.mark.part("discounted_returns")
def test_returns_pure(student):
    """The rewards that came in keep their values.

    The part is called with NumPy and with JAX arrays.
    """
    unchanged(student, fixed_cases.RETURNS_LONG.fixed[0])


@pytest.mark.points(0.5)
@pytest.mark.part("mc_loss")
def test_one_step_loss(student, reference, for_each):
    """`mc_loss` of an episode of one step is (Q(s,a) - r)²."""
    for_each(
        fixed_cases.MC_ONE_STEP, lambda case: agree_on_loss(case, student, reference)
    )


@pytest.mark.points(2)
@pytest.mark.part("mc_loss")
def test_loss(student, reference, for_each):
    """`mc_loss` is the mean over the steps of (Q(s_i,a_i) - G_i)²."""
    for_each(
        fixed_cases.MC_EPISODE, lambda case: agree_on_loss(case, student, reference)
    )


@pytest.mark.points(0.5)
@pytest.mark.part("mc_loss")
def test_loss_example(student, reference):
    """The example in the docstring of `mc_loss`; no argument is changed.

    The example is asked as any other case. Then the part is called to see whether it
    changes arguments.
    """
    agree_on_loss(LOSS_EXAMPLE, student, reference)
    unchanged(student, LOSS_EXAMPLE)


@pytest.mark.points(2.5)
@pytest.mark.part("mc_loss")
def test_gradient(student, reference, for_each):
    """The gradient of `mc_loss` is right, up to a factor that L has.

    If the loss is f times an accepted loss, the gradient has to be f times the gradient
    of this accepted loss.
    """

    def body(case: Case) -> None:
        question, accepted, returns = judged_by(case, student, reference)
        answer = student.answer(question)
        loss, obtained = answer.array("loss"), answer.leaves("grads")
        found = []
        for right, grads in accepted:
            factor = factor_between(loss, np.asarray(right))
            multiple = [factor * leaf for leaf in grads]
            found.append(compare.leaves_problem("gradient", obtained, multiple))
        judge(found, case, returns)

    for_each(fixed_cases.MC_EPISODE, body)


def agree_on_returns(case: Case, student: Answers, reference: Answers) -> None:
    """Check that the hand-in's returns equal the reference's, up to the tolerance."""
    obtained = student.answer(case).array("returns")
    compare.require(
        compare.problem("G", obtained, reference.answer(case).array("returns")),
        f"with gamma = {compare.number(case.spec['gamma'])}",
        f"rewards = {compare.numbers(case.args['reward'])}",
    )


def agree_on_loss(case: Case, student: Student, reference: Answers) -> None:
    """Check that the hand-in's loss equals one of the right losses from `judged_by`."""
    question, accepted, returns = judged_by(case, student, reference)
    obtained = loss_of(student, question)  # another check judges the gradient
    found = [compare.problem("mc_loss", obtained, loss) for loss, _ in accepted]
    judge(found, case, returns)


def judge(found: list[str | None], case: Case, returns: str) -> None:
    """Check that the hand-in's answer agrees with one of the accepted answers.

    Args:
        found: for each accepted answer, in words how the hand-in's answer differs from
            it; None if it does not differ.
        case: the question, for the message.
        returns: the returns G of the first accepted answer, as a line of the message.

    Raises:
        Wrong: the hand-in's answer agrees with no accepted answer. The message shows
            the difference from the first accepted one.
    """
    if all(found):
        raise Wrong("\n".join([found[0] or "", describe(case), returns]))


# Each accepted loss [] with its gradient, a list of arrays shaped like theta_Q.
Accepted = list[tuple[np.ndarray, list[np.ndarray]]]
# The question for `mc_loss`, what to accept, and the returns G of the first accepted
# loss, as a line of the message.
Judged = tuple[Case, Accepted, str]


def judged_by(case: Case, student: Student, reference: Answers) -> Judged:
    """Return the question for `mc_loss`, and the losses and gradients to accept.

    `mc_loss` may call the hand-in's `discounted_returns`, or may compute the returns
    itself. So two losses are accepted: the loss for the returns that
    `discounted_returns` computes, and the loss for the right returns. If
    `discounted_returns` is a stub that `mc_loss` does not need, only the loss for the
    right returns is accepted.

    `mc_loss` may also undo a mistake of `discounted_returns`, such as a wrong shape or
    order: its loss is then the one for the right returns.

    Otherwise, a stand-in replaces the hand-in's `discounted_returns` in the question in
    each of these cases:

    - The function raises an exception, hangs, or ends its process.
    - The returns have a wrong shape, are not finite, or are larger than `MAX_RETURN`.
    - The returns are wrong, and `depend_on_rewards` is False for them.

    Raises:
        NotImplementedYet: mc_loss is a stub.
        Waiting: mc_loss needs discounted_returns, which is a stub.
    """
    gamma, rewards = case.spec["gamma"], case.args["reward"]
    question = Case("discounted_returns", {"gamma": gamma}, {"reward": rewards})
    right = reference.answer(question).array("returns")
    if question.part in student.stopped:  # it hung or died, and would do so again
        return standing_in(case, right, reference)
    own = None
    try:
        own = student.answer(question).array("returns")
        usable = own.shape == right.shape and bool((np.abs(own) < MAX_RETURN).all())
        if usable and compare.problem("", own, right):
            usable = depend_on_rewards(own, question, case, student)
    except NotImplementedYet:
        # If mc_loss answers, it computes the returns without discounted_returns.
        try:
            student.answer(case)
        except NotImplementedYet:
            raise
        except (Raised, Wrong, Stopped):
            words = f"waits for discounted_returns: {NOT_IMPLEMENTED}"
            raise Waiting(words) from None
        return case, losses_on([right], case, reference), line_of(right)
    except (Raised, Wrong, Stopped):
        usable = False
    if own is not None and usable:
        words = f"{line_of(own)}, from your discounted_returns"
        return case, losses_on([own, right], case, reference), words
    accepted = losses_on([right], case, reference)
    if own is not None and has_answer(student, case, *accepted[0]):
        return case, accepted, line_of(right)
    return standing_in(case, right, reference)


def depend_on_rewards(
    own: np.ndarray, question: Case, case: Case, student: Student
) -> bool:
    """Return whether wrong returns depend on the rewards, so that they can be used.

    On constant returns, a wrong loss could be right. The program of
    `discounted_returns` is asked, because a call could remember earlier questions. If
    there is no program, the returns are used only for a loss that does not call
    `discounted_returns`, for example one that shares a NumPy helper with it. For any
    other loss, a stand-in can replace the function.

    Args:
        own: the hand-in's returns [T], the answer to `question`.
        question: the question for `discounted_returns`.
        case: the question for `mc_loss`, with the same rewards.
        student: the hand-in.

    Raises:
        NotImplementedYet, Raised, Wrong, Stopped: the hand-in gives no answer.
    """
    other = question.replace(args={"reward": question.args["reward"] + 1})
    if student.is_called(question):
        replaced = case.replace(spec={"stand_in": True})
        if compare.problem("", loss_of(student, replaced), loss_of(student, case)):
            return False
        second = student.answer(other).array("returns")
    else:
        second = student.traced(other).array("returns")
    return bool(second.shape == own.shape and (second != own).any())


def line_of(returns: np.ndarray) -> str:
    """Return the returns G of an episode as a line of a message."""
    return f"G = {compare.numbers(returns)}"


def has_answer(
    student: Student, case: Case, loss: np.ndarray, grads: list[np.ndarray]
) -> bool:
    """Return whether the hand-in's loss and gradient equal given ones.

    The result is False if the hand-in gives no answer. The loss alone would say too
    little: it can be right by chance, as where all values of an episode are equal.
    """
    try:
        answer = student.answer(case)
        leaves = answer.leaves("grads")
        return not (
            compare.problem("", answer.array("loss"), loss)
            or compare.leaves_problem("", leaves, grads)
        )
    except (Raised, Wrong, Stopped):
        return False


def standing_in(case: Case, right: np.ndarray, reference: Answers) -> Judged:
    """Return a case with a stand-in for `discounted_returns`, and what to accept.

    Two losses, each with its gradient, are accepted: those for the returns of the
    stand-in, and those for the right returns, which `mc_loss` may compute itself.

    Args:
        case: the question for `mc_loss`.
        right: the right returns [T].
        reference: the reference.
    """
    replaced = stand_in_returns(case.args["reward"], case.spec["gamma"])
    accepted = losses_on([replaced, right], case, reference)
    question = Case(case.part, {**case.spec, "stand_in": True}, case.args)
    words = f"by {STAND_IN_WORDS}, in the place of your discounted_returns, which"
    lines = [line_of(replaced), f"{words} gave no usable returns"]
    return question, accepted, "\n".join(lines)


def losses_on(returns: list[np.ndarray], case: Case, reference: Answers) -> Accepted:
    """Return the right loss and gradient of `mc_loss` for each array of returns.

    The reference has no program for a loss with given returns G. But the TD loss of
    terminal transitions with the rewards G is the mean of (Q - G)², too. The reference
    is asked for T + 1 such losses and their gradients: once with G = 0, and for each
    step once with a G that is 0 at all other steps. The loss and the gradient for any
    other G are computed from these answers.

    Args:
        returns: arrays of returns, each [T].
        case: the question for `mc_loss`.
        reference: the reference.
    """
    num_steps = len(case.args["reward"])
    at_zero = terminal_loss(case, np.zeros(num_steps), reference)
    units = [terminal_loss(case, UNIT * unit, reference) for unit in np.eye(num_steps)]
    # Let q be the value Q(s, a) of one step. If G is UNIT at this step and 0 elsewhere,
    # then L(G) - L(0) = (UNIT² - 2 UNIT q) / T. This equation is solved for q.
    rises = np.array([loss - at_zero[0] for loss, _ in units])
    q_values = UNIT / 2 - num_steps * rises / (2 * UNIT)
    accepted = []
    for G in returns:
        shares = G.astype(np.float64) / UNIT
        grads = [
            base + sum(x * (u[1][i] - base) for x, u in zip(shares, units, strict=True))
            for i, base in enumerate(at_zero[1])
        ]
        accepted.append((np.mean((q_values - G) ** 2), grads))
    return accepted


def terminal_loss(
    case: Case, rewards: np.ndarray, reference: Answers
) -> tuple[float, list[np.ndarray]]:
    """Return the reference's TD loss and gradient on the steps of a case of `mc_loss`.

    Every step is treated as one into a terminal state. So its target is its reward.

    Args:
        case: the question for `mc_loss`.
        rewards: the rewards to use in place of the case's rewards [T].
        reference: the reference.
    """
    args = case.args
    td_args = {
        "theta_Q": args["theta_Q"],
        "theta_T": args["theta_Q"],
        "state": args["state"],
        "action": args["action"],
        "reward": rewards.astype(np.float32),
        "terminated": np.ones(len(rewards), bool),
        "next_state": args["state"],
    }
    spec = {**case.spec, "gradient": True}
    answer = reference.answer(Case("td_loss", spec, td_args))
    grads = [leaf.astype(np.float64) for leaf in answer.leaves("grads")]
    return float(answer.array("loss")), grads


def describe(case: Case) -> str:
    """Return a case's discount, rewards, actions and values Q(s_i, a_i) as text."""
    args = case.args
    taken = cases.taken_values(args)
    return "\n".join(
        [
            f"with gamma = {compare.number(case.spec['gamma'])}",
            f"rewards = {compare.numbers(args['reward'])}",
            f"actions = {compare.numbers(args['action'])}",
            f"Q(s_i, a_i; θ_Q) = {compare.numbers(taken)}",
        ]
    )
