"""Find the pattern of `sync_target`: at which steps it returns which parameters.

First each answer is described by its content: "θ_Q", "θ_T", a mixture of both, or
something else. Then the reader looks for a rule that says at which steps θ_T is
renewed, that is, replaced by something new. The rule must explain the answers to two
independent sets of questions.
"""

from dataclasses import dataclass, replace

import numpy as np

from grader.contract import cases
from grader.contract.case import Student
from grader.contract.compare import same_arrays
from grader.contract.outcomes import NotImplementedYet, Raised, Wrong
from grader.diagnosis.patterns.renewal import words
from grader.diagnosis.patterns.renewal.contents import (
    BOTH,
    COPY,
    DIVIDED,
    KEPT,
    NOTHING,
    OTHER,
    Content,
    content_of,
    is_mixture,
    likeness,
    refusal,
)
from grader.diagnosis.patterns.renewal.questions import (
    SHOWN_PERIOD,
    SHOWN_STEPS,
    divisors,
    questions,
)
from grader.diagnosis.patterns.renewal.rules import (
    RAISES,
    Pairs,
    Rule,
    numbered,
    rules,
)
from grader.diagnosis.reading import Difference, Reading, in_columns

ASKED = "θ_T ← θ_Q if step is a multiple of period, else θ_T"
MAX_TABLE = 6

Trees = tuple[list[np.ndarray], list[np.ndarray]]  # theta_Q and theta_T


@dataclass(frozen=True)
class Observation:
    """One answer of `sync_target`, with its question.

    Attributes:
        step: the argument step.
        period: the argument period.
        content: what the returned parameters are, such as a copy of θ_Q.
    """

    step: int
    period: int
    content: Content

    @property
    def right(self) -> Content:
        """The content of the right answer to this question: θ_Q or θ_T."""
        return KEPT if self.step % self.period else COPY


def read(student: Student, rng: np.random.Generator) -> Reading | None:
    """Return the reading of `sync_target`.

    If no pattern explains the answers, the reading lists some of them.

    Args:
        student: the hand-in.
        rng: draws steps, periods and parameters.

    Returns:
        None if `sync_target` is right. None also if all answers have the same content,
        such as "other numbers", and this is no known mistake. None also if an answer is
        an exception, and no known mistake explains it.

    Raises:
        NotImplementedYet: the part is a stub.
        Raised: the hand-in's code has raised an exception at a question that was asked
            again, with other parameters.
        Wrong: the answer to such a question is not valid.
    """
    student = student.afresh()  # if the hand-in counts calls, its count begins at 0
    observed = ask(student, rng, questions(rng))
    if is_right(observed) and (found := deleting(student, rng)):
        return found
    most = max((one.content for one in observed), key=likeness)
    renewed = [one.step for one in observed if one.step and one.content == most]
    observed += ask(student, rng, [*questions(rng), *divisors(renewed)])
    if any(one.content == OTHER for one in observed):
        observed = with_new_numbers(student, rng, observed)
    found = explained(observed)
    if found and not found.differences:  # no rule fits
        found = remembering(student, rng, observed) or found
    return found


def ask(student: Student, rng: np.random.Generator, pairs: Pairs) -> list[Observation]:
    """Ask `sync_target` one question for each pair (step, period).

    Args:
        student: the hand-in.
        rng: draws new theta_Q and theta_T for each question.
        pairs: the arguments step and period of each question.

    Returns:
        One observation (question and answer) for each pair, in order.

    Raises:
        NotImplementedYet: the part is a stub.
    """
    return [
        Observation(*pair, answered(student, trees_of(rng), *pair)) for pair in pairs
    ]


def trees_of(rng: np.random.Generator) -> Trees:
    """Draw theta_Q and theta_T, each as a list of arrays."""
    return cases.probe(rng, 4, 2), cases.probe(rng, 4, 2)


def answered(student: Student, trees: Trees, step: int, period: int) -> Content:
    """Ask `sync_target` one question, and return the content of the answer.

    If the hand-in raises an exception or its answer is not valid, the content says why.

    Args:
        student: the hand-in.
        trees: theta_Q and theta_T.
        step: the argument step.
        period: the argument period.

    Raises:
        NotImplementedYet: the part is a stub.
    """
    try:
        answer = student.answer(cases.sync(*trees, step, period))
        return content_of(answer.leaves("theta_T"), *trees)
    except NotImplementedYet:
        raise
    except (Raised, Wrong) as error:
        return refusal(error)


def with_new_numbers(
    student: Student, rng: np.random.Generator, observed: list[Observation]
) -> list[Observation]:
    """Replace "other numbers" by "new numbers" if the answers ignore θ_Q and θ_T.

    "Other numbers" is the content of an answer that no combination of θ_Q and θ_T
    explains. Up to three questions with such an answer are asked twice, with different
    parameters. If the two answers are equal for each question, the content "other
    numbers" is replaced in all observations. If not, nothing is replaced.

    Args:
        student: the hand-in.
        rng: draws parameters.
        observed: all observations.

    Raises:
        Raised: the hand-in's code has raised an exception.
        Wrong: an answer is not valid.
    """
    strange = [one for one in observed if one.content == OTHER]
    for one in strange[:3]:
        found = []
        for trees in (trees_of(rng), trees_of(rng)):
            answer = student.answer(cases.sync(*trees, one.step, one.period))
            found.append(answer.leaves("theta_T"))
        if not same_arrays(*found):
            return observed
    new = Content("new numbers")
    return [replace(one, content=new) if one in strange else one for one in observed]


def deleting(student: Student, rng: np.random.Generator) -> Reading | None:
    """Return a reading if a call deletes arrays that the caller passed in, else None.

    Call this function only if the answers of `sync_target` are right.
    """
    if any(student.changed(cases.sync(*trees_of(rng), s, 3), "jax") for s in (3, 4)):
        computes = f"{ASKED}; arrays that came in are deleted"
        return Reading(computes, f"{ASKED}; no argument is changed", (words.DONATES,))
    return None


def remembering(
    student: Student, rng: np.random.Generator, observed: list[Observation]
) -> Reading | None:
    """Return a reading if a question gets another answer when asked first, or None.

    The first four questions with a wrong answer, except those at step 0, are asked
    again. Before each of them the hand-in is imported anew. A reading is returned if
    one of the two answers to a question is θ_Q and the other one θ_T.

    Args:
        student: the hand-in.
        rng: draws parameters.
        observed: all answers.
    """
    for one in [one for one in observed if one.step and one.content != one.right][:4]:
        first = answered(student.afresh(), trees_of(rng), one.step, one.period)
        if {first, one.content} == {COPY, KEPT}:
            after = f"it returned {one.content.words} after other questions"
            computes = f"{place_of(one)} {after}, and {first.words} when asked first"
            return reading(computes, (words.REMEMBERS,), observed)
    return None


# ---------------------------------------------------------------- all answers


def place_of(one: Observation) -> str:
    """Return an answer's question as text: "at step 4 with period 2"."""
    return f"at step {one.step} with period {one.period}"


def is_right(observed: list[Observation]) -> bool:
    """Tell whether all answers are right."""
    return all(one.content == one.right for one in observed)


def explained(observed: list[Observation]) -> Reading | None:
    """Return the reading of all answers.

    It says by which rule θ_T is renewed. If no rule explains the answers, it lists some
    of them, see `in_order`.

    Args:
        observed: all answers, in the order of the questions. Those for the steps
            `SHOWN_STEPS` are the first.

    Returns:
        None in three cases: all answers are right; all have the same content, such as
        "other numbers", and this is no known mistake; or an answer is an exception, and
        no known mistake explains it.
    """
    if is_right(observed):
        return None
    contents = {one.content for one in observed}
    if len(contents) == 1:
        return same_always(contents.pop(), observed)
    for rule in rules():
        if found := by_rule(rule, observed):
            return found
    for alike in numbered():
        fits = [found for rule in alike if (found := by_rule(rule, observed))]
        if fits:  # if two constants fit, neither is reported
            return fits[0] if len(fits) == 1 else in_order(observed)
    return in_order(observed)


def by_rule(rule: Rule, observed: list[Observation]) -> Reading | None:
    """Return the reading if a rule explains all answers, else None.

    A rule says at which steps θ_T is renewed, that is, replaced by something new. It
    explains all answers if those at these steps have one content, and those at all
    other steps have another one, and if the two are not the wrong way round. For the
    right rule this means: the content at these steps is not θ_T, and that at the other
    steps is not θ_Q. For a wrong rule it means: the content at the other steps is not
    more like θ_Q (see `likeness`) than that at these steps. Where the rule divides by
    zero, the answer must be a division by zero, too.
    """
    groups: dict[int, set[Content]] = {RAISES: set(), 0: set(), 1: set()}
    pairs = [(one.step, one.period) for one in observed]
    for one, holds in zip(observed, rule.holds(pairs), strict=True):
        groups[holds].add(one.content)
    sizes = len(groups[0]), len(groups[1]), len(groups[RAISES] - {DIVIDED})
    if sizes != (1, 1, 0) or DIVIDED in groups[0] | groups[1]:
        return None
    (kept,), (renewed,) = groups[0], groups[1]
    swapped = kept == COPY or renewed == KEPT
    if rule.difference:
        swapped = likeness(kept) > likeness(renewed)
    return None if swapped else two_contents(rule, renewed, kept, observed)


def same_always(content: Content, observed: list[Observation]) -> Reading | None:
    """Return the reading of a hand-in whose answers all have the same content.

    Returns:
        None if the content is no known mistake, for example "other numbers".
    """
    found = [words.SAME_ALWAYS]
    if content in (COPY, KEPT):
        found = [words.EVERY if content == COPY else words.NEVER]
    elif content.shares and is_mixture(content):
        swapped = content.shares[0] > 0.5
        found = [words.POLYAK_SWAPPED if swapped else words.POLYAK]
    elif content.words in words.OF_THETA_Q:
        found = [words.EVERY, words.RENEWED[content.words]]
    elif content.words in words.RENEWED:
        found = [] if content.raised else found
        found.append(words.RENEWED[content.words])
    elif content == BOTH:
        found = [words.BOTH]
    elif not content.shares:
        return None
    return reading(f"θ_T ← {content.words} at every step", tuple(found), observed)


def two_contents(
    rule: Rule, renewed: Content, kept: Content, observed: list[Observation]
) -> Reading | None:
    """Return the reading of answers with two contents, between which a rule decides.

    Args:
        rule: rule that says at which steps θ_T is replaced by something new.
        renewed: content of the answers at these steps.
        kept: content of the answers at all other steps.
        observed: all answers.

    Returns:
        None if an answer is an exception, and no known mistake explains the answers.
    """
    found = list(rule.difference)
    if renewed.shares and renewed != COPY:
        mixes = is_mixture(renewed)
        found.append(words.MIXES_AT_PERIOD if mixes else words.SCALED)
    elif renewed.words in words.RENEWED:
        found.append(words.RENEWED[renewed.words])
    elif "the others" in renewed.words:
        found.append(words.PARTS)
    if kept != KEPT and not kept.raised:
        other = words.MIXES_BETWEEN if is_mixture(kept) else words.NOT_KEPT
        found.append({NOTHING: words.NO_ELSE, BOTH: words.BOTH}.get(kept, other))
    if renewed == BOTH and kept != BOTH:
        found.append(words.BOTH)
    formula = f"θ_T ← {renewed.words} if {rule.words}, else {kept.words}"
    return reading(formula, tuple(found), observed)


def in_order(observed: list[Observation]) -> Reading | None:
    """Return a reading that lists the answers to `SHOWN_STEPS`.

    This reading is used if no rule explains the answers. If the answers to these steps
    are right, the reading names one wrong answer to another question.

    Args:
        observed: all answers, in the order of the questions. Those for the steps
            `SHOWN_STEPS` are the first.

    Returns:
        None if the hand-in has raised an exception.
    """
    shown = observed[: len(SHOWN_STEPS)]
    if is_right(shown):
        one = next(one for one in observed if one.content != one.right)
        return reading(f"{place_of(one)} it returned {one.content.words}", (), observed)
    at: dict[str, list[int]] = {}
    for one in shown:
        at.setdefault(one.content.words, []).append(one.step)
    lists = "; ".join(f"{name} at the steps {steps}" for name, steps in at.items())
    computes = f"asked in order with period {SHOWN_PERIOD}, it returned {lists}"
    return reading(computes, (), observed)


def reading(
    computes: str, differences: tuple[Difference, ...], observed: list[Observation]
) -> Reading | None:
    """Return a reading with a table of wrong answers.

    If an answer is an exception other than a division by zero, the reading has the
    mistakes alone: no pattern and no table.

    Args:
        computes: the pattern of the hand-in, in words.
        differences: the mistakes.
        observed: all answers; the table shows up to `MAX_TABLE` wrong ones.

    Returns:
        None if an answer is an exception and `differences` is empty. None also if an
        answer is an exception that is neither a division by zero nor a known mistake: a
        key of `words.RENEWED`.
    """
    raised = {one.content for one in observed if one.content.raised}
    known = all(one == DIVIDED or one.words in words.RENEWED for one in raised)
    if raised and not (known and differences):
        return None
    if raised - {DIVIDED}:
        return Reading("", "", differences)
    wrong = [one for one in observed if one.content != one.right][:MAX_TABLE]
    rows = [("step", "period", "your θ_T", "right θ_T")]
    rows += [
        (str(one.step), str(one.period), one.content.words, one.right.words)
        for one in wrong
    ]
    return Reading(computes, ASKED, differences, in_columns(rows))
