"""Ask `td_update` for steps, and find mistakes that no formula of a step describes.

Such mistakes are: a call depends on earlier calls, arguments are deleted, an exception
is raised, or the steps follow the gradient of another loss.
"""

import contextlib
import re

import numpy as np

from grader.contract.case import Answer, Case, Student
from grader.contract.outcomes import Raised, Wrong
from grader.diagnosis.patterns.arrays import flat
from grader.diagnosis.patterns.step import words
from grader.diagnosis.patterns.step.computed import (
    SGD_RATE,
    AdamState,
    Draw,
    Vector,
    close,
    loss_and_gradients,
    network,
    question,
)
from grader.diagnosis.patterns.step.gradient import near
from grader.diagnosis.patterns.step.taken import Note, Seen, moves_from, multiple
from grader.diagnosis.reading import Difference, Reading

ASKED = "θ_Q moves by one step of the optimizer on ∇L(θ_Q, θ_T)"


def ask(student: Student, draws: list[Draw], optimizer: str) -> list[Seen]:
    """Ask `td_update` for one optimizer step in each question; return the answers.

    Args:
        student: the hand-in.
        draws: the questions, see `Draw`.
        optimizer: "sgd", "adam" or "clipped_adamw".

    Raises:
        Raised: the hand-in's code has raised an exception.
        Wrong: in an answer, θ_Q or opt_state has other shapes than in the question, the
            loss is not a single number, or a number is not finite.
    """
    asked = [question(draw, optimizer) for draw in draws]
    return [seen_in(student.answer(one), one) for one in asked]


def called(student: Student, draw: Draw, optimizer: str) -> Seen:
    """Ask `td_update` for one optimizer step without export, and return the answer.

    Args:
        student: the hand-in.
        draw: the question, see `Draw`.
        optimizer: "sgd", "adam" or "clipped_adamw".

    Raises:
        Raised: the hand-in's code has raised an exception.
        Wrong: θ_Q or opt_state has other shapes than in the question, the loss is not a
            single number, or a number is not finite.
    """
    asked = question(draw, optimizer)
    return seen_in(student.called(asked), asked)


def seen_in(answer: Answer, asked: Case) -> Seen:
    """Return an answer as a `Seen`: its parameters and Adam's state as vectors [P].

    Args:
        answer: the answer.
        asked: the question, in which θ_Q and opt_state have the right shapes.

    Raises:
        Wrong: θ_Q or opt_state has other shapes than in the question, the loss is not a
            single number, or a number is not finite.
    """
    theta, state = answer.leaves("theta_Q"), answer.leaves("opt_state")
    loss = answer.array("loss")
    for leaves, name in ((theta, "theta_Q"), (state, "opt_state")):
        if [x.shape for x in leaves] != [x.shape for x in asked.args[name]]:
            raise Wrong("other shapes")
    numbers = [*theta, *state, loss]
    if loss.shape or not all(
        x.dtype.kind in "iuf" and np.isfinite(x).all() for x in numbers
    ):
        raise Wrong("no finite numbers")
    if not state:
        return Seen(flat(theta), None, float(loss))
    count, *averages = state
    half = len(averages) // 2
    after = AdamState(int(count), flat(averages[:half]), flat(averages[half:]))
    return Seen(flat(theta), after, float(loss))


def remembered(student: Student, draws: list[Draw]) -> Reading | None:
    """Return a reading if a call depends on earlier calls, else None.

    The hand-in is imported anew and called three times: twice with the first question,
    then with the second. If one of these calls fails, the result is None.

    Args:
        student: the hand-in.
        draws: at least two questions, see `Draw`.
    """
    student = student.afresh()
    first, second = draws[:2]
    try:
        one, again = (called(student, first, "adam") for _ in range(2))
        other = called(student, second, "adam")
    except (Raised, Wrong):
        return None
    counts = [x.state.count for x in (one, again, other) if x.state]
    if counts == [1, 2, 3]:
        text = "in three calls Adam's count is 1, 2, 3, whatever opt_state is passed in"
        return Reading(text, ASKED, (words.GLOBAL_STATE,))
    move, then = (x.theta - first.theta_Q for x in (one, again))
    if not close(move, then, noise=1e-6):
        share = multiple([then], [move], [first])
        text = "asked the same twice, it moves θ_Q otherwise"
        if share is not None:
            text = f"asked the same twice, the second step is {share:.4g} times as long"
        return Reading(text, ASKED, (words.SIDE_EFFECTS,))
    stale = loss_and_gradients(first, second.theta_Q, first.theta_T, first.gamma)[0]
    if np.isclose(other.loss, stale, 1e-4):
        text = "in a second call, the step is on the batch and θ_T of the first call"
        return Reading(text, ASKED, (words.STALE,))
    return None


def on_other_loss(
    student: Student, draws: list[Draw], seen: list[Seen]
) -> Reading | None:
    """Return a reading if the "sgd" steps follow another loss's gradient, else None.

    The other loss must be a function of the values Q(s, ·; θ_Q). The right loss does
    not count, because `td_update` may write it out again. Nor does the hand-in's own
    `td_loss`: if the steps change when it replaces the stand-in, or follow its
    gradient, the result is None.

    Args:
        student: the hand-in.
        draws: the questions, see `Draw`.
        seen: answers with "sgd", one for each draw; they fit no gradient of the
            stand-in loss.

    Raises:
        Raised, Wrong: the hand-in's `td_loss` gives no valid answer.
    """
    grads = [-move / SGD_RATE for move in moves_from(draws, seen, "θ_Q")]
    if not all(map(pulls_at_values, draws, grads)):
        return None
    if all(map(close, grads, map(right_gradient, draws))):
        return None
    first = draws[0]
    asked = question(first, "sgd").replace(spec={"stand_in": False})
    without = seen_in(student.answer(asked), asked)
    if not near(first, -moves_from([first], [without], "θ_Q")[0] / SGD_RATE, grads[0]):
        return None  # it calls td_loss, perhaps on another batch
    own = []
    for draw in draws:
        answer = student.answer(draw.case.replace(spec={"stand_in": False}))
        own.append(flat(answer.leaves("grads")))
    if all(map(close, grads, own)):
        return None  # it is the hand-in's own td_loss, called by another name
    text = "θ_Q moves by a step on another loss than td_loss of θ_Q, θ_T and this batch"
    return Reading(text, ASKED, (words.OTHER_LOSS,))


def right_gradient(draw: Draw) -> Vector:
    """Return the gradient [P] by θ_Q of the loss that the homework asks for.

    Args:
        draw: the question, see `Draw`.
    """
    args = draw.case.args
    values, pull = network(draw, draw.theta_Q, args["state"])
    best = network(draw, draw.theta_T, args["next_state"])[0].max(axis=1)
    target = args["reward"] + draw.gamma * best * ~args["terminated"]
    taken = np.arange(len(values)), args["action"]
    slope = np.zeros_like(values)
    slope[taken] = 2 * (values[taken] - target) / len(values)
    return pull(slope)


def pulls_at_values(draw: Draw, gradient: Vector) -> bool:
    """Tell whether a vector can be the gradient of a loss on the values Q(s, ·; θ_Q).

    Args:
        draw: the question, which has θ_Q and the states.
        gradient: the vector [P]; a vector of zeros is no such gradient.
    """
    values, pull = network(draw, draw.theta_Q, draw.case.args["state"])
    units = np.eye(values.size).reshape(-1, *values.shape)
    basis = np.stack([pull(one) for one in units], axis=1)
    weights = np.linalg.lstsq(basis, gradient, rcond=None)[0]
    return bool(gradient.any()) and close(basis @ weights, gradient)


def deleting(student: Student, draw: Draw) -> Reading | None:
    """Return a reading if a step deletes arrays that the caller passed in, else None.

    Call this only if the steps are right, because the reading calls them right.

    Args:
        student: the hand-in.
        draw: the question, see `Draw`.
    """
    with contextlib.suppress(Raised, Wrong):
        if student.changed(question(draw, "adam"), "jax"):
            computes = "the right step; arrays that came in are deleted"
            return Reading(computes, ASKED, (words.DONATES,))
    return None


def untraced(student: Student, draw: Draw) -> str:
    """Export `td_update`; return the message of the exception, "" if the export works.

    Args:
        student: the hand-in.
        draw: the question, see `Draw`.
    """
    try:
        student.export(question(draw, "adam"))
    except Raised as error:
        return str(error)
    return ""


def refusals(messages: list[str]) -> list[Note]:
    """Return a note, in a list, on the most basic mistake that the messages show.

    Args:
        messages: messages of the hand-in's exceptions, and of `Wrong` for refused
            answers.

    Returns:
        A list with one pair: the mistake, and words for what the hand-in does. [] if no
        message has the pattern of a known mistake.
    """
    for pattern, text, difference in words.REFUSALS:
        for message in messages:
            if re.search(pattern, message):
                return [(difference, text)]
    return []


def own_optimizer(messages: dict[str, str]) -> Difference | None:
    """Return the mistake "the step fits one kind of optimizer only", or None.

    A question with "sgd" passes the state of SGD, which has no numbers. If the hand-in
    uses an optimizer of its own, such as Adam, or reads Adam's numbers itself, this
    state does not fit, and an exception is raised. The mistake is recognised by the
    message of this exception, which does not tell these two apart.

    Args:
        messages: messages of exceptions by the optimizer's name, or by "jit" if the
            export of `td_update` raised the exception.
    """
    if re.search(r"'EmptyState' object has no attribute", messages.get("sgd", "")):
        return words.OWN_OPTIMIZER
    return None
