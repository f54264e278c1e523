"""The diagnosis of a wrong part comes from the part's reader, or from fingerprints.

Fingerprints are for parts without a reader. If a reader finds nothing, the hand-in is
imported anew and asked again. If its answer differs, the diagnosis says so.
"""

import numpy as np
import pytest

from grader.contract.case import Answer
from grader.diagnosis import diagnose as diagnosing
from grader.diagnosis.diagnose import REMEMBERS, diagnose
from grader.diagnosis.fingerprints import agree
from grader.diagnosis.reading import Difference, Reading
from grader.oracle.known import Known, Mistake

RNG = np.random.default_rng(0)


class Student:
    """A fake hand-in that answers all questions with one number.

    Args:
        value: the number.
        anew: the number after the hand-in is imported anew; None if it does not change.
    """

    def __init__(self, value: float, anew: float | None = None) -> None:
        self.value, self.anew = value, value if anew is None else anew

    def answer(self, case) -> Answer:
        """Return an answer that holds the number, whatever the case is."""
        return Answer({"terminateds": np.array([self.value]), "Q": np.ones(2)})

    def afresh(self) -> "Student":
        """Return the hand-in imported anew, which answers with the number `anew`."""
        return Student(self.anew)


def test_a_reading_is_told_in_lines(monkeypatch):
    """The diagnosis shows the hand-in's formula, then the right formula and a table.

    All mistakes are named, and the hint has a line for each mistake.
    """
    differences = (Difference("td-no-mask", "one"), Difference("td-half", "two"))
    found = Reading("y = r\nL = ½ δ²", "y = r + v", differences, ("a  b",))
    monkeypatch.setitem(diagnosing.READERS, "td_loss", lambda *_: found)
    said = diagnose("td_loss", Student(1), Known(), RNG)
    assert (said.names, said.hint) == ("td-no-mask and td-half", "one\ntwo")
    assert said.reading.splitlines() == [
        "Your code computes   y = r",
        "                     L = ½ δ²",
        "What is asked        y = r + v",
        "a  b",
    ]


@pytest.mark.parametrize(("anew", "hint"), [(1.0, None), (2.0, REMEMBERS)])
def test_a_part_that_remembers(monkeypatch, anew, hint):
    """If a new import of the hand-in changes a part's answer, the hint says so.

    If the answer stays the same, there is no diagnosis. The part has no reading here.
    """
    monkeypatch.setitem(diagnosing.READERS, "td_loss", lambda *_: None)
    said = diagnose("td_loss", Student(1.0, anew), Known(), RNG)
    assert (said and said.hint) == hint


def test_at_most_two_names():
    """If one or two known mistakes have the fingerprint of the part, they are named.

    If three known mistakes have this fingerprint, there is no diagnosis.
    """
    part = "episode_terminateds"
    right, wrong = {"flags 1": [1.0], "flags 4": [1.0]}, {"flags 1": [2.0]}
    wrong["flags 4"] = [2.0]

    def said(count: int):
        mistakes = [Mistake(f"m{i}", f"hint {i}", wrong) for i in range(count)]
        return diagnose(part, Student(2.0), Known({part: right}, {part: mistakes}), RNG)

    assert (said(1).names, said(1).hint) == ("m0", "hint 0")
    assert said(2).names == "m0 or m1"
    assert said(2).hint.splitlines() == ["Either: hint 0", "Or: hint 1"]
    assert said(3) is None


def test_fingerprints_agree_within_rounding():
    """Two fingerprints agree if their numbers are equal up to rounding.

    Texts in fingerprints have to be equal.
    """
    a = {"G": [100.0, 0.0], "jit": "no"}
    assert agree(a, {"G": [100.01, 0.01], "jit": "no"})
    for other in (
        {"G": [100.1, 0.0], "jit": "no"},
        {"G": [100.0, 0.0], "jit": "yes"},
        {"G": [100.0], "jit": "no"},
        {"G": [100.0, 0.0]},
    ):
        assert not agree(a, other)
