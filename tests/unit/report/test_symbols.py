"""Symbols have substitutes in encodings that lack them."""

import pytest

from grader.classroom.gradebooks import moodle
from grader.contract.exercises import ROOT
from grader.report.symbols import MARKS, SUBSTITUTES, fit

# The code of the grader and of the starter, from which messages are made.
SOURCES = [*(ROOT / "grader").rglob("*.py"), ROOT / "starter" / "dqn.py"]
SYMBOLS = {c for path in SOURCES for c in path.read_text(encoding="utf-8") if c > "~"}
# Searched for in spreadsheets, never shown: signs of formulas, words of many languages.
SEARCHED = {*"＝＋－＠".join([*moodle.NO, *moodle.YES])}


def test_every_symbol_has_a_substitute():
    """Each symbol that the grader can write is shown in ASCII without a "?"."""
    assert "θ" in SYMBOLS
    for symbol in SYMBOLS - SEARCHED:
        assert "?" not in fit(symbol, "ascii"), (symbol, hex(ord(symbol)))


def test_substitutes_are_ascii():
    """No substitute needs a substitute."""
    assert all(word.isascii() for word in SUBSTITUTES.values())


def test_marks_differ_in_ascii():
    """In ASCII, each outcome has a mark of its own, of one character."""
    marks = [fit(mark, "ascii") for mark, _ in MARKS.values()]
    assert len({*marks}) == len(marks)
    assert {*map(len, marks)} == {1}


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("y = r + ¬d γ max Q(s′,·; θ_T)", "utf-8", "y = r + ¬d γ max Q(s′,·; θ_T)"),
        (
            "y = r + ¬d γ max Q(s′,·; θ_T)",
            "ascii",
            "y = r + not d gamma max Q(s',.; theta_T)",
        ),
        ("✓ ½ … é θ", "cp1252", "+ ½ … é theta"),
        ("José 李 \ud800", "ascii", "Jose ? ?"),
    ],
)
def test_only_what_is_missing_is_replaced(text, encoding, expected):
    """What an encoding has stays; letters lose accents; the rest becomes "?"."""
    assert fit(text, encoding) == expected
