"""docs/own-exercise.md works: its text adds a tenth exercise to a copy of the code."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.clone import fake_uv, use_our_environment
from tests.support.edits import ROOT

PAGE = (ROOT / "docs" / "own-exercise.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- ([^\n]+) -->\n```\w*\n(.*?)```\n", re.S)
EXERCISE = "double_q_target"
RIGHT = """
    rows = []
    for q, values, r, d in zip(q_next, q_next_target, reward, terminated):
        rows.append(r + gamma * jnp.where(d, 0.0, values[jnp.argmax(q)]))
    return jnp.stack(rows)
"""
FORGETFUL = """
    ahead = jnp.take_along_axis(q_next_target, q_next.argmax(1)[:, None], 1)[:, 0]
    return gamma * ahead + reward
"""


def blocks() -> dict[str, str]:
    """Return the code blocks of the page, by the comment above each code block."""
    return dict(BLOCK.findall(PAGE))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the repository in which all steps of the page are done.

    The copy lacks the mutants of other exercises, because recording them takes minutes.
    """
    place = tmp_path_factory.mktemp("own") / "homework"
    for name in ("grader", "starter", "solution", "tests", "docs"):
        ignored = shutil.ignore_patterns("__pycache__", "e[1-9]_*.py")
        chosen = ignored if name == "tests" else shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, place / name, ignore=chosen)
    for name in ("Makefile", "pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, place)
    use_our_environment(place)
    fake_uv(place.parent / "bin")
    stub = ""
    for what, text in blocks().items():
        if what == "commands":
            for line in text.splitlines():
                run(line, place)
            continue
        path = place / what.split()[-1]
        if what.startswith("new file"):
            assert not path.exists()
            path.write_text(text, encoding="utf-8")
            continue
        if what.startswith("append"):
            stub = text
        else:
            text = re.sub(r"    raise NotImplementedError.*\n$", text, stub)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"\n\n{text}")
    return place


def run(line: str, place: Path) -> str:
    """Run a command of the page; return the command's output, and store it in a file.

    Args:
        line: the command.
        place: folder of the repository.
    """
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=place,
        env={**os.environ, "PATH": f"{place.parent / 'bin'}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    (place.parent / f"{line.split()[1]}.txt").write_text(done.stdout, encoding="utf-8")
    return done.stdout


def printed(copy: Path, target: str) -> str:
    """Return the stored output of `make target`."""
    return (copy.parent / f"{target}.txt").read_text(encoding="utf-8")


def test_nothing_else_is_touched() -> None:
    """The page changes two files, adds two files, and then runs commands."""
    assert [what.split()[-1] for what in blocks()] == [
        "starter/dqn.py",
        "solution/dqn.py",
        f"grader/checks/test_10_{EXERCISE}.py",
        f"tests/corpus/mutants/e10_{EXERCISE}.py",
        "commands",
    ]


def test_solution_has_full_marks(copy: Path) -> None:
    """`make grade` gives the solution full points in the new exercise."""
    assert f"10 {EXERCISE}" in printed(copy, "grade")
    assert "Score 5 / 5" in printed(copy, "grade")


def test_mistakes_are_caught_and_named(copy: Path) -> None:
    """`make prove` catches both mutants of the page and shows their hints."""
    said = printed(copy, "prove")
    for name in ("double-is-single", "double-no-mask"):
        assert f"{name}" in said
    assert "→ You let θ_T choose the action" in said
    assert "→ Your target goes on after the end" in said


def test_handout_and_notebook_have_it(copy: Path) -> None:
    """`make handout` has added the exercise to the handout and to the notebook."""
    handout = (copy / "docs" / "handout.md").read_text(encoding="utf-8")
    assert f"### 10 · {EXERCISE} · 5 points" in handout
    assert "**105**" in handout
    assert f"%grade {EXERCISE}" in (copy / "starter" / "dqn.ipynb").read_text()


@pytest.mark.parametrize(
    ("body", "score", "diagnosis"),
    [(RIGHT, 5, None), (FORGETFUL, 0, "double-no-mask")],
    ids=["right", "wrong"],
)
def test_students_copy_grades_it(
    copy: Path, tmp_path: Path, body: str, score: float, diagnosis: str | None
) -> None:
    """Without the solution, right work has full points, and a mistake is named.

    Args:
        copy: the fixture.
        tmp_path: the fixture.
        body: body of the new part.
        score: the expected score.
        diagnosis: the expected name of the mistake; None for right work.
    """
    text = (copy / "starter" / "dqn.py").read_text(encoding="utf-8")
    stub = f'    raise NotImplementedError("Exercise 10: {EXERCISE}")\n'
    (tmp_path / "dqn.py").write_text(text.replace(stub, body))
    options = f"SUBMISSION={tmp_path} ONLY={EXERCISE}"
    run(f"make grade {options} OUT={tmp_path}", copy)
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["score"], report["max_score"]) == (score, 5)
    first = report["exercises"][0]["checks"][0]
    assert first["diagnosis"] == diagnosis


def test_tests_of_the_starter_hold(copy: Path) -> None:
    """With the new stub and the new solution, the tests of test_starter.py pass."""
    chosen = f"{EXERCISE} or banners or bodies"
    run(
        f".venv/bin/python -m pytest -q tests/system/test_starter.py -k '{chosen}'",
        copy,
    )
