"""Pattern of `sync_target`: at which steps it returns which parameters.

Each answer is put into words by itself: θ_Q, θ_T, a mixture of both and its shares.
Then the rule of steps is found that sorts the answers of two independent sets.
"""

import re
from dataclasses import dataclass, replace

import numpy as np

from grader.contract import cases
from grader.contract.case import Student
from grader.contract.outcomes import NotImplementedYet, Raised, Wrong
from grader.diagnosis.patterns.renewal import words
from grader.diagnosis.patterns.renewal.rules import (
    RAISES,
    ROUND_STEPS,
    Pairs,
    Rule,
    numbered,
    rules,
)
from grader.diagnosis.reading import Difference, Reading

ASKED = "θ_T ← θ_Q if step is a multiple of period, else θ_T"
SHOWN_PERIOD, SHOWN_STEPS = 4, range(13)  # asked in order
PERIODS = (1, 2, 3, 5, 6, 8, 12, 100, 250)
MAX_TABLE = 6
TREE_FIRST = re.compile(r"\b(tree\.map|tree_map|tree_multimap)\(\s*theta_[QT]\b")

Trees = tuple[list[np.ndarray], list[np.ndarray]]  # theta_Q and theta_T


@dataclass(frozen=True)
class Content:
    """What one answer holds.

    Attributes:
        words: for it, in symbols.
        shares: of θ_Q and of θ_T, if it is a mixture of both.
    """

    words: str
    shares: tuple[float, float] | None = None


COPY, KEPT = Content("θ_Q", (1.0, 0.0)), Content("θ_T", (0.0, 1.0))
NOTHING, BOTH = Content("nothing (None)"), Content("more than one tree")
DIVIDED = Content("a division by zero")
OTHER = Content("other numbers")


@dataclass(frozen=True)
class Told:
    """One answer: asked for which step and period, and what came."""

    step: int
    period: int
    content: Content

    @property
    def right(self) -> Content:
        """What is asked."""
        return KEPT if self.step % self.period else COPY


def read(student: Student, rng: np.random.Generator) -> Reading | None:
    """Read at which steps `sync_target` returns which parameters."""
    student = student.afresh()  # one that counts its calls begins at 0
    told = ask(student, rng, questions(rng))
    if is_right(told) and (found := deleting(student, rng)):
        return found
    most = max((one.content for one in told), key=likeness)
    renewed = [one.step for one in told if one.step and one.content == most]
    told += ask(student, rng, [*questions(rng), *divisors(renewed)])
    if any(one.content == OTHER for one in told):
        told = told_apart(student, rng, told)
    return explained(told)


def questions(rng: np.random.Generator) -> Pairs:
    """Draw pairs of step and period; those that are shown come first, in order."""
    pairs = []
    for period in PERIODS:
        k, few = int(rng.integers(2, 12)), int(rng.integers(1, 40))
        steps = [0, period, k * period, k * period + 1, k * period - 1]
        steps += [few, (k + 1) * period]
        pairs += [(step, period) for step in steps]
    pairs += [(step, int(rng.choice(PERIODS[1:]))) for step in ROUND_STEPS]
    in_order = [(step, SHOWN_PERIOD) for step in SHOWN_STEPS]
    return [*in_order, *(pairs[i] for i in rng.permutation(len(pairs)))]


def divisors(renewed: list[int]) -> Pairs:
    """Return steps at which a number that takes the period's place would show."""
    common = int(np.gcd.reduce(renewed)) if renewed else 0
    found = [n for n in range(2, min(common, 20_000) + 1) if common % n == 0]
    return [(n, 7) for n in found[:30]]


def ask(student: Student, rng: np.random.Generator, pairs: Pairs) -> list[Told]:
    """Ask with parameters that are new for each pair."""
    return [Told(*pair, answered(student, trees_of(rng), *pair)) for pair in pairs]


def trees_of(rng: np.random.Generator) -> Trees:
    """Draw the two trees of parameters."""
    return cases.probe(rng, 4, 2), cases.probe(rng, 4, 2)


def answered(student: Student, trees: Trees, step: int, period: int) -> Content:
    """Ask once, and say what came back."""
    try:
        answer = student.answer(cases.sync(*trees, step, period))
        return content_of(answer.leaves("theta_T"), *trees)
    except NotImplementedYet:
        raise
    except (Raised, Wrong) as error:
        return refusal(str(error))


def told_apart(
    student: Student, rng: np.random.Generator, told: list[Told]
) -> list[Told]:
    """Say of other numbers whether they depend on θ_Q and θ_T at all."""
    strange = [one for one in told if one.content == OTHER]
    for one in strange[:3]:
        found = []
        for trees in (trees_of(rng), trees_of(rng)):
            answer = student.answer(cases.sync(*trees, one.step, one.period))
            found.append(answer.leaves("theta_T"))
        if not same(*found):
            return told
    new = Content("new numbers")
    return [replace(one, content=new) if one in strange else one for one in told]


def deleting(student: Student, rng: np.random.Generator) -> Reading | None:
    """Say whether a right answer deletes the arrays it was given."""
    if any(student.changed(cases.sync(*trees_of(rng), s, 3), "jax") for s in (3, 4)):
        computes = f"{ASKED}; arrays that came in are deleted"
        return Reading(computes, f"{ASKED}; no argument is changed", (words.DONATES,))
    return None


# ---------------------------------------------------------------- one answer


def content_of(
    leaves: list[np.ndarray], theta_Q: list[np.ndarray], theta_T: list[np.ndarray]
) -> Content:
    """Say what parameters hold, measured against θ_Q and θ_T."""
    fits = len(leaves) == len(theta_Q) and all(
        leaf.shape == q.shape and leaf.dtype.kind in "iuf" and np.isfinite(leaf).all()
        for leaf, q in zip(leaves, theta_Q, strict=True)
    )
    if not fits:
        return Content("arrays of another shape or type, or not finite")
    triples = list(zip(leaves, theta_Q, theta_T, strict=True))
    of_Q = [np.array_equal(leaf, q) for leaf, q, _ in triples]
    of_T = [np.array_equal(leaf, t) for leaf, _, t in triples]
    if all(of_Q) or all(of_T):
        return COPY if all(of_Q) else KEPT
    if all(a or b for a, b in zip(of_Q, of_T, strict=True)):
        matrices = [leaf.ndim > 1 for leaf in leaves]
        if of_Q == matrices:
            return Content("weights of θ_Q, biases of θ_T")
        arrays = ", ".join(str(i) for i, q in enumerate(of_Q) if q)
        return Content(f"arrays {arrays} of θ_Q, the others of θ_T")
    if any(same(leaves, [short(q) for q in theta_Q]) for short in (half, bfloat)):
        return Content("θ_Q rounded to 16 bits")
    return mixture(*map(flat, (leaves, theta_Q, theta_T)))


def mixture(values: np.ndarray, q: np.ndarray, t: np.ndarray) -> Content:
    """Read the shares of θ_Q and θ_T, if every number has the same ones."""
    both = np.stack([q, t], axis=1)
    shares = np.linalg.lstsq(both, values, rcond=None)[0]
    size = max(1.0, float(np.abs(shares).max()))
    if np.abs(both @ shares - values).max() > 3e-6 * size:
        return OTHER
    a, b = (round(float(share), 5) + 0.0 for share in shares)
    if (a, b) in ((1, 0), (0, 1)):  # close, but not the same numbers
        return OTHER
    terms = [f"{x:.6g} {name}" for x, name in ((a, "θ_Q"), (b, "θ_T")) if x]
    return Content(" + ".join(terms) or "zeros", (a, b) if a or b else None)


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    """Tell whether two lists of arrays hold the same numbers."""
    return len(a) == len(b) and all(map(np.array_equal, a, b))


def flat(leaves: list[np.ndarray]) -> np.ndarray:
    """Return all numbers of a tree in one array."""
    return np.concatenate([leaf.ravel() for leaf in leaves]).astype(np.float64)


def half(leaf: np.ndarray) -> np.ndarray:
    """Return float32 numbers rounded to float16."""
    return leaf.astype(np.float16).astype(np.float32)


def bfloat(leaf: np.ndarray) -> np.ndarray:
    """Return float32 numbers rounded to bfloat16: to nearest, ties to even."""
    bits = leaf.astype(np.float32).view(np.uint32).astype(np.uint64)
    bits += 0x7FFF + ((bits >> 16) & 1)
    return (bits & 0xFFFF0000).astype(np.uint32).view(np.float32)


def refusal(message: str) -> Content:
    """Say why an answer could not be taken."""
    if "ZeroDivisionError" in message:
        return DIVIDED
    if "theta_T is None" in message:
        return NOTHING
    if found := re.search(r"it has (\d+) arrays, expected (\d+)", message):
        got, wanted = map(int, found.groups())
        if got > wanted and got % wanted == 0:
            return BOTH
    if "no attribute 'copy'" in message:
        return Content("an AttributeError for .copy()")
    if TREE_FIRST.search(message):
        return Content("an error in tree.map")
    if found := re.search(r"not the kind of tree that came in: (it has .*)", message):
        return Content(f"another kind of tree ({found[1]})")
    return Content(message.splitlines()[0][:120])


# ---------------------------------------------------------------- both together


def is_right(told: list[Told]) -> bool:
    """Tell whether all answers are what is asked."""
    return all(one.content == one.right for one in told)


def explained(told: list[Told]) -> Reading | None:
    """Find what is returned when; None if all is right or nothing fits."""
    if is_right(told):
        return None
    contents = {one.content for one in told}
    if len(contents) == 1:
        return always(contents.pop(), told)
    for rule in rules():
        if found := by_rule(rule, told):
            return found
    for alike in numbered():
        fits = [found for rule in alike if (found := by_rule(rule, told))]
        if fits:  # with two numbers that fit, neither is claimed
            return fits[0] if len(fits) == 1 else in_order(told)
    return in_order(told)


def by_rule(rule: Rule, told: list[Told]) -> Reading | None:
    """Return the reading if a rule sorts all answers into two kinds."""
    groups: dict[int, set[Content]] = {RAISES: set(), 0: set(), 1: set()}
    pairs = [(one.step, one.period) for one in told]
    for one, holds in zip(told, rule.holds(pairs), strict=True):
        groups[holds].add(one.content)
    sizes = len(groups[0]), len(groups[1]), len(groups[RAISES] - {DIVIDED})
    if sizes != (1, 1, 0) or DIVIDED in groups[0] | groups[1]:
        return None
    (kept,), (renewed,) = groups[0], groups[1]
    swapped = kept == COPY or renewed == KEPT
    if rule.difference:
        swapped = likeness(kept) > likeness(renewed)
    return None if swapped else two(rule, renewed, kept, told)


def likeness(content: Content) -> tuple[float, str]:
    """Order contents by how much they are a copy of θ_Q."""
    if content.shares:
        return content.shares[0] - content.shares[1], ""
    return 0.5, content.words


def always(content: Content, told: list[Told]) -> Reading | None:
    """Return the reading of one that does the same at every step."""
    found = [words.SAME_ALWAYS]
    if content in (COPY, KEPT):
        found = [words.EVERY if content == COPY else words.NEVER]
    elif content.shares and is_mixture(content):
        swapped = content.shares[0] > 0.5
        found = [words.POLYAK_SWAPPED if swapped else words.POLYAK]
    elif content.words in words.OF_THETA_Q:
        found = [words.EVERY, words.RENEWED[content.words]]
    elif content.words in words.RENEWED:
        found.append(words.RENEWED[content.words])
    elif content == BOTH:
        found = [words.BOTH]
    elif not content.shares:
        return None
    return reading(f"θ_T ← {content.words} at every step", tuple(found), told)


def is_mixture(content: Content) -> bool:
    """Tell whether two positive shares make a whole."""
    share, rest = content.shares or (0.0, 0.0)
    return abs(share + rest - 1) < 1e-4 and share > 0 and rest > 0


def two(rule: Rule, renewed: Content, kept: Content, told: list[Told]) -> Reading:
    """Return the reading of one that does one of two things by a rule."""
    found = list(rule.difference)
    if renewed.shares and renewed != COPY:
        mixes = is_mixture(renewed)
        found.append(words.MIXES_AT_PERIOD if mixes else words.SCALED)
    elif renewed.words in words.RENEWED:
        found.append(words.RENEWED[renewed.words])
    elif "the others" in renewed.words:
        found.append(words.PARTS)
    if kept != KEPT:
        other = words.MIXES_BETWEEN if is_mixture(kept) else words.NOT_KEPT
        found.append({NOTHING: words.NO_ELSE, BOTH: words.BOTH}.get(kept, other))
    if renewed == BOTH and kept != BOTH:
        found.append(words.BOTH)
    formula = f"θ_T ← {renewed.words} if {rule.words}, else {kept.words}"
    return reading(formula, tuple(found), told)


def in_order(told: list[Told]) -> Reading | None:
    """Say what came at the steps that were asked in order, where no rule is found."""
    shown = told[: len(SHOWN_STEPS)]
    if is_right(shown):
        one = next(one for one in told if one.content != one.right)
        where = f"at step {one.step} with period {one.period}"
        return reading(f"{where} it returned {one.content.words}", (), told)
    at: dict[str, list[int]] = {}
    for one in shown:
        at.setdefault(one.content.words, []).append(one.step)
    lists = "; ".join(f"{name} at the steps {steps}" for name, steps in at.items())
    computes = f"asked in order with period {SHOWN_PERIOD}, it returned {lists}"
    return reading(computes, (), told)


def reading(
    computes: str, differences: tuple[Difference, ...], told: list[Told]
) -> Reading:
    """Return a reading with a table of wrong answers, those asked in order first."""
    wrong = [one for one in told if one.content != one.right][:MAX_TABLE]
    rows = [("step", "period", "your θ_T", "right θ_T")]
    rows += [
        (str(one.step), str(one.period), one.content.words, one.right.words)
        for one in wrong
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return Reading(computes, ASKED, differences, tuple(lines))
