"""Find the pattern of `epsilon_greedy`: how it chooses, and how often it explores.

The reader asks for actions with the same Q values and many random keys. From these
actions it estimates the probability of exploring and of each action. An estimate counts
as wrong if it is more than 6 standard deviations from the right probability. A pattern
fits if all estimates are within about 4.5 standard deviations of its probabilities.
"""

import re
from dataclasses import replace

import numpy as np

from grader.contract import cases
from grader.contract.case import Student
from grader.contract.outcomes import NotImplementedYet, Raised
from grader.diagnosis.patterns.choice import words
from grader.diagnosis.patterns.choice.fit import (
    OFF,
    Fit,
    Sample,
    fitted,
    law_of,
    table,
)
from grader.diagnosis.patterns.choice.laws import GREEDY, Greedy, Law
from grader.diagnosis.patterns.choice.questions import (
    ACTIONS,
    ASKED,
    BY_ROW,
    ROWS,
    OtherShape,
    Questions,
)
from grader.diagnosis.patterns.choice.rows import by_values, first_row, together
from grader.diagnosis.reading import Difference, Reading

# The second line of the message quotes the hand-in's line; comments do not count.
PYTHON_IF = r"TracerBoolConversionError.*\n.*, in [\w<>]+: [^#\"'\n]*\b(?:el)?if\b"


def read(student: Student, rng: np.random.Generator) -> Reading | None:
    """Return the reading of `epsilon_greedy`; None if it is right or no pattern fits.

    Args:
        student: the hand-in.
        rng: draws Q values and keys.

    Raises:
        Wrong: the actions are not whole numbers, or the part is a stub.
        Raised, OtherShape: the hand-in's code has raised an exception, or the actions
            have a wrong shape, at a question after the first ones. At the first ones,
            the result is a reading or None instead.
    """
    questions = Questions(student, rng)
    try:
        samples = [
            questions.chosen(q_values, epsilon)
            for q_values in questions.values
            for epsilon in questions.epsilons
        ]
    except NotImplementedYet:
        raise
    except Raised as error:
        return refused(str(error)) or questions.down_the_columns()
    except OtherShape as other:
        return questions.down_the_columns() or other.reading()
    return explained(samples, questions)


def refused(message: str) -> Reading | None:
    """Return the reading for an exception's message; None if the message is unknown.

    Two messages are known. One belongs to a Python `if` on a traced value, the other to
    a traced value that is kept and used in a later call.
    """
    if re.search(PYTHON_IF, message):
        return Reading("", "", (words.PYTHON_IF,))
    if "UnexpectedTracerError" in message:
        return Reading("", "", (words.GLOBAL_KEY,))
    return None


def explained(samples: list[Sample], questions: Questions) -> Reading | None:
    """Return the reading of the samples; None if the part is right or no pattern fits.

    Args:
        samples: the actions for each array of Q values and each ε.
        questions: asks the hand-in further questions, which the samples do not answer.
    """
    fit = fitted(samples)
    if same_for_all_keys(samples) and (found := without_key(samples, fit, questions)):
        return found
    if fit is None:
        return noisy(samples) or measured(samples)
    law, dependent = law_of(fit), [*together(samples, fit)]
    differences = [*fit.greedy.differences]
    if fit.is_off:
        off = law.differences if law else (words.OTHER_EPSILON,)
        # If each row tosses a coin of 16 sides, the law is that of EXACT_SHARE, too.
        by_itself = words.EXACT_SHARE not in dependent
        coin = words.OTHER_EPSILON if by_itself else words.EXACT_SHARE
        differences += [coin if d == words.EXACT_SHARE else d for d in off]
    differences += fit.tried.differences
    differences += [d for d in dependent if d not in differences]
    if fit.odd_rows == (0,):
        differences.append(first_row(samples, fit))
    if words.OTHER_EPSILON in differences and questions.decays():
        differences[differences.index(words.OTHER_EPSILON)] = words.DECAYS
    greedy = hard_rule(fit, questions)
    if greedy and greedy.differences and not fit.greedy.differences:
        differences = [*greedy.differences, *differences]
        fit = replace(fit, greedy=greedy)
    if never_of_two(fit, questions):
        differences.append(words.FOR_TWO)
    if not differences:
        return of_other_sizes(questions)
    if alone := questions.alone():
        differences += [d for d in alone.differences if d not in differences]
    formula = in_words(fit, law, differences)
    asked = BY_ROW if any(d in words.OF_ROWS for d in differences) else ASKED
    return Reading(formula, asked, tuple(differences), table(fit))


def never_of_two(fit: Fit, questions: Questions) -> bool:
    """Tell whether the hand-in explores with four actions, but never with two.

    Args:
        fit: the pattern that fits the answers to questions with four actions.
        questions: asks the hand-in a question with two actions.
    """
    epsilon = max(fit.exploring, key=lambda e: fit.exploring[e][0])
    if fit.exploring[epsilon][0] < 0.3 or words.CONSTANT in fit.tried.differences:
        return False
    sample = questions.chosen(cases.distinct(questions.rng, 8, 2), epsilon)
    allowed = fit.greedy.allowed(sample.q_values)
    return bool((sample.actions == allowed.argmax(axis=1)).all())


def same_for_all_keys(samples: list[Sample]) -> bool:
    """Tell whether the actions look random, but are the same for every key.

    Actions look random if not all have one rank. The rank of an action is the number of
    actions with a larger Q value in its row. Greedy actions, for example, all have rank
    0; they need no key.
    """
    alike = all((s.actions == s.actions[0]).all() for s in samples)
    taken = [s.q_values[np.arange(ROWS), s.actions[0] % ACTIONS] for s in samples]
    levels = [
        {int(rank) for rank in (s.q_values > t[:, None]).sum(axis=1)}
        for s, t in zip(samples, taken, strict=True)
    ]
    return alike and any(len(level) > 1 for level in levels)


def without_key(
    samples: list[Sample], fit: Fit | None, questions: Questions
) -> Reading | None:
    """Return the reading for actions that are the same for every key.

    Two calls with the same key, without `jax.jit`, show where the chance comes from. If
    they differ, NumPy draws the actions. If they are equal, the key is fixed in the
    code, or there is no chance at all. Chance differs from row to row: with a fixed
    key, an action depends on the place of its row.

    Args:
        samples: the actions for each array of Q values and each ε.
        fit: the pattern that fits the samples; None if no pattern fits.
        questions: asks the hand-in further questions.

    Returns:
        None if nothing in the hand-in is random and a pattern fits: it says more. If
        the actions depend on ε, it has to fit in every row.
    """
    text = "the same actions for every key"
    try:
        repeats = questions.repeats(1.0)
    except Raised as error:
        if found := refused(str(error)):
            return found
        repeats = True
    if not repeats:
        text = f"{text} under jax.jit, and other ones for one key in plain calls"
        return Reading(text, ASKED, (words.NUMPY,))
    if any((actions != actions[0]).any() for actions in by_values(samples)):
        if fit and not fit.odd:
            return None
        own_key = questions.by_place(samples)
        return Reading(text, ASKED, (words.FIXED_KEY,) if own_key else ())
    if (action := questions.only_action(samples)) is not None:
        text = f"action {action} for every row, whatever Q, ε and the key are"
        return Reading(text, ASKED, (words.ONE_FOR_ALL,))
    return None if fit else Reading(f"{text} and every ε", ASKED, (words.NO_CHANCE,))


def hard_rule(fit: Fit, questions: Questions) -> Greedy | None:
    """Return the rule by which the hand-in chooses between tied or close Q values.

    The question has Q values that are equal, close together or whole numbers. The most
    frequent action of each row is compared with the rules in `GREEDY`.

    Returns:
        None if no rule fits, or if the hand-in explores too often to show its greedy
        action.
    """
    epsilon = min(fit.exploring, key=lambda e: fit.exploring[e][0])
    if fit.exploring[epsilon][0] > 0.4:
        return None
    sample = questions.hard(epsilon)
    # The most frequent action of each row; numbers beyond 0 to 9 are clipped.
    modes = [int(np.bincount(row.clip(0, 9)).argmax()) for row in sample.actions.T]
    for greedy in GREEDY:
        allowed = greedy.allowed(sample.q_values)
        rows = zip(allowed, modes, strict=True)
        if all(row[a] if a < ACTIONS else not row.any() for row, a in rows):
            return greedy
    return None


def of_other_sizes(questions: Questions) -> Reading | None:
    """Return the reading of a mistake with a single row or under `jax.jit`, or None.

    First the hand-in is asked for the action of a single row; the shape of its answer
    may be wrong. If the shape is right, but `jax.jit` could not trace the hand-in, the
    reading gives the reason. Two reasons are known: a Python `if` on a traced value,
    and actions that depend on more than the arguments, such as NumPy's generator.
    """
    if alone := questions.alone():
        return alone
    if questions.untraced:
        if not questions.repeats(0.5):
            text = "asked twice with one key, it gives other actions"
            return Reading(text, ASKED, (words.OTHER_CHANCE,))
        return refused(questions.untraced)
    return None


def in_words(fit: Fit, law: Law | None, differences: list[Difference]) -> str:
    """Return the hand-in's pattern as a sentence.

    Args:
        fit: the pattern that fits the samples.
        law: the formula of the probability of exploring; None if no formula fits.
        differences: all mistakes that were found.
    """
    chance = f"probability {law.words}" if law else "another probability than ε"
    if words.DECAYS in differences:
        chance = "a probability that falls from call to call"
    text = f"with {chance} {fit.tried.words}, else {fit.greedy.words}"
    for difference, more in {
        words.PER_BATCH: "one coin for all rows",
        words.SHARED: "one random action for all rows",
        words.DEALT: "each action as often as the others in every call",
        words.FOR_TWO: "with two actions never any but the greedy one",
        words.EXACT_SHARE: "nearly the same number of rows in every call",
        words.DEPENDENT: "the rows of a call depend on each other",
        words.REUSED_SCORES: "but other shares in row 0",
        words.FIRST_OTHER: "but other shares in row 0",
        words.FIRST_NEVER: "but row 0 never explores",
    }.items():
        text += f"; {more}" if difference in differences else ""
    return text


def noisy(samples: list[Sample]) -> Reading | None:
    """Return the reading "noise is added to the Q values"; None if it does not fit.

    It fits a hand-in that takes only the best action at ε = 0, never the worst action
    at any other ε, and sometimes the second best action at ε = 1.

    Args:
        samples: the actions for each array of Q values and each ε.
    """
    for sample in samples:
        ranks = (-sample.q_values).argsort(axis=1).argsort(axis=1)
        taken = sample.taken[:, :, :-1]
        shares = [float(taken[:, ranks == rank].mean()) for rank in range(ACTIONS)]
        wrong = shares[0] < 1 if sample.epsilon == 0 else shares[-1] > 0
        if wrong or (sample.epsilon == 1 and shares[1] == 0):
            return None
    text = "at ε = 1 the worst action never, the second best sometimes"
    return Reading(text, ASKED, (words.NOISE,))


def measured(samples: list[Sample]) -> Reading | None:
    """Return a reading with action frequencies that are certainly wrong, or None.

    This reading is for hand-ins that no pattern fits. If the frequencies of the actions
    at ε = 1 are wrong, the reading lists them. Otherwise it gives the frequency of the
    greedy action at an ε at which this frequency is wrong.

    Args:
        samples: the actions for each array of Q values and each ε.
    """
    for sample in samples:
        by_call = sample.taken[:, :, :-1].mean(axis=1)
        shares, spreads = (
            by_call.mean(axis=0),
            by_call.std(axis=0) / len(by_call) ** 0.5,
        )
        off = np.abs(shares - 1 / ACTIONS) > OFF * spreads + 1e-3
        if sample.epsilon == 1 and off.any():
            listed = ", ".join(f"{share:.2g}" for share in shares)
            text = f"at ε = 1 the actions come with the shares [{listed}]"
            return Reading(text, ASKED, ())
    for sample in samples:
        best = sample.q_values.argmax(axis=1)
        calls = (sample.actions == best).mean(axis=1)
        share, spread = float(calls.mean()), float(calls.std()) / len(calls) ** 0.5
        expected = 1 - sample.epsilon + sample.epsilon / ACTIONS
        if abs(share - expected) > OFF * spread + 1e-3:
            text = (
                f"at ε = {sample.epsilon:g} with {ACTIONS} actions the greedy action "
                f"came in {100 * share:.1f} % of the cases, where "
                f"{100 * expected:.1f} % are expected"
            )
            return Reading(text, ASKED, ())
    return None
