"""`make attacks` finds broken promises and writes tables; all gradings are fakes.

The letters of the promises are explained in `tests/support/attack_runs.py`. L: no
secret leaks, and the attack did nothing forbidden.
"""

import json
import re
import sys
from dataclasses import replace

import pytest

from tests.support.attack_catalogue import CATALOGUE, KINDS
from tests.support.attack_runs import (
    CANARY,
    FILES,
    TABLE,
    Attack,
    Run,
    all_attacks,
    attack,
    broken,
    from_file,
    problems,
    verdict,
)
from tests.support.handins import checks_of
from tests.tools import attacks as command

ATTACKS = all_attacks()


def test_table_has_all_attacks() -> None:
    """The stored table of attacks has a row for each attack, in the right order."""
    text = TABLE.read_text(encoding="utf-8").partition("## The catalogue")[0]
    stored = re.findall(r"^\| (\w+) \| .* \| [SRLTO]+ \|", text, re.M)
    assert stored == [one.name for one in ATTACKS], "stale: run `make attacks`"


def test_every_row_of_the_catalogue() -> None:
    """Each row of the catalogue of attacks has an attack, or a note why there is none.

    There are at least 70 attacks, and their names differ.
    """
    met = {row for one in ATTACKS for row in one.rows}
    assert met <= set(CATALOGUE)
    assert [
        row for row, (_, note) in CATALOGUE.items() if not note and row not in met
    ] == []
    assert len({one.name for one in ATTACKS}) == len(ATTACKS) >= 70


def test_each_lies_in_the_folder_of_its_kind() -> None:
    """An attack lies in the folder of its kind.

    This is the kind of the first row that the attack names, in the catalogue of
    attacks.
    """
    for path in FILES.glob("**/*.py"):
        assert from_file(path).rows[0] in KINDS[path.parent.name], path


# ----------------------------------------------------------- broken promises are found

EXAMPLE = attack(
    "example",
    "A trick.\n\nRows: 1\nGrade: sync_target\nAsserts: S R L T\nSays: tried",
    lambda folder, places: folder,
)
NAMES = checks_of("sync_target")
CHECK = {"outcome": "failed", "score": 0, "max_score": 1, "message": "wrong"}
GOOD = {
    "sandbox": "process",
    "score": 0,
    "exercises": [
        {"name": "sync_target", "checks": [{**CHECK, "name": name} for name in NAMES]}
    ],
}


def run_with(
    code: int | None = 0, out: str = "", left: tuple = (), **check: object
) -> Run:
    """Return the result of a grading without problems, except for the given values.

    Args:
        code: exit code.
        out: text of standard output.
        left: command lines of processes that still run.
        check: entries of the first check in the report that are replaced.
    """
    document = json.loads(json.dumps(GOOD))
    document["exercises"][0]["checks"][0] |= {"message": "tried", **check}
    document["score"] = check.get("score", 0)
    return Run(code, out, "", json.dumps(document), list(left))


BAD = {
    "S": [run_with(score=1)],
    "R": [
        *(run_with(code=2), replace(run_with(), report=""), run_with(name="other")),
        *(run_with(outcome="grader_error"), run_with(message=""), run_with(score=2)),
        *(run_with(message="tried\x1b[2J"), run_with(message="tried \ud800")),
        *(run_with(out="a\n  ::error::\n"), run_with(out="a ##[error]")),
        replace(run_with(), report='{"exercises": NaN}'),
    ],
    "L": [run_with(message=f"tried {CANARY}"), run_with(out="BREACH")],
    "T": [run_with(code=None), run_with(left=("sleep 9",))],
    "said": [run_with(message="NameError")],
}


@pytest.mark.parametrize(
    ("letter", "run"), [(letter, run) for letter, runs in BAD.items() for run in runs]
)
def test_what_does_not_hold_is_found(letter: str, run: Run, monkeypatch) -> None:
    """`problems` finds a broken promise, and `verdict` reports it.

    An attack can announce that promise L is broken on a tier. On this tier `verdict`
    does not report it.
    """
    monkeypatch.setattr("tests.support.attack_runs.twin_score", lambda *_: 0.0)
    assert not problems(EXAMPLE, "process", run_with())
    found = problems(EXAMPLE, "process", run)
    assert letter in found
    assert (letter in broken(EXAMPLE, found)) == (letter != "said")
    assert verdict(EXAMPLE, "process", found)
    for kind in ("breaks", "may_break"):
        told = replace(EXAMPLE, **{kind: {"process": ("L", "why")}})
        assert bool(verdict(told, "process", found)) == (letter != "L")
        assert bool(verdict(told, "bwrap", found))
        assert not verdict(told, "process", {})  # no problem although one is announced


# ---------------------------------------------------- the tables show the results

WHY = {"process": ("L", "it can read")}
BREAKS, VARIES = ({key: WHY} for key in ("breaks", "may_break"))
LEAKED = run_with(message=f"tried {CANARY}")


@pytest.fixture
def tables(tmp_path, monkeypatch) -> dict:
    """Prepare `make attacks` with empty tables and three attacks; no grading is made.

    Returns:
        "folder" is the folder of the tables. "leaking" is a set with the names of the
        attacks that leak the secret on the process tier; a test can change this set.
    """
    texts = {
        "TABLE": "",
        "README": "<!-- make attacks -->\n```\n```\nThe rest.\n",
        "PROMISED": "```\n```\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(command, name, tmp_path / name)
    attacks = [
        *(replace(EXAMPLE, name="fails"), replace(EXAMPLE, name="leaks", **BREAKS)),
        replace(EXAMPLE, name="varies", **VARIES),
    ]
    leaking = {"leaks"}
    monkeypatch.setattr(command, "all_attacks", lambda: attacks)
    monkeypatch.setattr(
        command,
        "carried_out",
        lambda one, tier: (
            LEAKED
            if one.name in leaking and tier == "process"
            else replace(run_with(), report=run_with().report.replace("process", tier))
        ),
    )
    monkeypatch.setattr("tests.support.attack_runs.twin_score", lambda *_: 0.0)
    monkeypatch.setattr(command, "first_report", lambda *_: 0.0)
    monkeypatch.setattr(command, "changed_next", lambda *_: "")
    monkeypatch.setattr(command, "why_not", lambda *_: "")
    monkeypatch.setattr(command, "measured", lambda _: {})
    monkeypatch.setattr("grader.sandbox.self_test.broken_promises", lambda *_: [])
    monkeypatch.delenv("TIERS", raising=False)
    monkeypatch.setattr(sys, "argv", ["attacks"])
    return {"folder": tmp_path, "leaking": leaking}


def test_tables_are_of_what_has_happened(tables) -> None:
    """The tables show the results of the attacks.

    If a table changes, the exit code is 1, else 0.
    """
    table, readme = (tables["folder"] / name for name in ("TABLE", "README"))
    assert command.main() == 1  # because the tables were empty
    assert "| fails | A trick | 1 | SRLT | holds | holds | holds |" in table.read_text()
    assert "| holds | holds | breaks L: it can read |" in table.read_text()
    assert "| holds | holds | may break L: it can read |" in table.read_text()
    assert "- process: 1 held, 1 broken, 1 may break, 0 not run" in table.read_text()
    assert "bwrap: 3 of 3 attacks fail\n" in readme.read_text()
    assert "process: 1 of 3 attacks fail\n" in readme.read_text()
    assert "- broken, it can read: leaks\n" in readme.read_text()
    assert "- may break, it can read: varies\n```\nThe rest.\n" in readme.read_text()
    assert command.main() == 0
    tables["leaking"].add("varies")  # "may break": the table stays the same
    assert command.main() == 0
    tables["leaking"].remove("leaks")  # the docstring still says "Breaks"
    assert command.main() == 1
    assert "- process: 2 held, 0 broken, 1 may break, 0 not run" in table.read_text()
    assert "process: 2 of 3 attacks fail\n" in readme.read_text()
    assert command.main() == 0


def test_what_is_not_as_told_fails_and_writes_nothing(tables, capsys) -> None:
    """If an attack breaks a promise and does not announce this, the exit code is 1.

    In this case no table is written.
    """
    tables["leaking"].add("fails")
    assert command.main() == 1
    assert "fails on process: L: " in capsys.readouterr().out
    assert (tables["folder"] / "TABLE").read_text() == ""


@pytest.mark.parametrize(("times", "written"), [(1, True), (2, False)])
def test_what_comes_too_late_is_carried_out_once_more(
    tables, monkeypatch, times, written
) -> None:
    """An attack that misses its deadline is run once more, alone.

    The second result counts, because the first one can come from a busy machine.
    """
    in_time, late = command.carried_out, ["fails"] * times

    def carried_out(one: Attack, tier: str) -> Run:
        if one.name in late and tier == "process":
            late.remove(one.name)
            return replace(in_time(one, tier), code=None, survivors=["sleep 9"])
        return in_time(one, tier)

    monkeypatch.setattr(command, "carried_out", carried_out)
    assert command.main() == 1  # the table is new, or the attack failed twice
    assert ((tables["folder"] / "TABLE").read_text() != "") == written


def test_a_tier_that_is_missing_fails(tables, capsys, monkeypatch) -> None:
    """If a tier does not work, the exit code is 2, unless TIERS leaves the tier out."""
    missing = {"bwrap": "bubblewrap is not installed"}
    monkeypatch.setattr(command, "why_not", lambda tier: missing.get(tier, ""))
    assert command.main() == 2
    assert "bwrap: bubblewrap is not installed" in capsys.readouterr().out
    monkeypatch.setenv("TIERS", "landlock process")
    assert command.main() == 0
    assert (tables["folder"] / "TABLE").read_text() == ""
