"""The screen of a watch fits into the terminal and says whose points it shows."""

import io

import pytest
from rich.console import Console

from grader.contract.exercises import EXERCISES
from grader.contract.outcomes import Outcome
from grader.report.hints import WHAT
from grader.report.model import Check, Exercise
from grader.watch.screen import CLEAR, draw, points_line
from grader.watch.warm_grader import Verdict
from tests.support.pages import shown

MESSAGE = "\n".join(f"line {i} of the message" for i in range(8))


def known(score: float, most: float, sha256: str) -> Exercise:
    """Return an exercise with these points, graded on the text with this hash."""
    return Exercise("", [Check("c", "", Outcome.FAILED, score, most)], sha256=sha256)


def exercise(passed: int) -> Exercise:
    """Return an exercise with checks that passed, a check that failed, one skipped."""
    checks = [
        Check(f"c{i}", f"Right {i}", Outcome.PASSED, 2.5, 2.5) for i in range(passed)
    ]
    failed = Check("f", "Wrong", Outcome.FAILED, 0, 5, MESSAGE, hint="Look at ¬d")
    skipped = Check("s", "Later", Outcome.SKIPPED, 0, 1, "waits")
    return Exercise("td_loss", [*checks, failed, skipped])


def drawn(verdict: Verdict | None, height: int, width: int = 80) -> list[str]:
    """Return the lines of the screen, without the command that clears it."""
    console = Console(file=io.StringIO(), width=width, height=height)
    line = points_line({}, "td_loss", "a", width)
    draw(line, verdict, WHAT, "td_loss: 0.7 s", console)
    text = console.file.getvalue()
    assert text.startswith(CLEAR)
    return text.removeprefix(CLEAR).splitlines()


def test_points_of_an_older_text_are_in_parentheses():
    points = {
        "update_Q_TD0": known(15, 15, "new"),
        "q_network": known(2.5, 5, "old"),
        "td_loss": known(12.5, 20, "new"),
    }
    line = points_line(points, "td_loss", "new", 80)
    expected = "Points 1:15/15 2:· 3:(2.5/5) 4:· 5:· 6:12.5/20 7:· 8:· 9:·"
    assert line.plain == expected


@pytest.mark.parametrize("sha256", ["new", "old"])
def test_points_fit_into_80_columns(sha256):
    points = {name: known(12.5, 15, "new") for name in EXERCISES}
    line = points_line(points, "td_loss", sha256, 80)
    assert len(line) <= 80
    assert line.plain.count("12.5") == 9


def test_what_passed_is_summed_up():
    """The points are those of the whole exercise."""
    lines = drawn(Verdict(exercise(9), whole=True), height=24)
    assert len(lines) < 24  # one line is for what goes on
    assert any(line.startswith("6 td_loss") and "22.5 / 28.5" in line for line in lines)
    assert not any("Right" in line for line in lines)
    assert any("✓ 9 checks passed" in line for line in lines)
    assert any("line 7 of the message" in line for line in lines)
    assert any("→ Look at ¬d" in line for line in lines)
    assert "td_loss: 0.7 s" in lines[-1]
    assert "q quit" in lines[-1]


def test_a_very_low_window_says_that_lines_are_missing():
    lines = drawn(Verdict(exercise(9), whole=True), height=9)
    assert len(lines) < 9
    assert any("more lines" in line for line in lines)
    assert "q quit" in lines[-1]


def test_the_first_failure_has_no_points_yet():
    """While other checks are still to run, the sum so far is not shown."""
    lines = drawn(Verdict(exercise(4)), height=40)
    assert "6 td_loss …" in lines
    assert not any("10 / 16" in line for line in lines)


def test_a_problem_is_shown_without_an_exercise():
    verdict = Verdict(Exercise("td_loss"), problem="not imported: SyntaxError, line 3")
    lines = drawn(verdict, height=24, width=40)
    assert "not imported: SyntaxError, line 3" in lines
    assert max(map(len, lines)) <= 40


def test_the_students_page_shows_the_real_first_line():
    """After a full run and a save, the points of all nine are known."""
    scores = (15, 10, 5, 0, 0, 12.5, 0, 0, 0)
    paid = (15, 10, 5, 10, 15, 20, 5, 5, 15)
    points = {
        name: known(score, most, "new" if name == "td_loss" else "old")
        for name, score, most in zip(EXERCISES, scores, paid, strict=True)
    }
    first = shown("students.md", "at each save").splitlines()[0]
    assert first == points_line(points, "td_loss", "new", 80).plain
