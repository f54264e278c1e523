"""Exercise 7: one optimizer step on the TD loss, judged by the hand-in's own td_loss.

The runner computes the expected step from the gradient of the hand-in's `td_loss`. So a
mistake in `td_loss` costs no points in this exercise. If the hand-in's `td_loss` cannot
be used, the checks use a stand-in for it.
"""

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
    case, question = first_step(fixed_cases.UPDATE.fixed[0], "sgd", student, runner)
    obtained = student.answer(question).array("loss")
    expected, _ = loss_and_gradient(case, student, reference)
    compare.require(compare.problem("td_update's loss", obtained, expected))
    # Adam, because its state is an argument, too. A stand-in for td_loss, because a
    # td_loss that changes its arguments loses points in exercise 6.
    _, question = first_step(fixed_cases.UPDATE.fixed[0], "adam", student, runner)
    unchanged(
        student,
        Case(question.part, {**question.spec, "stand_in": True}, question.args),
    )


@pytest.mark.points(0.5)
@pytest.mark.after("one_step", "state_survives", "any_optimizer")
def test_works_under_jit(student, runner):
    """It works under `jax.jit`, model and optimizer closed over.

    The check exports td_update. If td_loss cannot be exported, a stand-in replaces it.
    """
    case, question = first_step(fixed_cases.UPDATE.fixed[0], "sgd", student, runner)
    try:
        student.export(case)
    except (Raised, Wrong):  # td_loss cannot be exported: exercise 6 judges this
        spec = {**question.spec, "stand_in": True}
        question = Case(question.part, spec, question.args)
    student.export(question)


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
        reference: the reference, which gives the loss if a stand-in replaces td_loss.
        runner: the runner, which computes the right results.
        called: whether `td_update` is called; False runs the exported program if
            possible.

    Raises:
        Wrong: theta_Q or opt_state is wrong after an update.
    """
    case, question = first_step(case, optimizer, student, runner)
    for i in range(num_steps):
        answer = student.called(question) if called else student.answer(question)
        _, grads = loss_and_gradient(case, student, reference)
        # An untrusted request, because the gradient comes from the hand-in.
        request = {
            "do": "optimizer_step",
            "optimizer": optimizer,
            "theta": case.args["theta_Q"],
            "opt_state": question.args["opt_state"],
            "grads": grads,
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
        moved = {**case.args, "theta_Q": expected["theta_Q"]}
        case = Case(case.part, case.spec, moved)
        question = cases.update(case, optimizer, expected["opt_state"])


def first_step(
    case: Case, optimizer: str, student: Student, runner: RunnerInterface
) -> tuple[Case, Case]:
    """Return two cases: the first asks for the loss, the second for the first update.

    If `usable` rejects the hand-in's td_loss, both cases use a stand-in for td_loss.

    Args:
        case: the question for `td_loss`.
        optimizer: the optimizer's name.
        student: the hand-in.
        runner: the runner, which makes the optimizer's first state.

    Raises:
        NotImplementedYet: td_update is a stub.
        Waiting: td_loss is a stub.
    """
    theta = case.args["theta_Q"]
    fresh = runner.trusted(do="optimizer_init", optimizer=optimizer, theta=theta)
    question = cases.update(case, optimizer, fresh["opt_state"])
    # If td_loss hung or died before, an update would do the same and cost time.
    if case.part not in student.stopped:
        try:
            student.answer(question)
        except NotImplementedYet:
            raise
        except (Raised, Wrong, Stopped):
            pass  # the caller asks again and judges the answer
    if case.part in student.stopped or not usable(case, student):
        case = Case(case.part, {**case.spec, "stand_in": True}, case.args)
    return case, cases.update(case, optimizer, fresh["opt_state"])


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


def loss_and_gradient(
    case: Case, student: Student, reference: Answers
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the loss and the gradient of the hand-in's td_loss, or of the stand-in.

    If `case.spec["stand_in"]` is true, a stand-in replaces td_loss. The reference then
    gives the loss and the gradient.
    """
    answers = reference if case.spec.get("stand_in") else student
    answer = answers.answer(case)
    return answer.array("loss"), answer.leaves("grads")
