"""Find the formula that `discounted_returns` computes, from its answers.

The right formula is G_i = Σ_{t≥i} γ^(t−i) r_t. Wrong code may change the reward r_t,
the weight γ^(t−i), the range t≥i, or the finished sum. The choices for these four terms
are in the tables of `return_parts`; to add a choice, add a line. A formula is reported
only if it gives the answers to all questions. If several formulas do, the one with the
lowest cost is reported; each mistake costs about 1.
"""

import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from grader.contract.case import Case, Student
from grader.contract.cases import GAMMA
from grader.contract.compare import ATOL, RTOL, number
from grader.contract.outcomes import Raised, Wrong
from grader.diagnosis.patterns.return_parts import choices, facts, weights
from grader.diagnosis.patterns.return_parts.formula import Formula, Sums, sums_of
from grader.diagnosis.reading import Difference, Reading, headed, in_columns

PART = "discounted_returns"
STEPS = 5
# A second γ, to tell γ from a constant. Code may refuse 1, where γ < 1 is usual.
OTHER_GAMMA = 0.9
MOST = 3  # largest number of mistakes in one formula
ASKED = "G_i = Σ_{t≥i} γ^(t−i) r_t"


@dataclass(frozen=True)
class Asked:
    """The hand-in's returns for K episodes of T steps each, with one γ.

    Attributes:
        gamma: γ.
        rewards: the rewards [K,T].
        returns: the hand-in's returns [K,T].
    """

    gamma: float
    rewards: np.ndarray
    returns: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """The right returns [K,T]."""
        return choices.RIGHT.values(self.rewards, self.gamma)


# ---------------------------------------------------------------- the questions


def drawn_rewards(rng: np.random.Generator, num_steps: int) -> np.ndarray:
    """Draw rewards of four episodes of T steps [4,T].

    Some rewards lie between -1 and 1, others outside. With three or more steps, each of
    the last two episodes has one or two rewards of 0, neither at the first nor at the
    last step.

    Args:
        rng: source of the numbers.
        num_steps: number T of steps, at most 5.
    """
    sizes = rng.permuted(np.tile([0.4, 0.8, 1.7, 4.3, 12.0], (4, 1)), axis=1)
    sizes[:, 0] = rng.permutation([0.4, 0.8, 4.3, 12.0])
    sizes = sizes[:, :num_steps]
    signs = rng.choice([-1.0, 1.0], sizes.shape)
    drawn = sizes * rng.uniform(0.8, 1.2, sizes.shape) * signs
    if num_steps > 2:
        drawn[2:, rng.integers(1, num_steps - 1, 2)] = 0.0
    return drawn.astype(np.float32)


def ask(student: Student, rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Ask the hand-in for the returns of K episodes; stack them to one array [K,...].

    Args:
        student: the hand-in.
        rewards: rewards of the episodes [K,T].
        gamma: γ.

    Raises:
        Raised: the hand-in's code has raised an exception.
        Wrong: the answers are not numbers, or not all of one shape.
    """
    answers = [
        student.answer(Case(PART, {"gamma": gamma}, {"reward": row})).array("returns")
        for row in rewards
    ]
    if len({a.shape for a in answers}) > 1 or answers[0].dtype.kind not in "biuf":
        raise Wrong("returns of different shapes, or no numbers")
    return np.stack(answers).astype(np.float64)


def read(student: Student, rng: np.random.Generator) -> Reading | None:
    """Return the reading of `discounted_returns`, or None.

    The reading shows a formula or measured weights, or says which side effect a call
    has.

    Args:
        student: the hand-in.
        rng: draws rewards.

    Returns:
        None if `discounted_returns` is right, or if no known mistake explains the shape
        of the returns. Unless a side effect is found, None also if a return of an
        episode with several steps is not finite, or if all measured weights are right
        within 0.001.

    Raises:
        Raised: the hand-in's code has raised an exception at a question with `STEPS`
            rewards.
        Wrong: the answers to these questions are not numbers, or not all of one shape.
    """
    long = np.concatenate([drawn_rewards(rng, STEPS), np.eye(STEPS, dtype=np.float32)])
    if reading := remembered(student, long[:2]):
        return reading
    answers = [(GAMMA, long, ask(student, long, GAMMA))]
    rewards = drawn_rewards(rng, STEPS)
    answers.append((OTHER_GAMMA, rewards, ask(student, rewards, OTHER_GAMMA)))
    rewards = drawn_rewards(rng, 1)
    with contextlib.suppress(Raised, Wrong):
        answers.append((GAMMA, rewards, ask(student, rewards, GAMMA)))
    shaped, shape = in_shape(answers)
    if not shaped:
        return None
    reading = in_words(shaped, shape)
    return reading or changes_rewards(student, long[0])


# ---------------------------------------------------------------- memory, side effects


def remembered(student: Student, rewards: np.ndarray) -> Reading | None:
    """Return a reading if the same rewards later give other returns; else None.

    The hand-in gets the rewards of an episode, then rewards of 0, then the episode's
    rewards again. The result is None if the first and the third answer agree for at
    least one of the two episodes.

    Args:
        student: the hand-in.
        rewards: rewards of two episodes [2,T].

    Raises:
        Raised: the hand-in's code has raised an exception.
        Wrong: the answers are not numbers, or not all of one shape.
    """
    carried = []
    for row in rewards:
        first, silent, again = ask(student, np.stack([row, 0 * row, row]), GAMMA)
        if np.array_equal(first, again, equal_nan=True):
            return None
        fade = GAMMA ** np.arange(len(row), 0, -1)
        if first.shape != row.shape:
            carried.append(False)
            continue
        right = choices.RIGHT.values(row[None], GAMMA)[0]
        fits = close(silent, first[0] * fade) & close(again, right + silent[0] * fade)
        carried.append(bool(fits.all()))
    if not all(carried):
        return Reading(
            "other returns for the same rewards, asked a second time",
            ASKED,
            (facts.KEEPS_STATE,),
        )
    return Reading(
        "G_i = Σ_{t≥i} γ^(t−i) r_t + γ^(T−i) G_0 of the call before",
        ASKED,
        (facts.CROSSES_EPISODES,),
    )


def changes_rewards(student: Student, rewards: np.ndarray) -> Reading | None:
    """Return a reading if a call changes or deletes the caller's rewards; else None.

    Call this function only if the returns are right.

    Args:
        student: the hand-in.
        rewards: rewards of one episode [T].
    """
    for kind, difference in facts.CHANGES.items():
        with contextlib.suppress(Raised):
            case = Case(PART, {"gamma": GAMMA}, {"reward": rewards})
            if "reward" in student.changed(case, kind):
                return Reading(
                    f"{ASKED}, and the rewards that came in are {difference[0]}",
                    f"{ASKED}, and the rewards that came in stay",
                    (difference[1],),
                )
    return None


# ---------------------------------------------------------------- the formula


def in_shape(
    answers: Sequence[tuple[float, np.ndarray, np.ndarray]],
) -> tuple[list[Asked], Difference | None]:
    """Bring the hand-in's returns into the shape [K,T]; name the mistake in the shape.

    Args:
        answers: for each set of questions a triple: γ, the rewards of K episodes [K,T],
            and the returns as the hand-in gave them [K,...].

    Returns:
        A pair (asked, mistake). `asked` has all answers, with the returns [K,T]; it is
        [] if no known mistake explains the shape. `mistake` is None if the shape is
        right, or if `asked` is [].
    """
    for fits, bring, difference in facts.SHAPES:
        if all(fits(rewards, obtained) for _, rewards, obtained in answers):
            shaped = [
                Asked(gamma, rewards.astype(np.float64), bring(rewards, obtained))
                for gamma, rewards, obtained in answers
            ]
            return shaped, difference
    return [], None


def close(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a mask [...,T] of the returns that are equal within rounding.

    NaN equals NaN.

    Args:
        a: returns [...,T].
        b: other returns [...,T]. The tolerance of an episode is relative to its largest
            absolute return in b.
    """
    with np.errstate(invalid="ignore"):
        size = np.nan_to_num(np.abs(b), nan=0.0, posinf=0.0).max(axis=-1, keepdims=True)
        same = np.abs(a - b) <= ATOL + RTOL * size
    return same | (np.isnan(a) & np.isnan(b))


def fits(formula: Formula, asked: Asked) -> bool:
    """Tell whether a formula gives the hand-in's returns, within rounding."""
    with np.errstate(all="ignore"):
        return bool(
            close(asked.returns, formula.values(asked.rewards, asked.gamma)).all()
        )


def fitting(answers: Sequence[Asked]) -> list[Formula]:
    """Return the formulas that give all answers and are closest to right code.

    These are the formulas with the lowest cost; [] if no formula gives all answers.

    Args:
        answers: the answers to each set of questions. In the first set, the last T
            episodes are unit vectors: a single reward is 1, all others are 0.
    """
    found: list[Formula] = []
    first, rest = answers[0], answers[1:]
    powers = weights.weights_of(first.rewards, first.returns, first.gamma)
    sums: list[Sums] = [*itertools.product(powers, weights.RANGES), *weights.RULES]
    single = [a.returns for a in answers if a.returns.shape[1] == 1]
    for reward in choices.rewards_of(single[0]) if single else choices.REWARDS:
        changed = reward.change(first.rewards)
        with np.errstate(all="ignore"):
            stacked = np.stack([sums_of(s, changed, first.gamma) for s in sums])
        for output in choices.OUTPUTS:
            with np.errstate(all="ignore"):
                given = output.change(stacked, changed)
                constants = choices.constants_of(output, given, first.returns)
                by = constants[:, None, None]
                given = given * by if output.fitted == "factor" else given + by
                right = close(first.returns, given).all(axis=(1, 2))
            for index in np.flatnonzero(right):
                done = replace(output, constant=float(constants[index]))
                formula = Formula(reward, sums[index], done)
                if len(formula.differences) <= MOST and all(
                    fits(formula, asked) for asked in rest
                ):
                    found.append(formula)
    least = min((formula.cost for formula in found), default=0.0)
    return [formula for formula in found if formula.cost <= least + 1e-6]


def in_words(answers: Sequence[Asked], shape: Difference | None) -> Reading | None:
    """Return the reading of all answers, or None.

    The result is None in three cases: the answers are right and `shape` is None; no
    formula fits, but all measured weights are right within 0.001; or a return of an
    episode with several steps is not finite.

    Args:
        answers: the answers to each set of questions. In the first set, the last T
            episodes are unit vectors: a single reward is 1, all others are 0.
        shape: the mistake in the shape of the returns, or None.
    """
    extra = (shape,) if shape else ()
    if not all(np.isfinite(a.returns).all() for a in answers if a.right.shape[1] > 1):
        return None
    if not any(asked.returns.any() for asked in answers):
        return Reading("G_i = 0 for every i", ASKED, (facts.ALL_ZERO, *extra))
    formulas = fitting(answers)
    if not formulas:
        return reading_of_weights(answers[0], extra)
    # All formulas give the same returns. So only a mistake that all contain is certain.
    names = [{d.name for d in f.differences} for f in formulas]
    shared = set.intersection(*names)
    differences = tuple(d for d in formulas[0].differences if d.name in shared)
    if formulas[0].differences and not differences:
        differences = (facts.OTHER_FORMULA,)
    if shape == facts.ONE_NUMBER:
        differences = tuple(d for d in differences if d.name != "mc-G0-for-all")
    if not (differences or extra):
        return None
    text = formulas[0].text
    if shape:
        text += f"; {facts.SHAPE_WORDS[shape.name]}"
    rows = compared(answers[0]) if differences else ()
    return Reading(text, ASKED, (*differences, *extra), rows)


def compared(asked: Asked) -> tuple[str, ...]:
    """Return the lines of a table that shows one episode's returns and the right ones.

    The episode is the first one in `asked`.
    """
    rows: list[tuple[str, ...]] = [("i", "r_i", "your G_i", "right G_i")]
    columns = asked.rewards[0], asked.returns[0], asked.right[0]
    for i, values in enumerate(zip(*columns, strict=True)):
        rows.append((str(i), *map(number, values)))
    table = in_columns(rows, str.rjust)
    return headed(f"another episode, γ = {number(asked.gamma)}", table)


def reading_of_weights(asked: Asked, extra: tuple[Difference, ...]) -> Reading | None:
    """Return a reading that shows the measured weights of the rewards, or None.

    This reading is for answers that no formula fits. If the returns are no weighted
    sums of the rewards, the reading says so. None means that all weights are right
    within 0.001.

    Args:
        asked: the answers. The last T episodes are unit vectors: a single reward is 1,
            all others are 0.
        extra: mistakes outside of the weights, such as a wrong shape; the reading gets
            them, too.
    """
    size = asked.rewards.shape[1]
    weights = asked.returns[-size:].T  # [i,t]
    if not close(asked.returns, asked.rewards @ weights.T).all():
        return Reading(
            "returns that are no weighted sums of the rewards",
            ASKED,
            (facts.NOT_LINEAR, *extra),
            compared(asked),
        )
    right = asked.right[-size:].T
    off = np.abs(weights - right).max(axis=1)
    if off.max() <= 1e-3:
        return None
    i = int(off.argmax())
    rows = [
        ("reward", *(f"r_{t}" for t in range(size))),
        (f"weight in your G_{i}", *map(number, weights[i])),
        (f"weight in the right G_{i}", *map(number, right[i])),
    ]
    return Reading(
        f"G_{i} = {weighted_sum(weights[i])} for γ = {number(asked.gamma)}",
        f"G_{i} = {weighted_sum(right[i])}",
        (facts.OTHER_WEIGHTS, *extra),
        in_columns(rows, str.rjust),
    )


def weighted_sum(weights: np.ndarray) -> str:
    """Return a weighted sum of rewards as text, such as "r_0 + 0.7 r_1".

    Args:
        weights: the weight of each reward [T].
    """
    terms = [
        f"{'' if np.isclose(w, 1) else number(w) + ' '}r_{t}"
        for t, w in enumerate(weights)
        if abs(w) > 1e-4
    ]
    return " + ".join(terms) or "0"
