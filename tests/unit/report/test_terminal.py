"""The progress that is written to a log while the checks run."""

import io
import re

from rich.console import Console

from grader.report.terminal import Live


def test_log_has_a_line_for_each_exercise():
    """A log gets one line when an exercise begins, and none in the second pass."""
    console = Console(file=io.StringIO(), width=80)
    turns = ["update_Q_TD0", "update_Q_TD0", "monte_carlo", "monte_carlo"]
    with Live(console) as live:
        for exercise in [*turns, *reversed(turns)]:
            live.on_check(exercise, "a check")
        live.on_check("known mistakes", "1 of 9")  # `make reference` calls it so
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [re.sub(r"^ +[0-9.]+ s  ", "", line) for line in lines] == [
        "1 update_Q_TD0",
        "2 monte_carlo",
    ]
