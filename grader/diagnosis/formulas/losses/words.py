"""Writes a formula as text, and the table of its targets for some rows."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from grader.diagnosis.formulas.grammar import PREFIX, Formula
from grader.diagnosis.formulas.losses.sample import Sample
from grader.diagnosis.formulas.losses.search import Found, Language
from grader.diagnosis.formulas.rows import Rows
from grader.diagnosis.formulas.value import value_words
from grader.diagnosis.reading import Difference, Reading, headed, in_columns

MOST_ROWS = 5
MOST_COLUMNS = 76  # characters of a line
# Masks whose text is never shortened. If a mask has values other than 0 and 1, applying
# it twice is not the same as applying it once. So the text shows such a mask twice.
NO_MASKS = ("", "(−d)", "(−1 − d)", "(1 + d)", "mean(¬d)")
NO_REDUCTION = (
    "You return B numbers, one for each row. A loss is a scalar, their mean: only a "
    "scalar has a gradient (slides: Deep Learning Review)."
)


def target_words(formula: Formula) -> str:
    """Return the right side of "y = …" for a formula's target, as text."""
    words = {
        "R": formula["reward"].words,
        "M": formula["mask"].words,
        "D": formula["discount"].words,
        "V": value_words(formula),
    }
    whole = formula["join"].words.format(**words)
    if words["M"] not in NO_MASKS:
        inner = f"({words['R']} + {words['M']} "
        whole = whole.replace(f"{words['M']} {inner}", f"{words['M']} ({words['R']} + ")
    whole = whole.removeprefix("0 + ").replace("( ", "(").replace("+ (−d)", "− d")
    whole = " ".join(whole.split())
    return formula["after"].words.format(y=whole)


def label_words(formula: Formula) -> str:
    """Return a formula's labels as text, for example "G" or "normalised(G)".

    `mc_loss` compares its predictions with the labels.

    Args:
        formula: a formula of `mc_loss`.
    """
    return formula["after"].words.format(y=formula["label"].words)


def swapped(words: str, view: str) -> str:
    """Return a formula's text with two symbols exchanged.

    Args:
        words: the text.
        view: the two symbols with a blank between, for example "θ_Q θ_T"; "" for no
            exchange.
    """
    if not view:
        return words
    a, b = view.split()
    if b.startswith(a):  # s is the beginning of s′
        return words.replace(b, "\0").replace(f"({a},", f"({b},").replace("\0", a)
    return words.replace(b, "\0").replace(a, b).replace("\0", a)


def loss_words(found: Found, symbol: str, growth: str = "") -> str:
    """Return the right side of "L = …" for a formula's loss, as text.

    Args:
        found: the formula, and the factor by which the hand-in's loss differs from it.
        symbol: the text of the target in this formula, for example "y".
        growth: how many losses the code returns, as text: "B" (the number of rows),
            "B²", or "B A" (rows times actions); "" if it returns one loss.
    """
    formula = found.formula
    predicted = formula["predict"].words.replace("θ_Q", formula["by"].words)
    predicted = formula["pairing"].words.format(p=predicted)
    error = formula["error"].words.format(e=f"{predicted} − {symbol}")
    f = formula["weight"].words + error
    mean = f if growth else formula["reduction"].words.format(f=f)
    return found.scale.words(growth or natural_growth(formula), mean)


def natural_growth(formula: Formula) -> str:
    """Return "A" if a factor A in a formula's loss is no mistake; otherwise "".

    A is the number of actions. The result is "A" for a formula with a target for each
    action: y for the action taken, and 0 for the others. This formula takes the mean
    over the actions. Code that takes the sum returns A times as much, which is no
    mistake of its own.
    """
    return "A" if formula["predict"].words.endswith("0 for the others") else ""


def lines(found: Found, right: Formula, symbol: str, growth: str) -> tuple[str, str]:
    """Return the lines in which the code's formula differs from the right formula.

    Args:
        found: the code's formula, and the factor of the code's loss.
        right: the right formula.
        symbol: "y" for `td_loss`; "G" for `mc_loss`.
        growth: how many losses the code returns, as text: "B" (the number of rows),
            "B²", or "B A" (rows times actions); "" if it returns one loss.

    Returns:
        The lines of what the code computes, and the lines of what is asked, as two
        texts.
    """
    formula, view = found.formula, found.formula["view"].words
    plain = Found(right, type(found.scale)())
    sides: tuple[list[str], list[str]] = ([], [])
    pairs, symbols = [], [symbol, symbol]
    if symbol == "y":
        pairs.append((f"y = {target_words(formula)}", f"y = {target_words(right)}"))
    else:
        symbols = [label_words(formula), label_words(right)]
    own, asked = loss_words(found, symbols[0], growth), loss_words(plain, symbols[1])
    pairs.append((f"L = {own}", f"L = {asked}"))
    for own, asked in pairs:
        own = swapped(own, view)
        if own != asked:
            sides[0].append(own)
            sides[1].append(asked)
    return "\n".join(sides[0]), "\n".join(sides[1])


def reading(language: Language, found: Found, sample: Sample) -> Reading | None:
    """Return the reading of the code's formula, or None if the code is right.

    The code is wrong if its formula or its factor is wrong, or if it returns an array
    of losses.

    Args:
        language: all formulas of the part.
        found: the code's formula, and the factor of the code's loss.
        sample: a question with the hand-in's answer. Its transitions are shown in the
            reading's table of targets, if there is one.
    """
    formula, right, rows = found.formula, language.right, sample.rows
    growth = ""
    if sample.each is not None:
        sizes = {rows.size: "B", rows.size**2: "B²", rows.size * rows.width: "B A"}
        growth = sizes.get(sample.each.size, "B")
    differences = (
        *formula.differences,
        *found.scale.differences(language.part, growth or natural_growth(formula)),
    )
    if growth:
        name = f"{PREFIX[language.part]}-no-reduction"
        differences = (*differences, Difference(name, NO_REDUCTION))
    if not differences:
        return None
    symbol = "y" if language.part == "td_loss" else "G"
    computes, asked = lines(found, right, symbol, growth)
    table: tuple[str, ...] = ()
    if symbol == "y" and computes.startswith("y"):
        table = table_of(language, formula, rows)
    found_reading = Reading(computes, asked, differences, table)
    return found_reading if symbol == "y" else of_episode(found_reading)


def in_steps(text: str) -> str:
    """Replace B, "batch" and "transition" in a text by T, "episode" and "step"."""
    text = re.sub("(?<![A-Za-z])B(?![A-Za-z])", "T", text)
    text = text.replace("a batch", "an episode").replace("batch", "episode")
    return text.replace("transition", "step")


def of_episode(of_batch: Reading, reworded: Callable = in_steps) -> Reading:
    """Return a reading whose texts are rewritten for an episode of T steps.

    Args:
        of_batch: the same reading with texts for a batch of B transitions.
        reworded: the function that rewrites a text.
    """
    return replace(
        of_batch,
        computes=reworded(of_batch.computes),
        asked=reworded(of_batch.asked),
        differences=tuple(
            replace(difference, hint=reworded(difference.hint))
            for difference in of_batch.differences
        ),
    )


def table_of(language: Language, formula: Formula, rows: Rows) -> tuple[str, ...]:
    """Return the lines of a table that compares a formula's targets with right ones.

    Args:
        language: all formulas of the part.
        formula: the formula that the hand-in computes.
        rows: the transitions of a question; the table shows the first `MOST_ROWS`.
    """
    viewed = formula["view"].compute(rows)
    own, right = (
        language.target_of(viewed, formula),
        language.target_of(rows, language.right),
    )
    words = swapped(value_words(formula), formula["view"].words)
    state = "s" if "(s," in words else "s′"
    networks = [name for name in ("θ_T", "θ_Q") if name in words or name == "θ_T"]
    values = {
        ("s′", "θ_T"): rows.t_n,
        ("s′", "θ_Q"): rows.q_n,
        ("s", "θ_T"): rows.t_s,
        ("s", "θ_Q"): rows.q_s,
    }
    columns = [
        ["a", *(str(a) for a in rows.a)],
        ["r", *(short(r) for r in rows.r)],
        ["d", *(str(int(d)) for d in rows.d)],
    ]
    for network in networks:
        texts = map(vector, values[state, network])
        columns.append([f"Q({state},·; {network})", *texts])
    if own.shape[-2:] == (1, rows.size):
        columns.append(["your y", *(short(y) for y in own[0])])
    columns.append(["right y", *(short(y) for y in right[0])])
    lines = zip(*(column[: MOST_ROWS + 1] for column in columns), strict=True)
    table = in_columns([*lines], str.rjust, most=MOST_COLUMNS)
    return headed(f"another batch, γ = {short(rows.gamma)}", table)


def vector(values: np.ndarray) -> str:
    """Return numbers, such as a row's Q values, as text with two decimals each."""
    return " ".join(f"{value:5.2f}" for value in values)


def short(value: float) -> str:
    """Return a number as text, rounded to four significant digits."""
    return f"{value:.4g}"
