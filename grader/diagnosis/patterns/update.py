"""Find the pattern of `td_update`: which multiple of which gradient moves θ_Q.

Each question replaces `td_loss` by the grader's stand-in, so mistakes in the hand-in's
`td_loss` have no effect. Each step is asked with three optimizers:

- "sgd" is plain gradient descent. Its step shows the gradient.
- "adam" returns a state. This state shows the gradient that the optimizer got, and the
  state from which the optimizer started.
- "clipped_adamw" has weight decay. Its step shows the parameters that the optimizer
  got.
"""

import numpy as np

from grader.contract.case import Student
from grader.contract.outcomes import NotImplementedYet, Raised, Wrong
from grader.diagnosis.patterns.step import faults, words
from grader.diagnosis.patterns.step.computed import (
    BATCH_SIZE,
    Draw,
    Vector,
    close,
    drawn,
    loss_and_gradients,
    optimizer_step,
)
from grader.diagnosis.patterns.step.faults import ASKED
from grader.diagnosis.patterns.step.gradient import Gradient
from grader.diagnosis.patterns.step.several import MOST, several_steps
from grader.diagnosis.patterns.step.taken import (
    ByAdam,
    Note,
    Seen,
    Step,
    base_vector,
    by_adam,
    notes_of,
    notes_of_step,
    plain_step,
)
from grader.diagnosis.reading import Difference, Reading, headed, in_columns

# Factors of the rewards and of the parameters. Rewards times 100 show whether gradients
# are clipped; rewards times 0.01 show whether short gradients are made longer.
SCALES = ((1.0, 1.0), (1.0, 1.0), (100.0, 1.0), (100.0, 1.0), (0.01, 0.05))
OPTIMIZERS = ("sgd", "adam", "clipped_adamw")

Answers = dict[str, list[Seen]]  # by optimizer, one answer for each draw


def read(student: Student, rng: np.random.Generator) -> Reading | None:
    """Return the reading of `td_update`; None if it is right or nothing fits.

    Args:
        student: the hand-in.
        rng: draws batches, parameters and states of the optimizer.

    Raises:
        NotImplementedYet: the part is a stub.
        Raised, Wrong: the hand-in's `td_loss` gives no valid answer. It is asked only
            if the steps with "sgd" fit no known gradient.
    """
    draws = [drawn(rng, scale, size) for scale, size in SCALES]
    answers: Answers = {}
    refused: dict[str, str] = {}
    for optimizer in OPTIMIZERS:
        try:
            answers[optimizer] = faults.ask(student, draws, optimizer)
        except NotImplementedYet:
            raise
        except (Raised, Wrong) as error:
            refused[optimizer] = str(error)
    if answers and (reason := faults.untraced(student, draws[0])):
        refused["jit"] = reason
    found = explained(draws, answers, refused)
    named = {one.name for one in found.differences} if found else set()
    # A step that changes from call to call can look like a wrong factor.
    unsure = not named or named & {words.SCALED_STEP.name, words.FACTOR.name}
    if unsure and (kept := faults.remembered(student, draws)):
        return kept
    if found:
        return found
    if "sgd" in answers and plain_step(draws, answers["sgd"]) is None:
        return faults.on_other_loss(student, draws, answers["sgd"])
    return None if refused else faults.deleting(student, draws[0])


def explained(
    draws: list[Draw], answers: Answers, refused: dict[str, str]
) -> Reading | None:
    """Return the reading of the answers; None if all are right or nothing fits.

    Args:
        draws: the questions, see `Draw`.
        answers: for each optimizer that did not fail, one answer for each draw.
        refused: messages of exceptions, by the name of the optimizer that failed; the
            message of a failed export is under "jit".
    """
    gradient, notes, middle = read_steps(draws, answers)
    if own := faults.own_optimizer(refused):
        scaled = (words.SCALED_STEP, words.APPLIED_TWICE)
        notes = [note for note in notes if note[0] not in scaled]
        notes.append((own, "with optax.sgd the step fails"))
    for seen in answers.values():
        if gradient and (note := note_of_loss(draws, seen, gradient, middle)):
            notes.append(note)
            break
    notes += [
        note
        for note in faults.refusals(list(refused.values()))
        if note[0] not in [one for one, _ in notes]
    ]
    return reading(gradient, notes, draws, answers)


Found = tuple[Gradient | None, list[Note], list[Vector] | None]


def read_steps(draws: list[Draw], answers: Answers) -> Found:
    """Return the formula of the gradient, and notes on all other mistakes of the step.

    A note is a mistake and the words that say what the code does.

    Args:
        draws: the questions, see `Draw`.
        answers: for each optimizer that did not fail, one answer for each draw.

    Returns:
        A triple (formula, notes, middle). The formula is None if unknown. If a call
        makes several steps and their formulas are found, `middle` is θ_Q before the
        last step: a vector [P] for each draw. Otherwise `middle` is None.
    """
    plain = plain_step(draws, answers["sgd"]) if "sgd" in answers else None
    if "adam" in answers:
        found = by_adam(draws, answers["adam"], plain[1] if plain else None)
        if found is None:
            return several(draws, answers)
        gradient = found.gradient or (plain[1] if plain else None)
        notes = notes_of(found)
        if "clipped_adamw" in answers and gradient:
            notes += notes_of_params(draws, answers["clipped_adamw"], found, gradient)
        if found.step is None:
            gradient = None
        return gradient, notes, None
    if plain:
        step = Step(plain[0], "updates" if plain[1] else "nothing", 1.0)
        return plain[1], notes_of_step(step), None
    return None, [], None


def several(draws: list[Draw], answers: Answers) -> Found:
    """Return the formula of the gradient, and notes, for a call of several steps.

    The number of steps is the rise of Adam's count, or the returned count if Adam
    starts anew in each call. A note is a mistake and the words that say what the code
    does.

    Args:
        draws: the questions, see `Draw`.
        answers: for each optimizer that did not fail, one answer for each draw; "adam"
            is among them.

    Returns:
        A triple (formula, notes, middle), where `middle` is θ_Q before the last step: a
        vector [P] for each draw. If the number of steps is below 2 or not the same for
        all draws, the triple is (None, [], None). If only this number is found, but not
        what the steps are, the triple is (None, notes, None).
    """
    rises = {
        one.state.count - draw.state.count
        for draw, one in zip(draws, answers["adam"], strict=True)
        if one.state
    }
    rise = rises.pop() if len(rises) == 1 else 0
    started_anew = rise < 0 and rise + draws[0].state.count > 1
    count = rise + draws[0].state.count if started_anew else rise
    if count < 2:
        return None, [], None
    notes: list[Note] = [
        (words.TWO_STEPS, f"Adam's count rises by {count} in one call")
    ]
    if started_anew:
        text = f"Adam's count is {count} after a call, whatever it was before"
        notes = [(words.TWO_STEPS, text), (words.REINIT, "Adam starts anew")]
    if "sgd" not in answers or count > MOST:
        return None, notes, None
    if found := several_steps(draws, answers["sgd"], count):
        return found.gradient, [*found.notes, *notes], found.middle
    return None, notes, None


def notes_of_params(
    draws: list[Draw], seen: list[Seen], found: ByAdam, gradient: Gradient
) -> list[Note]:
    """Return a list with one note if AdamW's weight decay uses θ_T or zeros, not θ_Q.

    A note is a mistake and the words that say what the code does.

    Args:
        draws: the questions, see `Draw`.
        seen: answers with "clipped_adamw", one for each draw.
        found: what the answers with "adam" show.
        gradient: formula of the gradient of the step.

    Returns:
        [] if the weight decay uses θ_Q, or if nothing fits.
    """
    step = found.step
    if step is None or step.of != "updates":
        return []
    for name in ("θ_Q", "θ_T", "0"):
        fits = True
        for draw, one in zip(draws, seen, strict=True):
            state = draw.fresh() if found.fresh else draw.state
            params = base_vector(draw, name)
            grads = gradient.of(draw)
            updates, _ = optimizer_step("clipped_adamw", state, grads, params)
            noise = 3e-7 * float(np.abs(draw.theta_Q).max())
            move = one.theta - base_vector(draw, step.base)
            fits &= close(move, step.times * updates, noise=noise)
        if fits:
            if name == "θ_Q":
                return []
            other = words.PARAMS_TARGET if name == "θ_T" else words.OTHER_PARAMS
            return [(other, f"AdamW decays by {name} in the place of θ_Q")]
    return []


# ---------------------------------------------------------------- the loss


def note_of_loss(
    draws: list[Draw],
    seen: list[Seen],
    gradient: Gradient,
    middle: list[Vector] | None,
) -> Note | None:
    """Return a note if the returned loss is wrong in a known way, else None.

    A note is a mistake and the words that say what the code does.

    Args:
        draws: the questions, see `Draw`.
        seen: answers with one optimizer, one for each draw.
        gradient: formula of the gradient of the step.
        middle: θ_Q before the last step if a call makes several steps, a vector [P] for
            each draw; None for one step.
    """
    losses = np.array([one.loss for one in seen])
    after = [one.theta for one in seen]
    second = gradient.kind.places[1]

    def value(places: tuple[str, str], gamma: float | None) -> np.ndarray:
        found = []
        for i, draw in enumerate(draws):
            theta = {"Q": draw.theta_Q, "T": draw.theta_T, "after": after[i]}
            if middle:
                theta["between"] = middle[i]
            rate = draw.gamma if gamma is None else gamma
            first, last = (theta[place] for place in places)
            found.append(loss_and_gradients(draw, first, last, rate)[0])
        return np.array(found)

    def fits(values: np.ndarray) -> bool:
        return bool(np.allclose(losses, values, rtol=3e-4, atol=0))

    own = gradient.gamma
    kind = gradient.kind
    expected = np.array([kind.loss(d, d.gamma if own is None else own) for d in draws])
    penalty = np.array([gradient.decay * (d.theta_Q @ d.theta_Q) / 2 for d in draws])
    right = [expected, expected + penalty, value(("Q", "T"), None)]
    if any(map(fits, [*right, value(("Q", "T"), own)])):
        return None
    for gamma in (None, own):
        if middle and fits(value(("between", "T"), gamma)):
            return words.LOSS_AFTER, "the loss is that of θ_Q after the first step"
        if any(fits(value(("after", other), gamma)) for other in ("T", second)):
            return words.LOSS_AFTER, "the loss is that of the new θ_Q"
        if fits(value(("T", "T"), gamma)):
            return words.LOSS_OF_TARGET, "the loss is L(θ_T, θ_T)"
        for first in ("Q", "T"):
            if fits(value((first, "Q"), gamma)):
                return words.OTHER_PLACES, f"the loss is L(θ_{first}, θ_Q)"
    factor = float(losses[0] / expected[0])
    if abs(factor) > 1e-6 and fits(factor * expected):
        return words.LOSS_SCALED, f"the loss is {factor:.4g} times the right one"
    return None


# ---------------------------------------------------------------- the sentence


def factor_difference(factor: float) -> Difference | None:
    """Return the mistake behind a constant factor of the gradient.

    Args:
        factor: the factor.

    Returns:
        None for the factor 1. The factors -1, B and 1/B, where B is `BATCH_SIZE`, each
        have a mistake of their own; for any other factor, `words.FACTOR` is returned.
    """
    if factor == 1:
        return None
    if np.isclose(factor, 1 / BATCH_SIZE, 1e-3):
        return words.BY_BATCH
    if np.isclose(factor, BATCH_SIZE, 1e-3):
        return words.SUMS
    return words.ASCENDS if factor == -1 else words.FACTOR


def reading(
    gradient: Gradient | None, notes: list[Note], draws: list[Draw], answers: Answers
) -> Reading | None:
    """Return one reading of the gradient and the notes; None if there is no mistake.

    Args:
        gradient: formula of the gradient; None if unknown.
        notes: mistakes that are not in the gradient, each with words that describe it.
        draws: the questions, see `Draw`; the reading's table shows the first one.
        answers: for each optimizer that did not fail, one answer for each draw.
    """
    differences: list[Difference] = []
    text = ""
    if gradient:
        differences += gradient.differences
        text = f"the step is on {gradient.words}"
        if other := factor_difference(gradient.factor):
            differences.append(other)
            of_size = {words.BY_BATCH.name: "1/B", words.SUMS.name: "B"}
            factor = of_size.get(other.name, f"{gradient.factor:.4g}")
            text = f"the step is on {factor} times {gradient.words}"
    differences += [difference for difference, _ in notes]
    if not differences:
        return None
    parts = [text] if text else []
    computes = "; ".join([*parts, *(told for _, told in notes)])
    of_loss = any(difference in words.OF_LOSS for difference in differences)
    asked = f"{ASKED}; the loss is L(θ_Q, θ_T) before the step" if of_loss else ASKED
    return Reading(computes, asked, tuple(differences), table(draws[0], answers))


LAST = 2  # numbers of θ_Q that the table shows


def table(draw: Draw, answers: Answers) -> tuple[str, ...]:
    """Return the lines of a table that compares the moves of θ_Q with the right moves.

    The table has a row for each optimizer, with the last `LAST` numbers of the move.

    Args:
        draw: the first question, see `Draw`.
        answers: for each optimizer that did not fail, one answer for each draw.
    """
    right = loss_and_gradients(draw, draw.theta_Q, draw.theta_T, draw.gamma)[1]
    rows = [("optimizer", f"last {LAST} numbers of θ_Q: your move", "right move")]
    for optimizer, seen in answers.items():
        one = seen[0]
        updates, _ = optimizer_step(optimizer, draw.state, right, draw.theta_Q)
        moves = (one.theta - draw.theta_Q)[-LAST:], updates[-LAST:]
        own, wanted = (" ".join(f"{x:.3g}" for x in move) for move in moves)
        rows.append((optimizer, own, wanted))
    return headed("another batch", in_columns(rows))
