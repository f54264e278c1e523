"""Exercise 7: one optimizer step on the TD loss, judged by the hand-in's own td_loss.

The runner computes the expected step from the gradient of the hand-in's `td_loss`. So a
mistake in `td_loss` costs no points in this exercise. A step on the right loss is
accepted as well, because `td_update` may write the loss out again. If the hand-in's
`td_loss` cannot be used, the checks use a stand-in for it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from grader.checks.common import unchanged
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
from grader.oracle.candidate import RunnerInterface

State = list[np.ndarray]  # the arrays of an optimizer's state


@pytest.mark.points(1)
def test_one_step(student, reference, runner):
    """One step of gradient descent: θ_Q moves by -α times its gradient."""
    for case in fixed_cases.UPDATE.fixed:
        follow(case, "sgd", 1, student, reference, runner)


@pytest.mark.points(1.5)
def test_state_survives(student, reference, runner):
    """Adam's state is carried on from step to step."""
    follow(fixed_cases.UPDATE.fixed[0], "adam", 3, student, reference, runner)


@pytest.mark.points(1)
def test_any_optimizer(student, reference, runner):
    """A chain of clipping and AdamW, which also needs the parameters.

    After each of two steps, theta_Q and the optimizer's state have to be right.
    """
    follow(fixed_cases.UPDATE.fixed[1], "clipped_adamw", 2, student, reference, runner)


@pytest.mark.points(0.5)
def test_example(student, reference, runner):
    """The example in the docstring: two steps with momentum.

    The part is called, not exported.
    """
    follow(
        fixed_cases.UPDATE_EXAMPLE,
        "momentum",
        2,
        student,
        reference,
        runner,
        called=True,
    )


@pytest.mark.points(0.5)
@pytest.mark.after("one_step", "state_survives", "any_optimizer")
def test_loss_before_the_step(student, reference, runner):
    """The returned loss is the one before the step; no argument is changed.

    Whether td_update changes its arguments is asked with a stand-in for td_loss,
    because a td_loss that changes its own arguments loses points in exercise 6 already.
    """
    case = fixed_cases.UPDATE.fixed[0]
    state = first_state(case, "sgd", runner)

    def body(way: Way) -> None:
        obtained = student.answer(way.question("sgd", state)).array("loss")
        compare.require(compare.problem("td_update's loss", obtained, way.loss()))

    accept_one(ways(case, "sgd", state, student, reference), body)
    # Adam, because its state is an argument, too.
    stood = Way(case, reference, stand_in=True)
    unchanged(student, stood.question("adam", first_state(case, "adam", runner)))


@pytest.mark.points(0.5)
@pytest.mark.after("one_step", "state_survives", "any_optimizer")
def test_works_under_jit(student, reference, runner):
    """It works under `jax.jit`, model and optimizer closed over.

    The check exports td_update. If td_loss cannot be exported, a stand-in replaces it.
    """
    case = fixed_cases.UPDATE.fixed[0]
    state = first_state(case, "sgd", runner)
    accepted = ways(case, "sgd", state, student, reference)
    if not accepted[0].stand_in:
        try:
            student.export(case)
        except (Raised, Wrong):  # td_loss cannot be exported: exercise 6 judges this
            accepted.insert(0, Way(case, reference, stand_in=True))
    # Exported without a stand-in as well: td_update may not need td_loss, or needs what
    # only the hand-in's td_loss returns.
    accept_one(accepted, lambda way: student.export(way.question("sgd", state)))


@dataclass(frozen=True)
class Way:
    """A way to judge an update: how it is asked for, and which loss it has to follow.

    Attributes:
        case: the question for the loss that td_update has to follow.
        answers: who answers this question: the hand-in, for its own td_loss, or the
            reference, for the right loss or for that of the stand-in.
        stand_in: whether a stand-in replaces td_loss when td_update is asked.
    """

    case: Case
    answers: Answers
    stand_in: bool = False

    def question(self, optimizer: str, opt_state: State) -> Case:
        """Return the question for one update.

        Args:
            optimizer: the optimizer's name.
            opt_state: the optimizer's state before the step.
        """
        asked = cases.update(self.case, optimizer, opt_state)
        return asked.replace(spec={"stand_in": True}) if self.stand_in else asked

    def loss(self) -> np.ndarray:
        """Return the loss before the step."""
        return self.answers.answer(self.case).array("loss")

    def gradient(self) -> list[np.ndarray]:
        """Return the gradient of the loss, as arrays with the shapes of theta_Q."""
        return self.answers.answer(self.case).leaves("grads")


def accept_one(accepted: list[Way], body: Callable[[Way], object]) -> None:
    """Run a check's body with each way to judge an update, until it passes with one.

    Raises:
        Raised, Wrong: it passes with none; this is the exception with the first one.
    """
    errors = []
    for way in accepted:
        try:
            body(way)
            return
        except (Raised, Wrong) as error:
            errors.append(error)
    raise errors[0]


def follow(
    case: Case,
    optimizer: str,
    num_steps: int,
    student: Student,
    reference: Answers,
    runner: RunnerInterface,
    *,
    called: bool = False,
) -> None:
    """Check several updates; each starts from the right result of the previous one.

    Args:
        case: the first question for `td_loss`.
        optimizer: the optimizer's name.
        num_steps: how many updates to check.
        student: the hand-in.
        reference: the reference, which gives the right loss and that of the stand-in.
        runner: the runner, which computes the right results.
        called: whether `td_update` is called; False runs the exported program if
            possible.

    Raises:
        Wrong: theta_Q or opt_state is wrong after an update.
    """
    ask = student.called if called else student.answer
    first = first_state(case, optimizer, runner)

    def body(way: Way) -> None:
        state = first
        for i in range(num_steps):
            answer = ask(way.question(optimizer, state))
            # An untrusted request, because the gradient can come from the hand-in.
            request = {
                "do": "optimizer_step",
                "optimizer": optimizer,
                "theta": way.case.args["theta_Q"],
                "opt_state": state,
                "grads": way.gradient(),
            }
            expected = runner.untrusted(request, "a step on td_loss's gradient")
            for name in ("theta_Q", "opt_state"):
                compare.require(
                    compare.leaves_problem(
                        f"{name} after step {i + 1} with {optimizer}",
                        answer.leaves(name),
                        expected[name],
                    )
                )
            moved = way.case.replace(args={"theta_Q": expected["theta_Q"]})
            way, state = replace(way, case=moved), expected["opt_state"]

    accept_one(ways(case, optimizer, first, student, reference), body)


def first_state(case: Case, optimizer: str, runner: RunnerInterface) -> State:
    """Return an optimizer's state before the first step.

    Args:
        case: the question for `td_loss`, which has the parameters.
        optimizer: the optimizer's name.
        runner: the runner, which makes the state.
    """
    theta = case.args["theta_Q"]
    made = runner.trusted(do="optimizer_init", optimizer=optimizer, theta=theta)
    return made["opt_state"]


def ways(
    case: Case, optimizer: str, opt_state: State, student: Student, reference: Answers
) -> list[Way]:
    """Return the ways to judge td_update. It has to be right in one of them.

    1. It follows the hand-in's own td_loss, or a stand-in if `usable` rejects td_loss.
    2. It follows the right loss. Either it computes this loss itself, or it undoes the
       mistake of td_loss, for example by `has_aux` if td_loss returns a pair.

    If td_loss is right, both are the same, and only the first way is returned. If it is
    a stub that td_update does not need, only the second way is left.

    Args:
        case: the question for `td_loss`.
        optimizer: the optimizer's name.
        opt_state: the optimizer's state before the step.
        student: the hand-in.
        reference: the reference.

    Raises:
        NotImplementedYet: td_update is a stub.
        Waiting: td_update needs td_loss, which is a stub.
    """
    answered = False
    # If td_loss hung or died before, an update would do the same and cost time.
    if case.part not in student.stopped:
        try:
            student.answer(cases.update(case, optimizer, opt_state))
            answered = True
        except NotImplementedYet:
            raise
        except (Raised, Wrong, Stopped):
            pass  # the caller asks again and judges the answer
    right = Way(case, reference, stand_in=not answered)
    try:
        if case.part not in student.stopped and usable(case, student):
            own = Way(case, student)
            return [own] if same_loss(own, right) else [own, right]
    except Waiting:
        if not answered:
            raise
        return [right]
    stand_in = case.replace(spec={"stand_in": True})
    return [Way(stand_in, reference, stand_in=True), right]


def same_loss(one: Way, other: Way) -> bool:
    """Return whether two ways have the same loss and gradient, up to the tolerance."""
    return not (
        compare.problem("", one.loss(), other.loss())
        or compare.leaves_problem("", one.gradient(), other.gradient())
    )


def usable(case: Case, student: Student) -> bool:
    """Return whether an update with the hand-in's own td_loss can be judged.

    The loss has to be a finite scalar. The gradient has to be finite, with an entry
    above 0.1 or below -0.1. With a smaller gradient, an update that does nothing would
    seem right. If td_loss gives no answer or raises an exception, the result is False.

    Args:
        case: the question for `td_loss`.
        student: the hand-in.

    Raises:
        Waiting: td_loss is a stub.
    """
    try:
        answer = student.answer(case)
        loss, grads = answer.array("loss"), answer.leaves("grads")
    except NotImplementedYet:
        raise Waiting(f"waits for td_loss: {NOT_IMPLEMENTED}") from None
    except (Raised, Wrong, Stopped):
        return False
    finite = all(np.isfinite(x).all() for x in (loss, *grads))
    # If the gradient were almost 0, an update that does nothing would seem right.
    return (
        loss.shape == ()
        and finite
        and any(np.abs(x).max(initial=0) > 0.1 for x in grads)
    )
