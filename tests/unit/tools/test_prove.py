"""`make prove` reports hand-ins that get other points or diagnoses than expected.

Its functions get results that these tests write down; no hand-in is graded.
"""

import sys
from concurrent.futures import Future
from dataclasses import replace

import pytest

from grader.contract.outcomes import Outcome
from grader.report.model import Check, Exercise
from tests.corpus.cheats import CHEATS
from tests.corpus.cheats.definition import UNPAID
from tests.corpus.mutants import MUTANTS
from tests.corpus.narrow import NARROW
from tests.support import handins
from tests.support.handins import checks_of
from tests.support.proof import Row, check_names, same_but_for_rounding
from tests.tools import prove

(HALF,) = (mutant for mutant in MUTANTS if mutant.id == "td-half")
CAUGHT = Row(
    HALF, ["batch_mixed"], 4.0, [], {"td-half"}, "½", "[td_loss]\n  loss: 2.5\n"
)


def done(results: object) -> Future:
    """Return a finished future whose result is `results`."""
    future: Future = Future()
    future.set_result(results)
    return future


def result(exercise: str, *lost: str, outcome: Outcome = Outcome.FAILED) -> Exercise:
    """Return the result of an exercise.

    Args:
        exercise: name of the exercise.
        lost: names of the checks that get 0 points; all others pass.
        outcome: outcome of the checks in `lost`.
    """
    checks = [
        Check(
            name, "", outcome if name in lost else Outcome.PASSED, name not in lost, 1
        )
        for name in checks_of(exercise)
    ]
    return Exercise(exercise, checks)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, []),
        ({"lost": [], "points": 0.0}, ["SURVIVES"]),
        ({"points": 0.0}, ["SURVIVES"]),
        ({"elsewhere": ["td_update.example"]}, ["ELSEWHERE td_update.example"]),
        ({"diagnoses": {"td-sum"}}, ["WRONGLY: td-sum"]),
        ({"diagnoses": {"td-sum or td-half"}}, []),
        ({"diagnoses": set()}, []),
    ],
)
def test_one_mutant(changes, words):
    """`problems_of_row` reports a mutant that does not get the expected result.

    It may lose no points, lose points in another exercise, or get a wrong diagnosis. A
    result without a diagnosis is no problem.
    """
    found = prove.problems_of_row(replace(CAUGHT, **changes))
    assert found == [f"td-half {word}" for word in words]


def test_all_mutants_together():
    """`problems_of_rows` reports each check that no mutant fails.

    It also reports if too few mutants have a right diagnosis.
    """
    rows = [
        replace(
            CAUGHT,
            mutant=next(m for m in MUTANTS if m.exercise == name.partition(".")[0]),
            lost=[name.partition(".")[2]],
        )
        for name in check_names()
    ]
    named = [replace(r, diagnoses={r.mutant.id}) for r in rows]
    assert prove.problems_of_rows(named) == []
    assert prove.problems_of_rows(named[1:]) == [
        f"{check_names()[0]} catches no mutant"
    ]
    unnamed = [replace(r, diagnoses=set()) for r in named]
    (word,) = prove.problems_of_rows(unnamed)
    assert "0 of" in word


def test_what_is_lost_elsewhere():
    """`problems_apart` reports a mutant that loses points in another exercise.

    It also reports a mutant that loses no points at all.
    """
    for lost, words in (
        (["td_loss"], []),
        (["td_loss", "td_update"], ["td-half loses points in td_loss, td_update"]),
        ([], ["td-half loses points in nothing"]),
    ):
        results = {
            name: result(name, *(checks_of(name)[:1] if name in lost else []))
            for name in ("td_loss", "td_update")
        }
        assert prove.problems_apart({HALF: done(results)}) == words


def test_narrow_mistakes(capsys):
    """`problems_of_narrow` reports a narrow mistake that passes the check meant for it.

    A narrow mistake is one that only few cases show. If it has `alone=True`, a failure
    of another check is reported, too.
    """
    alone = next(one for one in NARROW if one.alone)
    other = next(one for one in NARROW if not one.alone)

    def found(one, *lost: str) -> list[str]:
        results = {one.exercise: result(one.exercise, *lost)}
        return prove.problems_of_narrow({one: done(results)})

    assert found(alone, alone.check) == []
    another = next(n for n in checks_of(alone.exercise) if n != alone.check)
    assert found(alone, alone.check, another) == [f"{alone.id} fails {another} as well"]
    assert found(alone, another) == [f"{alone.id} SURVIVES {alone.check}"]
    another = next(n for n in checks_of(other.exercise) if n != other.check)
    assert found(other, other.check, another) == []
    assert found(other) == [f"{other.id} SURVIVES {other.check}"]


def test_learning(capsys):
    """`problems_of_learning` reports a right hand-in that loses points for learning.

    It also reports a hand-in that cannot learn but gets full points.
    """
    names = checks_of("learning")
    full = done({"learning": result("learning")})
    less = done({"learning": result("learning", names[-1])})
    learns = done({"learning": result("learning")})
    fails = done({"learning": result("learning", names[-1])})
    ours = result("learning", names[-1], outcome=Outcome.GRADER_ERROR)
    assert prove.problems_of_learning({"right": full}, {"idle": fails}) == []
    (word,) = prove.problems_of_learning({"right": less}, {})
    assert word.startswith("right LOSES learning.")
    assert prove.problems_of_learning({}, {"idle": learns}) == ["idle LEARNS"]
    (word,) = prove.problems_of_learning({}, {"idle": done({"learning": ours})})
    assert "the grader's fault" in word


def test_cheats(monkeypatch, capsys):
    """`problems_of_cheats` reports a cheat that gets points for learning.

    For a cheat with a known hole, the result is printed and never reported.
    """
    cheat = replace(CHEATS[0], known_hole="", noticed="", twin="")
    hole = replace(cheat, known_hole="why")
    paid = {"learning": result("learning")}
    unpaid = {"learning": result("learning", *UNPAID)}

    def found(one, results: dict) -> list[str]:
        monkeypatch.setattr(prove, "submit", lambda _: done(results))
        return prove.problems_of_cheats([one])

    assert found(cheat, unpaid) == []
    (word,) = found(cheat, paid)
    assert "GETS THROUGH" in word
    for results, words in ((paid, "gets points"), (unpaid, "gains nothing")):
        assert found(hole, results) == []
        assert f"{words}, a known hole" in capsys.readouterr().out


def test_cheats_and_their_twins(monkeypatch, capsys):
    """`problems_of_cheats` reports a cheat with more points than its honest twin."""
    cheat = replace(CHEATS[0], known_hole="", noticed="", twin="honest")
    paid = {"learning": result("learning")}
    unpaid = {"learning": result("learning", *UNPAID)}

    def found(of_cheat: dict, of_twin: dict) -> list[str]:
        results = {cheat.source: of_cheat, "honest": of_twin}
        monkeypatch.setattr(prove, "submit", lambda one: done(results[one.source]))
        return prove.problems_of_cheats([cheat])

    assert found(paid, paid) == []
    assert found(unpaid, paid) == []
    (word,) = found(paid, unpaid)
    assert "its twin" in word


def test_what_is_stored_is_up_to_date(tmp_path, monkeypatch):
    """If the stored matrix or a stored message is out of date, it is reported.

    Then the file is written again. Rounding makes no difference.
    """
    monkeypatch.setattr(prove, "MATRIX", tmp_path / "MATRIX.md")
    monkeypatch.setattr(prove, "MESSAGES", tmp_path / "messages")
    assert len(prove.write_evidence([CAUGHT], {})) == 2  # because no file was stored
    assert prove.write_evidence([CAUGHT], {}) == []
    rounded = replace(CAUGHT, text=CAUGHT.text.replace("2.5", "2.50001"))
    assert prove.write_evidence([rounded], {}) == []
    (word,) = prove.write_evidence([replace(CAUGHT, text="other")], {})
    assert word.startswith("td_loss.md told something else")
    (word,) = prove.write_evidence([replace(CAUGHT, text="other", points=3.0)], {})
    assert word.startswith("MATRIX.md")
    assert "-3" in (tmp_path / "MATRIX.md").read_text(encoding="utf-8")


def test_rounding():
    """`same_but_for_rounding` accepts texts that differ slightly in numbers only."""
    assert same_but_for_rounding("a 1.0000 b -2e3", "a 1.0001 b -2.0001e3")
    assert same_but_for_rounding("0.0000", "0.0004")
    assert not same_but_for_rounding("a 1.0", "a 1.1")
    assert not same_but_for_rounding("a 1.0", "b 1.0")
    assert not same_but_for_rounding("a 1.0", "a 1.0 1.0")


@pytest.mark.parametrize("broken", ["", "mutant", "variant", "stored"])
def test_exit_code(tmp_path, monkeypatch, capsys, broken):
    """The exit code is 1 if a mutant, a variant or a stored file is not as expected."""
    monkeypatch.setattr(sys, "argv", ["prove"])
    monkeypatch.delenv("SEEDS", raising=False)
    monkeypatch.setattr(prove, "MATRIX", tmp_path / "MATRIX.md")
    monkeypatch.setattr(prove, "MESSAGES", tmp_path / "messages")
    monkeypatch.setattr(prove, "one_of_each_part", list)
    for name in ("NARROW", "WHOLE", "CANNOT_LEARN", "CHEATS"):
        monkeypatch.setattr(prove, name, [])
    monkeypatch.setattr(prove, "problems_of_trusted", lambda _: [])
    monkeypatch.setattr(prove, "problems_of_claims", list)
    for name in ("right_work", "wrong_work", "each_mdp"):
        monkeypatch.setattr(prove.chains, name, lambda *_: [])
    monkeypatch.setattr(prove, "MUTANTS", [HALF])
    monkeypatch.setattr(prove, "catches", lambda _: {})
    row = replace(CAUGHT, lost=[]) if broken == "mutant" else CAUGHT
    monkeypatch.setattr(prove, "prove", lambda _: [row])
    lost = checks_of("td_loss")[:1] if broken == "variant" else []
    right = done({"td_loss": result("td_loss", *lost)})
    monkeypatch.setattr(prove, "RIGHT", prove.VARIANTS[:1])
    monkeypatch.setattr(prove, "submit", lambda _: right)
    assert prove.main() == 1  # because no file was stored
    if broken == "stored":
        (tmp_path / "MATRIX.md").write_text("another")
    assert prove.main() == (1 if broken else 0)


def test_learning_is_graded_with_each_seed(monkeypatch):
    """A variant that is judged by learning gets a training for each seed."""
    seeds: list[str] = []

    def train(hand_in: handins.HandIn) -> dict:
        seeds.append(hand_in.seed)
        return {}

    monkeypatch.setattr(handins, "trained", train)
    variant = handins.HandIn("right", "", ("learning",))
    assert handins.grade_with_seeds(variant, ("1", "2")) == [{}, {}]
    assert seeds == ["1", "2"]
