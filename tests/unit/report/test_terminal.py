"""The terminal shows the progress, the exceptions and the hints in few lines."""

import io
import re

from rich.console import Console

from grader.contract.outcomes import Outcome
from grader.report.exercise import print_exercise
from grader.report.live import Live
from grader.report.model import Check, Exercise, Report
from grader.report.terminal import next_step


def test_log_has_a_line_for_each_exercise():
    """If the output is a log, each exercise has one line, printed when it starts.

    The consistency pass adds no line.
    """
    console = Console(file=io.StringIO(), width=80)
    turns = ["update_Q_TD0", "update_Q_TD0", "monte_carlo", "monte_carlo"]
    with Live(console) as live:
        for exercise in [*turns, *reversed(turns)]:
            live.on_check(exercise, "a check")
        live.on_check("known mistakes", "1 of 9")  # as `make reference` does
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [re.sub(r"^ +[0-9.]+ s  ", "", line) for line in lines] == [
        "1 update_Q_TD0",
        "2 monte_carlo",
    ]


def test_every_exception_has_its_place():
    """Each failed check shows the line of dqn.py at which its exception was raised.

    If an earlier check failed at this line with the same type of exception, the
    terminal says so in one line.
    """
    exercise = Exercise("td_loss")
    for name, message in {
        "first": "td_loss: TypeError: got (3,)\ndqn.py, line 7, in f: x\nhint\nsizes",
        "again": "td_loss: TypeError: got (5,)\ndqn.py, line 7, in f: x\nhint\nmore",
        "other": "td_loss: TypeError: got (3,)\ndqn.py, line 9, in g: y\nhint\nsizes",
        "third": "td_loss: ValueError: no\ndqn.py, line 9, in g: y\nother hint",
    }.items():
        check = Check(name, f"check {name}", Outcome.ERROR, 0.0, 1.0, message)
        exercise.checks.append(check)
    stream = io.StringIO()
    print_exercise(exercise, Console(file=stream, width=80), set())
    told = [line.strip() for line in stream.getvalue().splitlines()]
    assert [line for line in told if line and not line.endswith("0/1")][1:] == [
        "your code raised an exception",
        "td_loss: TypeError: got (3,)",
        "dqn.py, line 7, in f: x",
        "hint",
        "sizes",
        "the same exception, dqn.py, line 7, in f",
        "td_loss: TypeError: got (3,)",
        "dqn.py, line 9, in g: y",
        "td_loss: ValueError: no",
        "dqn.py, line 9, in g: y",
        "other hint",
    ]


def test_hints_are_printed_once():
    """If two checks have the same line in their hints, the line is printed once."""
    exercise = Exercise("learning")
    for name, hint in (("tables", "a\nb"), ("maze", "a\nc")):
        check = Check(name, name, Outcome.FAILED, 0.0, 1.0, f"{name} failed", hint=hint)
        exercise.checks.append(check)
    stream = io.StringIO()
    print_exercise(exercise, Console(file=stream, width=80), set())
    told = [line.strip() for line in stream.getvalue().splitlines()]
    assert [line for line in told if "→" in line] == ["→ a", "→ b", "→ c"]


def test_the_next_step_after_learning_is_not_learning():
    """If only exercise 9 has failed, the output says to mend the parts that it names.

    If exercise 9 is not implemented yet, the output says to write it.
    """
    checks = [Check("maze", "maze", Outcome.FAILED, 0.0, 3.0, "too long")]
    report = Report("1", "bwrap", "cpu", {}, [Exercise("learning", checks)])
    assert next_step(report) == "Next: mend what is named above, then `make grade`."
    checks[0].message = "not implemented yet"
    assert next_step(report).startswith("Next: write learning")
