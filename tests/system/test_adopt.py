"""The page "Adopt in an afternoon": its commands, in its order, in a clone.

So that the test takes a minute and not several, most hand-ins of the class are replaced
by one that has only `sync_target`, and only this exercise of the solution is graded.
"""

import csv
import os
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.contract.exercises import ROOT
from tests.support.clone import fake_uv, make_clone, use_our_environment
from tests.support.pages import text_of
from tests.support.patient import SECONDS
from tests.tools.example import write_hand_in

STEP = re.compile(r"^\*\*(\d+)\. (.*?)\*\*.*?```\n(.*?)```", re.S | re.M)
SYNC = """
def sync_target(theta_Q, theta_T, step, period):
    return theta_Q if step % period == 0 else theta_T
"""


@pytest.fixture
def clone(tmp_path, monkeypatch) -> Path:
    """Return a new git repository with the project's files and an environment."""
    place = tmp_path / "dqn"
    place.mkdir()
    make_clone(place)
    use_our_environment(place)
    monkeypatch.setenv("PATH", fake_uv(tmp_path / "bin"))
    return place


def run(line: str, place: Path, **environment: str) -> str:
    """Run a line of the page in the clone; return what it prints.

    The exit code may be 2, because one hand-in of the class cannot be read.

    Args:
        line: the line.
        place: the folder of the clone.
        environment: additional environment variables.
    """
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=place,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode in (0, 2), done.stdout + done.stderr
    return done.stdout + done.stderr


def shorten(place: Path) -> None:
    """Replace all hand-ins by short ones, but for an attack and one that is no text."""
    starter = (ROOT / "starter" / "dqn.py").read_text(encoding="utf-8")
    for number, path in enumerate((place / "example" / "submissions").iterdir()):
        if not path.name.startswith(("endoeva", "castrokim")):
            write_hand_in(path, f"{starter}\n{SYNC}\n# {number}\n")


def commands() -> Iterator[tuple[int, str]]:
    """Yield the number of each step on the page, with the step's commands."""
    for number, _, block in STEP.findall(text_of("adopt.md")):
        yield int(number), block


def entered(place: Path) -> dict[str, str]:
    """Return the cells of the filled column of the gradebook, by login."""
    text = (place / "class-results" / "gradebook.csv").read_text("utf-8-sig")
    head, _, *rows = csv.reader(text.splitlines())
    column = next(i for i, name in enumerate(head) if name.startswith("Deep"))
    return {row[head.index("SIS Login ID")]: row[column] for row in rows}


def test_ten_commands(clone):
    """Each command does what the page says; the scores reach the gradebook."""
    steps = dict(commands())
    assert [*steps] == [*range(1, 11)]
    assert "git clone" in steps.pop(1)
    said, options = {}, ""
    for number, block in steps.items():
        short = {"ONLY": "sync_target"} if number == 2 else {}
        said[number] = run(options + block, clone, **short)
        if number == 5:
            shorten(clone)
        options += "".join(re.findall("^export .*\n", block, re.M))
        if number == 7:
            first = entered(clone)
    assert "\nScore 5 / 5\n" in said[2]  # test_whole_runs.py grades the whole solution
    assert re.search(r"^(bwrap|landlock|process)\b", said[3], re.M)
    assert len([*(clone / "dist").iterdir()]) == 3
    assert [*(clone / "example" / "submissions").iterdir()]
    assert "pair1 (canvas 2008)" in said[6]
    assert "Nothing was graded." in said[6]
    assert "Demir, Lea" in said[7]
    assert "not read: castrokim" in said[7]
    assert "brandtben" in said[8]
    assert "10 hand-ins, 1 to grade" in said[8]
    assert "10 hand-ins, 0 to grade" in said[9]
    # The pair hands in once; nothing is entered for what was not read.
    assert (first["ann2001"], first["cem2003"], first["dana2004"]) == ("5", "5", "5")
    assert first["hana2008"] == first["ivo2009"] == "5"
    assert first["eva2005"] == "0"
    assert (first["kim2011"], first["lea2012"]) == ("", "")
    assert entered(clone) == {**first, "ben2002": "4.5", "ann2001": "3"}
    assert said[10].count("\n") == 14
    with zipfile.ZipFile(clone / "class-results/feedback/canvas.zip") as archive:
        assert len(archive.namelist()) == 10
