"""Pattern of `td_update`: which multiple of which gradient moves what.

The step is asked on a stand-in for `td_loss`, so that mistakes there do not count. Plain
descent shows the gradient. Adam's state shows the gradient that the optimizer saw, and
from which state it went on. AdamW shows which parameters it was given.
"""

import contextlib
import re
from dataclasses import dataclass, field

import numpy as np

from grader.contract.case import Answer, Case, Student
from grader.contract.outcomes import NotImplementedYet, Raised, Wrong
from grader.diagnosis.patterns import update_words as words
from grader.diagnosis.patterns.update_gradient import Gradient, gradient_of
from grader.diagnosis.patterns.update_math import (
    SGD_RATE,
    AdamState,
    Draw,
    Vector,
    adam,
    close,
    drawn,
    flat,
    loss_and_gradients,
    network,
    optimizer_step,
    question,
)
from grader.diagnosis.reading import Difference, Reading

ASKED = "θ_Q moves by one step of the optimizer on ∇L(θ_Q, θ_T)"
# Scales of the rewards and of the parameters: usual ones, some that show what cuts
# large gradients, and one that shows what stretches small ones.
SCALES = ((1.0, 1.0), (1.0, 1.0), (100.0, 1.0), (100.0, 1.0), (0.01, 0.05))
OPTIMIZERS = ("sgd", "adam", "clipped_adamw")


@dataclass(frozen=True)
class Seen:
    """One answer, flat; `state` is none where the optimizer has none."""

    theta: Vector
    state: AdamState | None
    loss: float


Answers = dict[str, list[Seen]]  # by optimizer, one for each draw


@dataclass
class Found:
    """What has been read so far.

    Attributes:
        gradient: of plain descent or seen by Adam, if it is known.
        differences: of the optimizer, the step, the results.
        words: for them.
    """

    gradient: Gradient | None = None
    differences: list[Difference] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def add(self, difference: Difference, text: str) -> None:
        """Note a difference and its words."""
        self.differences.append(difference)
        self.words.append(text)


def read(student: Student, rng: np.random.Generator) -> Reading | None:
    """Read what a step of `td_update` does."""
    draws = [drawn(rng, scale, size) for scale, size in SCALES]
    answers: Answers = {}
    refused: dict[str, str] = {}
    for optimizer in OPTIMIZERS:
        try:
            answers[optimizer] = ask(student, draws, optimizer)
        except NotImplementedYet:
            raise
        except (Raised, Wrong) as error:
            refused[optimizer] = str(error)
    found = explained(draws, answers, refused)
    named = {one.name for one in found.differences} if found else set()
    if not named or named & {words.SCALED_STEP.name, words.FACTOR.name}:
        # What changes from call to call looks like that, too.
        if kept := remembered(student, draws):
            return kept
    return found or other_faults(student, draws, answers, refused)


def ask(student: Student, draws: list[Draw], optimizer: str) -> list[Seen]:
    """Ask for one step from each draw.

    Raises:
        Wrong: the numbers that came back have other shapes, or are not finite.
    """
    return [
        seen_in(student.answer(asked), asked)
        for asked in (question(draw, optimizer) for draw in draws)
    ]


def seen_in(answer: Answer, asked: Case) -> Seen:
    """Return an answer as flat numbers.

    Raises:
        Wrong: the numbers have other shapes, or are not finite.
    """
    parts = answer.leaves("theta_Q"), answer.leaves("opt_state")
    loss = answer.array("loss")
    given = asked.args["theta_Q"], asked.args["opt_state"]
    for leaves, wanted in zip(parts, given, strict=True):
        if [leaf.shape for leaf in leaves] != [leaf.shape for leaf in wanted]:
            raise Wrong("other shapes")
    if loss.shape or not all(
        x.dtype.kind in "iuf" and np.isfinite(x).all()
        for x in (*parts[0], *parts[1], loss)
    ):
        raise Wrong("no finite numbers")
    state = None
    if parts[1]:
        count, *averages = parts[1]
        half = len(averages) // 2
        state = AdamState(int(count), flat(averages[:half]), flat(averages[half:]))
    return Seen(flat(parts[0]), state, float(loss))


def explained(
    draws: list[Draw], answers: Answers, refused: dict[str, str]
) -> Reading | None:
    """Find what was computed; None if all is right or nothing fits."""
    found = Found()
    plain = None
    if "sgd" in answers:
        plain = plain_step(draws, answers["sgd"])
        found.gradient = plain and plain.gradient
    if "adam" in answers:
        by_adam(draws, answers["adam"], plain, found)
    elif plain:
        told_by_descent(plain, found)
    if "clipped_adamw" in answers and found.gradient and not found.differences:
        params_of_adamw(draws, answers["clipped_adamw"], found)
    for optimizer in answers:
        if found.gradient and loss_of(draws, answers[optimizer], found):
            break
    if words.SCALED_STEP in found.differences and "sgd" not in answers:
        found.differences.remove(words.SCALED_STEP)
        found.add(words.OWN_OPTIMIZER, "with another optimizer it fails")
    for text in refused.values():
        if (refusal := refusal_of(text)) and refusal[1] not in found.differences:
            found.add(refusal[1], refusal[0])
            break
    return reading(found, draws, answers)


# ---------------------------------------------------------------- plain descent


@dataclass(frozen=True)
class Plain:
    """A step of plain descent: from where, and by which gradient (none: it stays)."""

    base: str
    gradient: Gradient | None


def bases(draw: Draw) -> dict[str, Vector]:
    """Return what a step can be added to."""
    return {"θ_Q": draw.theta_Q, "θ_T": draw.theta_T, "0": 0 * draw.theta_Q}


def plain_step(draws: list[Draw], seen: list[Seen]) -> Plain | None:
    """Read a step of plain descent."""
    for base in ("θ_Q", "θ_T", "0"):
        moves = [one.theta - bases(d)[base] for d, one in zip(draws, seen, strict=True)]
        if not any(move.any() for move in moves):
            return Plain(base, None)
        if gradient := gradient_of(draws, [-move / SGD_RATE for move in moves]):
            return Plain(base, gradient)
    return None


def told_by_descent(plain: Plain, found: Found) -> None:
    """Say what plain descent alone can tell, where Adam gives no answer."""
    if plain.gradient is None:
        stays(plain.base, found)
    elif plain.base == "θ_T":
        found.add(words.FROM_TARGET, "the step starts from θ_T")
    elif plain.base == "0" and plain.gradient.factor == 1:
        found.add(words.RETURNS_UPDATES, "the updates are returned as θ_Q")


def stays(base: str, found: Found) -> None:
    """Note that one of the trees came back as it went in."""
    known = {"θ_Q": words.RETURNS_OLD, "θ_T": words.RETURNS_TARGET}
    if base in known:
        found.add(known[base], f"{base} is returned as it was")


# ---------------------------------------------------------------- Adam


def by_adam(
    draws: list[Draw], seen: list[Seen], plain: Plain | None, found: Found
) -> None:
    """Read from Adam's answers the state it went on from, and the step."""
    states = [one.state for one in seen if one.state]
    if len(states) != len(draws):
        return
    start = start_of(draws, states)
    if start in ("given", "fresh"):
        origins = [d.state if start == "given" else d.fresh() for d in draws]
        grads = [
            (after.mu - 0.9 * before.mu) / 0.1
            for before, after in zip(origins, states, strict=True)
        ]
        gradient = gradient_of(draws, grads)
        found.gradient = gradient or found.gradient
        if start == "fresh":
            found.add(words.REINIT, "Adam starts anew at each step")
        updates = [adam(s, g)[0] for s, g in zip(origins, grads, strict=True)]
        step_of(draws, seen, updates, grads, found)
        return
    if start == "kept":
        step_with_old_state(draws, seen, plain, found)
        return
    counts = {s.count - d.state.count for d, s in zip(draws, states, strict=True)}
    if len(counts) == 1 and (rise := counts.pop()) > 1:
        found.gradient = found.gradient if plain and rise else None
        found.add(words.TWO_STEPS, f"Adam's count rises by {rise} in one call")


def start_of(draws: list[Draw], states: list[AdamState]) -> str:
    """Say from which state Adam's new one comes: "given", "fresh", "kept" or ""."""
    pairs = list(zip(draws, states, strict=True))
    for name in ("given", "fresh"):
        if all(
            advanced(d.state if name == "given" else d.fresh(), after)
            for d, after in pairs
        ):
            return name
    if all(same_state(d.state, after) for d, after in pairs):
        return "kept"
    return ""


def advanced(before: AdamState, after: AdamState) -> bool:
    """Tell whether a state is one step of Adam after another."""
    if after.count != before.count + 1:
        return False
    grads = (after.mu - 0.9 * before.mu) / 0.1
    nu = 0.999 * before.nu + 0.001 * grads**2
    return close(after.nu, nu, noise=1e-6)


def same_state(a: AdamState, b: AdamState) -> bool:
    """Tell whether two states hold the same numbers."""
    same = np.array_equal(a.mu, b.mu) and np.array_equal(a.nu, b.nu)
    return a.count == b.count and same


def step_of(
    draws: list[Draw],
    seen: list[Seen],
    updates: list[Vector],
    grads: list[Vector],
    found: Found,
) -> None:
    """Read which multiple of Adam's updates, or of the gradient, is added to what."""
    for base in ("θ_Q", "θ_T", "0"):
        moves = [one.theta - bases(d)[base] for d, one in zip(draws, seen, strict=True)]
        if not any(move.any() for move in moves):
            stays(base, found)
            return
        # Rounding of theta in float32 shows in so short a step.
        if (of_updates := multiple(moves, updates, draws)) is not None:
            stepped(base, of_updates, found)
            return
        if (of_gradient := multiple(moves, grads, draws)) is not None:
            follows_gradient(base, of_gradient, found)
            return
    found.gradient = None


def multiple(moves: list[Vector], of: list[Vector], draws: list[Draw]) -> float | None:
    """Return the number of times by which every move is a vector, if there is one."""
    factors = [float(m @ v / (v @ v)) for m, v in zip(moves, of, strict=True)]
    factor = float(np.median(factors))
    rounded = float(round(factor))
    if rounded and abs(factor - rounded) < 1e-3:
        factor = rounded
    fits = factor and all(
        close(m, factor * v, noise=3e-7 * float(np.abs(d.theta_Q).max()))
        for m, v, d in zip(moves, of, draws, strict=True)
    )
    return factor if fits else None


def stepped(base: str, times: float, found: Found) -> None:
    """Note which multiple of the updates is added to what."""
    if base == "0" and times == 1:
        found.add(words.RETURNS_UPDATES, "the updates are returned as θ_Q")
        return
    if base == "θ_T":
        found.add(words.FROM_TARGET, "the step starts from θ_T")
    if base == "0" or times == 1:
        return
    known = {-1.0: words.SUBTRACTS, 2.0: words.APPLIED_TWICE}
    difference = known.get(times, words.SCALED_STEP)
    found.add(difference, f"θ_Q moves by {times:.4g} times the optimizer's updates")


def follows_gradient(base: str, times: float, found: Found) -> None:
    """Note that the gradient itself is applied, or returned."""
    if base == "0" and times == 1:
        found.add(words.RETURNS_GRADIENT, "the gradient is returned as θ_Q")
    elif base == "θ_Q" and times == 1:
        found.add(words.ADDS_GRADIENT, "the gradient is added to θ_Q")
    elif base != "0":
        text = f"{base} moves by {times:.4g} times the gradient, whatever the optimizer"
        found.add(words.GRADIENT_APPLIED, text)


def step_with_old_state(
    draws: list[Draw], seen: list[Seen], plain: Plain | None, found: Found
) -> None:
    """Read the step of one that returns the opt_state that it was given."""
    by_descent = plain_step(draws, seen)
    if by_descent and by_descent.gradient is None:
        stays(by_descent.base, found)
        found.add(words.OLD_STATE, "opt_state is returned as it was")
        return
    if plain is None or plain.gradient is None:
        found.gradient = None
        found.add(words.OLD_STATE, "opt_state is returned as it was")
        return
    factor = plain.gradient.factor
    if by_descent and by_descent.gradient:  # as far as by plain descent
        if np.isclose(by_descent.gradient.factor, factor, 1e-3):
            rate = SGD_RATE * factor
            text = f"{plain.base} moves by {-rate:.4g} times the gradient, always"
            found.add(words.BY_HAND, text)
            found.gradient = unit(plain.gradient)
        return
    for share in (factor, 1.0, 2.0, -1.0):  # of the factor, what the updates carry
        grads = [plain.gradient.of(draw) / share for draw in draws]
        for fresh in (False, True):
            trial = Found(found.gradient)
            origins = [d.fresh() if fresh else d.state for d in draws]
            updates = [adam(s, g)[0] for s, g in zip(origins, grads, strict=True)]
            step_of(draws, seen, updates, grads, trial)
            if trial.gradient:
                found.add(words.OLD_STATE, "opt_state is returned as it was")
                if fresh:
                    found.add(words.REINIT, "Adam starts anew at each step")
                found.differences += trial.differences
                found.words += trial.words
                found.gradient = scaled_to(plain.gradient, factor / share)
                return
    found.gradient = None
    found.add(words.OLD_STATE, "opt_state is returned as it was")


def unit(gradient: Gradient) -> Gradient:
    """Return a gradient without its factor."""
    return scaled_to(gradient, 1.0)


def scaled_to(gradient: Gradient, factor: float) -> Gradient:
    """Return a gradient with another factor."""
    ratio = factor / gradient.factor
    return Gradient(
        gradient.words,
        gradient.differences,
        *(factor, gradient.decay, gradient.gamma, gradient.kind),
        lambda draw: ratio * gradient.of(draw),
    )


# ---------------------------------------------------------------- AdamW and the loss


def params_of_adamw(draws: list[Draw], seen: list[Seen], found: Found) -> None:
    """Read which parameters AdamW decays by."""
    gradient = found.gradient
    assert gradient is not None
    for name in ("θ_Q", "θ_T", "0"):
        fits = True
        for draw, one in zip(draws, seen, strict=True):
            updates, _ = optimizer_step(
                "clipped_adamw", draw.state, gradient.of(draw), bases(draw)[name]
            )
            noise = 3e-7 * float(np.abs(draw.theta_Q).max())
            fits &= close(one.theta - draw.theta_Q, updates, noise=noise)
        if fits and name != "θ_Q":
            difference = words.PARAMS_TARGET if name == "θ_T" else words.OTHER_PARAMS
            found.add(difference, f"AdamW decays by {name} in the place of θ_Q")
        if fits:
            return


def loss_of(draws: list[Draw], seen: list[Seen], found: Found) -> bool:
    """Read the loss that is returned; return whether a difference was found."""
    gradient = found.gradient
    assert gradient is not None
    losses = np.array([one.loss for one in seen])
    discounts = {draw.gamma for draw in draws}
    own = gradient.gamma
    pairs = list(zip(draws, seen, strict=True))

    def value(first: str, second: str, gamma: float | None) -> np.ndarray:
        found = []
        for draw, one in pairs:
            theta = {"Q": draw.theta_Q, "T": draw.theta_T, "after": one.theta}
            rate = draw.gamma if gamma is None else gamma
            places = theta[first], theta[second]
            found.append(loss_and_gradients(draw, *places, rate)[0])
        return np.array(found)

    def fits(values: np.ndarray) -> bool:
        return bool(np.allclose(losses, values, rtol=3e-4, atol=0))

    gammas = {own, None} if discounts else {own}
    expected = np.array(
        [gradient.kind.loss(d, d.gamma if own is None else own) for d in draws]
    )
    penalty = np.array([gradient.decay * (d.theta_Q @ d.theta_Q) / 2 for d in draws])
    right = value("Q", "T", None)
    if any(fits(x) for x in (expected, expected + penalty, right)):
        return False
    for gamma in gammas:
        if fits(value("Q", "T", gamma)):
            return False
        if fits(value("after", "T", gamma)) or fits(
            value("after", gradient.kind.places[1], gamma)
        ):
            found.add(words.LOSS_AFTER, "the loss is that of the new θ_Q")
            return True
        if fits(value("T", "T", gamma)):
            found.add(words.LOSS_OF_TARGET, "the loss is L(θ_T, θ_T)")
            return True
        for places in ("QQ", "TQ"):
            if fits(value(*places, gamma)):
                text = f"the loss is L(θ_{places[0]}, θ_{places[1]})"
                found.add(words.OTHER_PLACES, text)
                return True
    factors = losses / expected
    if fits(factors[0] * expected):
        text = f"the loss is {factors[0]:.4g} times L(θ_Q, θ_T)"
        found.add(words.LOSS_SCALED, text)
        return True
    return False


# ---------------------------------------------------------------- the sentence


def of_factor(factor: float, size: int) -> Difference | None:
    """Return the difference of a gradient with a factor."""
    if factor == 1:
        return None
    if np.isclose(factor, 1 / size, 1e-3):
        return words.BY_BATCH
    if np.isclose(factor, size, 1e-3):
        return words.SUMS
    return words.ASCENDS if factor == -1 else words.FACTOR


def reading(found: Found, draws: list[Draw], answers: Answers) -> Reading | None:
    """Put everything that was found into one reading."""
    differences: list[Difference] = []
    text = "∇L(θ_Q, θ_T)"
    if found.gradient:
        differences += found.gradient.differences
        text = found.gradient.words
        factor = found.gradient.factor
        if other := of_factor(factor, draws[0].num_transitions):
            differences.append(other)
            text = f"{factor:.4g} times {text}"
    differences += found.differences
    if not differences:
        return None
    computes = f"θ_Q moves by one step of the optimizer on {text}"
    if found.words:
        computes = "; ".join([f"the step is on {text}", *found.words])
        if found.gradient is None:
            computes = "; ".join(found.words)
    return Reading(computes, ASKED, tuple(differences), table(draws[0], answers))


def table(draw: Draw, answers: Answers) -> tuple[str, ...]:
    """Return the first numbers of a move of each optimizer, and the right ones."""
    right = loss_and_gradients(draw, draw.theta_Q, draw.theta_T, draw.gamma)[1]
    rows = [("optimizer", "Adam's count", "your θ_Q moves by", "right")]
    for optimizer, seen in answers.items():
        one = seen[0]
        updates, after = optimizer_step(optimizer, draw.state, right, draw.theta_Q)
        count = "" if one.state is None else f"{draw.state.count} → {one.state.count}"
        moves = (one.theta - draw.theta_Q)[-3:], updates[-3:]
        shown = (", ".join(f"{x:.4g}" for x in move) for move in moves)
        rows.append((optimizer, count, *shown))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return tuple("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def refusal_of(message: str) -> tuple[str, Difference] | None:
    """Return what a message says for certain, if it is a known one."""
    for pattern, text, difference in words.REFUSALS:
        if re.search(pattern, message):
            return text, difference
    return None


def remembered(student: Student, draws: list[Draw]) -> Reading | None:
    """Read what is kept from one call to the next, by calls of a fresh import."""
    student = student.afresh()
    first, second = draws[:2]
    try:
        one, again = (called(student, first, "adam") for _ in range(2))
        other = called(student, second, "adam")
    except (Raised, Wrong):
        return None
    if one.state is None or again.state is None or other.state is None:
        return None
    moves = [x.theta - first.theta_Q for x in (one, again)]
    counts = [x.state.count for x in (one, again, other) if x.state]
    if counts == [1, 2, 3]:
        text = "in three calls Adam's count is 1, 2, 3, whatever opt_state is passed in"
        return Reading(text, ASKED, (words.GLOBAL_STATE,))
    if not close(*moves, noise=1e-7):
        share = multiple([moves[1]], [moves[0]], [first])
        text = "asked the same twice, it moves θ_Q otherwise"
        if share is not None:
            text = (
                f"asked the same twice, its second step is {share:.4g} times the first"
            )
        return Reading(text, ASKED, (words.SIDE_EFFECTS,))
    stale = loss_and_gradients(first, second.theta_Q, first.theta_T, first.gamma)[0]
    if np.isclose(other.loss, stale, 1e-4):
        text = "in a second call, the step is on the batch and θ_T of the first call"
        return Reading(text, ASKED, (words.STALE,))
    return None


def called(student: Student, draw: Draw, optimizer: str) -> Seen:
    """Ask for one step by a plain call."""
    asked = question(draw, optimizer)
    return seen_in(student.called(asked), asked)


def is_other_loss(
    student: Student, draws: list[Draw], answers: Answers
) -> Reading | None:
    """Read whether the step is on another loss: by no gradient of td_loss."""
    seen = answers["sgd"]
    moves = [
        (d.theta_Q - one.theta) / SGD_RATE for d, one in zip(draws, seen, strict=True)
    ]
    if plain_step(draws, seen) or not all(map(pulls_at_values, draws, moves)):
        return None
    own = []
    for draw in draws:
        answer = student.answer(draw.case.replace(spec={"stand_in": False}))
        own.append(flat(answer.leaves("grads")))
    if all(map(close, moves, own)):
        return None  # its td_loss, kept under another name
    text = "θ_Q moves by a step on another loss of Q(s, ·; θ_Q) than td_loss"
    return Reading(text, ASKED, (words.OTHER_LOSS,), table(draws[0], answers))


def pulls_at_values(draw: Draw, gradient: Vector) -> bool:
    """Tell whether a gradient is that of a function of the values Q(s, ·; θ_Q)."""
    values, pull = network(draw, draw.theta_Q, draw.case.args["state"])
    units = np.eye(values.size).reshape(-1, *values.shape)
    basis = np.stack([pull(one) for one in units], axis=1)
    weights = np.linalg.lstsq(basis, gradient, rcond=None)[0]
    return close(basis @ weights, gradient)


def other_faults(
    student: Student, draws: list[Draw], answers: Answers, refused: dict[str, str]
) -> Reading | None:
    """Read what shows in no number: another loss, deleted arrays, no jax.jit."""
    if "sgd" in answers:
        with contextlib.suppress(Raised, Wrong):
            if reading := is_other_loss(student, draws, answers):
                return reading
    if not refused:
        with contextlib.suppress(Raised, Wrong):
            if student.changed(question(draws[0], "adam"), "jax"):
                computes = "the right step; arrays that came in are deleted"
                return Reading(computes, ASKED, (words.DONATES,))
        try:
            student.export(question(draws[0], "adam"))
        except Raised as error:
            if refusal := refusal_of(str(error)):
                return Reading(refusal[0], ASKED, (refusal[1],))
    return None
