"""Exercise 2: Monte Carlo returns and the loss on them."""

import numpy as np
import pytest

from grader.checks.common import factor_between, loss_of, unchanged
from grader.contract import cases, compare, fixed_cases
from grader.contract.case import Answers, Case, Student
from grader.contract.outcomes import (
    NOT_IMPLEMENTED,
    NotImplementedYet,
    OutOfMemory,
    Raised,
    Stopped,
    Waiting,
    Wrong,
)
from grader.contract.stand_in import stand_in_returns
from grader.diagnosis.patterns.returns import in_shape

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
# Two questions for `mc_loss`, which differ in the rewards alone.
EPISODES = [
    LOSS_EXAMPLE.replace(args={"reward": np.array(rewards, np.float32)})
    for rewards in ([1.5, 0], [-4, 3])
]


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
        question, accepted = judged_by(case, student, reference)
        answer = student.answer(question)
        loss, obtained = answer.array("loss"), answer.leaves("grads")
        found = []
        for right, grads in accepted:
            factor = factor_between(loss, np.asarray(right))
            multiple = [factor * leaf for leaf in grads]
            found.append(compare.leaves_problem("gradient", obtained, multiple))
        judge(found, question)

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
    question, accepted = judged_by(case, student, reference)
    obtained = loss_of(student, question)  # another check judges the gradient
    found = [compare.problem("mc_loss", obtained, loss) for loss, _ in accepted]
    judge(found, question)


def judge(found: list[str | None], case: Case) -> None:
    """Check that the hand-in's answer agrees with one of the accepted answers.

    Args:
        found: for each accepted answer, in words how the hand-in's answer differs from
            it; None if it does not differ.
        case: the question, with the stand-in if there is one, for the message.

    Raises:
        Wrong: the hand-in's answer agrees with no accepted answer. The message shows
            the difference from the first accepted one.
    """
    if all(found):
        raise Wrong("\n".join([found[0] or "", describe(case)]))


# Each accepted loss [] with its gradient, a list of arrays shaped like theta_Q.
Accepted = list[tuple[np.ndarray, list[np.ndarray]]]


def judged_by(
    case: Case, student: Student, reference: Answers
) -> tuple[Case, Accepted]:
    """Return the question for `mc_loss`, and the losses and gradients to accept.

    If `discounted_returns` is right, or is a stub that `mc_loss` does not need, the
    question is the case, and the loss for the right returns is accepted.

    If it is wrong, a stand-in replaces it in the question, and the loss for the
    stand-in's returns is accepted: on wrong returns, which may all be equal, a wrong
    loss could be right. There are two exceptions, in which the question is the case:

    - `mc_loss` undoes the mistake, such as a wrong shape or order of the returns, or of
      the arguments. Its loss is then the one for the right returns, or for the wrong
      returns in the right shape.
    - `mc_loss` computes the returns itself, or needs what only the hand-in's
      `discounted_returns` returns, see `ignores_stand_in`. It may share a mistake with
      `discounted_returns`. So the loss for the wrong returns is accepted as well,
      unless `mc_loss` ignores the rewards.

    Raises:
        NotImplementedYet: mc_loss is a stub.
        Waiting: mc_loss needs discounted_returns, which is a stub.
    """
    gamma, rewards = case.spec["gamma"], case.args["reward"]
    question = Case("discounted_returns", {"gamma": gamma}, {"reward": rewards})
    right = reference.answer(question).array("returns")
    own, answers = None, question.part not in student.stopped
    try:
        if answers:  # else it would hang or die again
            own = student.answer(question).array("returns")
    except NotImplementedYet:
        require_answer(case, student)
        return case, losses_on([right], case, reference)
    except (OutOfMemory, Stopped):
        answers = False
    except (Raised, Wrong):
        pass  # mc_loss may still be able to use it
    if own is not None and not compare.problem("", own, right):
        return case, losses_on([own, right], case, reference)
    labels = [stand_in_returns(rewards, gamma), right, *in_steps(own, rewards)]
    accepted = losses_on(labels, case, reference)
    replaced = case.replace(spec={"stand_in": True})
    if not answers:
        return replaced, accepted[:2]
    # Wrong returns of the right shape are not undone, and neither is a single number:
    # they could hide a wrong loss.
    as_is = own is None or own.size == 1 or own.shape == right.shape
    undone = accepted[1:2] if as_is else accepted[1:]
    if not (
        any(has_answer(student, case, *one) for one in undone)
        or ignores_stand_in(student, case, replaced)
    ):
        return replaced, accepted[:2]
    if len(accepted) > 2 and not uses_rewards(student):
        accepted.pop()
    return case, accepted[1:]


def require_answer(case: Case, student: Student) -> None:
    """Check that `mc_loss` answers although `discounted_returns` is a stub.

    If it does, it computes the returns without `discounted_returns`.

    Raises:
        NotImplementedYet: mc_loss is a stub.
        Waiting: mc_loss gives no answer.
    """
    try:
        student.answer(case)
    except NotImplementedYet:
        raise
    except (Raised, Wrong, Stopped):
        words = f"waits for discounted_returns: {NOT_IMPLEMENTED}"
        raise Waiting(words) from None


def in_steps(own: np.ndarray | None, rewards: np.ndarray) -> list[np.ndarray]:
    """Return a list with the hand-in's returns, brought into the shape [T].

    Args:
        own: the hand-in's returns; None if there are none.
        rewards: the rewards [T].

    Returns:
        [] if the returns have another shape than `in_shape` knows, are not finite, or
        are larger than `MAX_RETURN`.
    """
    if own is None or own.dtype.kind not in "biuf":
        return []
    shaped, _ = in_shape([(0.0, rewards[None], own[None])])
    found = [asked.returns[0] for asked in shaped]
    return [G for G in found if (np.abs(G) < MAX_RETURN).all()]


def has_answer(
    student: Student, case: Case, loss: np.ndarray, grads: list[np.ndarray]
) -> bool:
    """Return whether the hand-in's loss and gradient are a multiple of given ones.

    The result is False if the hand-in gives no answer. The loss alone would say too
    little: it can be right by chance, as where all values of an episode are equal.
    """
    try:
        answer = student.answer(case)
        obtained, leaves = answer.array("loss"), answer.leaves("grads")
    except (Raised, Wrong, Stopped):
        return False
    shape = np.shape(loss)
    if compare.shape_problem("", obtained, shape) or not np.isfinite(obtained):
        return False
    factor = factor_between(obtained, np.asarray(loss))
    multiple = [factor * leaf for leaf in grads]
    return not (
        compare.problem("", obtained, np.asarray(factor * loss))
        or compare.leaves_problem("", leaves, multiple)
    )


def ignores_stand_in(student: Student, case: Case, replaced: Case) -> bool:
    """Return whether the stand-in for `discounted_returns` tells nothing of `mc_loss`.

    Either the loss stays the same, so that `mc_loss` computes the returns itself. Or
    the stand-in alone takes the loss away, as where `mc_loss` takes the first column of
    its returns.

    Args:
        student: the hand-in.
        case: the question for `mc_loss`.
        replaced: the same question with the stand-in.
    """
    try:
        own = loss_of(student, case)
    except (Raised, Wrong, Stopped):
        return False
    try:
        loss = loss_of(student, replaced)
    except (Raised, Wrong):
        return True
    return bool(np.isnan(loss).any()) or not compare.problem("", loss, own)


def uses_rewards(student: Student) -> bool:
    """Return whether `mc_loss` of a fixed episode changes with the rewards."""
    try:
        first, second = (loss_of(student, case) for case in EPISODES)
    except (Raised, Wrong, Stopped):
        return False
    return bool(compare.problem("", first, second))


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
    """Return a case's discount, rewards, actions and values Q(s_i, a_i) as text.

    If the case has a stand-in for `discounted_returns`, its returns are shown as well.
    """
    args, gamma = case.args, case.spec["gamma"]
    lines = [
        f"with gamma = {compare.number(gamma)}",
        f"rewards = {compare.numbers(args['reward'])}",
        f"actions = {compare.numbers(args['action'])}",
        f"Q(s_i, a_i; θ_Q) = {compare.numbers(cases.taken_values(args))}",
    ]
    if case.spec.get("stand_in"):
        made_up = compare.numbers(stand_in_returns(args["reward"], gamma))
        lines.append(f"G = {made_up}: made up, in place of your discounted_returns")
    return "\n".join(lines)
