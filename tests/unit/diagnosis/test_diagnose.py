"""What is said of wrong work that is like no known mistake, and like two of them."""

import pytest

from grader.diagnosis.diagnose import agree, diagnose
from grader.oracle.known import Known, Mistake


def test_at_most_two_names():
    """Two known mistakes that fit are both said, three are none."""
    right = {"sync_target": {"0 of 3": [1.0]}}
    wrong = {"0 of 3": [2.0]}

    class Student:
        """Answers everything like the known mistakes."""

    def told(count: int):
        mistakes = [Mistake(f"m{i}", f"hint {i}", wrong) for i in range(count)]
        known = Known(right, {"sync_target": mistakes})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("grader.diagnosis.probes.fingerprint", lambda *_: wrong)
            patch.setattr("grader.diagnosis.measurements.measured", lambda *_: "a fact")
            return diagnose("sync_target", Student(), None, known)

    assert (told(1).id, told(1).hint) == ("m0", "hint 0")
    assert told(2).id == "m0 or m1"
    assert "hint 0" in told(2).hint
    assert "hint 1" in told(2).hint
    assert (told(3).id, told(3).hint) == (None, "a fact")


def test_fingerprints_agree_within_rounding():
    """Values to some digits, shares to what chance allows, words to the letter."""
    a = {"G": [100.0, 0.0], "~share": [0.25], "jit": "no"}
    part = "epsilon_greedy"
    assert agree(part, a, {"G": [100.01, 0.01], "~share": [0.255], "jit": "no"})
    for other in (
        {"G": [100.1, 0.0], "~share": [0.25], "jit": "no"},
        {"G": [100.0, 0.0], "~share": [0.27], "jit": "no"},
        {"G": [100.0, 0.0], "~share": [0.25], "jit": "yes"},
        {"G": [100.0], "~share": [0.25], "jit": "no"},
        {"G": [100.0, 0.0], "~share": [0.25]},
    ):
        assert not agree(part, a, other)


def test_an_exception_under_jit_alone_names_nothing():
    """Right numbers that cannot be traced: many mistakes raise the same."""
    part = "td_loss"
    right = {"loss 0": [1.0], "jit": [0.0]}
    raises = {"loss 0": [1.0], "jit": "td_loss: TracerBoolConversionError: no"}
    known = Known({part: right}, {part: [Mistake("loop", "a hint", raises)]})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("grader.diagnosis.probes.fingerprint", lambda *_: raises)
        assert diagnose(part, None, None, known) is None
