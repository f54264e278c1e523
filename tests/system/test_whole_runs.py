"""Whole runs of the starter and of the solution: score, report and terminal output."""

import hashlib
import os
import re
from pathlib import Path

import pytest

from grader.contract.exercises import EXERCISES
from grader.sandbox import tiers
from grader.sandbox.tiers import TIERS
from tests.support.grading import ROOT
from tests.support.pages import essence, shown, text_of
from tests.support.results import without_durations

KEYS = ["schema", "score", "max_score", "seed", "sandbox", "device"]
KEYS += ["duration", "submission", "exercises", "learning", "printed"]
CHECK_KEYS = ["name", "description", "outcome", "score", "max_score"]
CHECK_KEYS += ["message", "diagnosis", "hint", "reading", "duration"]
OUTCOMES = {"passed", "failed", "error", "timeout", "killed", "skipped"}


@pytest.fixture(scope="session")
def finished(starter_run, watched_run, students_run) -> list:
    """Return three finished runs: one of the starter, two of the solution."""
    return [starter_run, watched_run[0], students_run]


# ---------------------------------------------------------------- whole runs


def test_starter_has_no_points(starter_run):
    """The starter gets 0 of 100 points; all nine exercises are not implemented yet."""
    assert starter_run.code == 0, starter_run.err
    assert (starter_run.report["score"], starter_run.report["max_score"]) == (0, 100)
    assert starter_run.out.count("not implemented yet") == 9
    for exercise in starter_run.report["exercises"]:
        messages = [check["message"] for check in exercise["checks"]]
        assert any(m.startswith("not implemented yet") for m in messages), exercise
        outcomes = {check["outcome"] for check in exercise["checks"]}
        assert outcomes <= {"failed", "skipped"}, exercise


def test_solution_in_the_students_copy(students_run):
    """The solution gets full points in a students' copy, also for maze and CartPole.

    The tier is the strongest one. The staff's page shows the line with the score.
    """
    assert students_run.code == 0, students_run.err
    assert students_run.report["score"] == students_run.report["max_score"] == 100
    assert students_run.report["sandbox"] == tiers.choose_tier("")
    assert "\nScore 100 / 100\n" in students_run.out
    assert "`Score 100 / 100`" in text_of("adopt.md")
    maze, cartpole = (students_run.report["learning"][t] for t in ("maze", "cartpole"))
    assert maze["shortest"] <= -maze["mean_return"] < maze["random_walk"] / 2
    assert cartpole["mean_return"] >= 450
    assert min(maze["compared"], cartpole["compared"]) > 10


def test_solution_in_a_plain_process(watched_run):
    """The solution gets full points on the process tier; the report names this tier."""
    run, _ = watched_run
    assert run.code == 0, run.err
    assert run.report["score"] == run.report["max_score"] == 100
    assert run.report["sandbox"] == "process"


def test_same_seed_same_report(students_run, watched_run):
    """Two runs with the same seed have equal reports.

    Only durations, the tier and the name of the hand-in may differ.
    """
    reports = [without_durations(run.report) for run in (students_run, watched_run[0])]
    for report in reports:
        del report["sandbox"], report["submission"]
    assert reports[0] == reports[1]


# ---------------------------------------------------------------- the report


def test_report_has_the_pinned_schema(finished, points):
    """The report has exactly the keys, exercises and points that other programs expect.

    This is the schema with number 1.
    """
    for run in finished:
        report = run.report
        assert list(report) == KEYS
        assert report["schema"] == 1
        assert report["device"] == "cpu"
        assert report["sandbox"] in TIERS
        assert [exercise["name"] for exercise in report["exercises"]] == list(EXERCISES)
        found = {e["name"]: e["max_score"] for e in report["exercises"]}
        assert found == points
        for exercise in report["exercises"]:
            assert list(exercise) == ["name", "score", "max_score", "checks"]
            for check in exercise["checks"]:
                assert list(check) == CHECK_KEYS
                assert check["outcome"] in OUTCOMES
                passed = check["outcome"] == "passed"
                assert check["score"] == (check["max_score"] if passed else 0)
                assert check["description"]
                assert check["message"] or passed


def test_points_add_up(finished):
    """An exercise's score is the sum of its checks' scores.

    The score of the run is the sum of the exercises' scores.
    """
    for run in finished:
        for whole, parts in (
            (run.report, "exercises"),
            *((exercise, "checks") for exercise in run.report["exercises"]),
        ):
            for name in ("score", "max_score"):
                assert whole[name] == pytest.approx(sum(p[name] for p in whole[parts]))


def test_report_names_what_was_graded(starter_run):
    """The report has the hand-in's name and the SHA-256 hash of its text."""
    source = (ROOT / "starter" / "dqn.py").read_bytes()
    hashed = hashlib.sha256(source).hexdigest()
    expected = {"name": "starter", "sha256": hashed, "problem": None, "notes": []}
    assert starter_run.report["submission"] == expected


def test_learning_curve_is_reported(students_run, starter_run):
    """If the hand-in was trained, report and terminal show the curves of both tasks."""
    lines = [
        line for line in students_run.out.splitlines() if "▁" in line or "█" in line
    ]
    tasks = {"maze": (-40, 0), "cartpole": (0, 500)}
    for line, (task, (low, high)) in zip(lines, tasks.items(), strict=True):
        curve = students_run.report["learning"][task]["curve"]
        steps = [step for step, _ in curve]
        assert steps == sorted(set(steps))
        assert all(low <= mean <= high for _, mean in curve)
        best, at = max((mean, -step) for step, mean in curve)
        assert f"step {steps[0]} " in line
        words = {
            "maze": f"shortest {-best:.1f} steps",
            "cartpole": f"highest {best:.0f}",
        }
        assert line.endswith(f" {steps[-1]}, {words[task]} at step {-at}")
    assert starter_run.report["learning"] == {}
    assert "█" not in starter_run.out


def test_learning_curve_is_drawn(students_run):
    """If the hand-in was trained, a picture of each curve lies beside the report."""
    assert students_run.leftovers == []
    for name in ("maze_curve.png", "learning_curve.png"):
        drawn = (students_run.folder / name).read_bytes()
        assert drawn.startswith(b"\x89PNG")


# ---------------------------------------------------------------- the terminal


def test_terminal_text_is_plain(finished):
    """Output to a file has at most 80 columns and no control characters."""
    for run in finished:
        lines = run.out.splitlines()
        assert max(map(len, lines)) <= 80
        assert not any(ord(c) < 32 for line in lines for c in line)
        assert any(line.startswith("Score ") for line in lines)


def test_everything_passed_is_said_only_then(
    starter_run, students_run, hand_in, command
):
    """The output says "Everything passed" only for 100 points.

    Only then it mentions the fresh seeds of the official run.
    """
    assert "Everything passed" in students_run.out
    assert "fresh seeds" in " ".join(students_run.out.split())
    not_step_0 = "return theta_Q if step and step % period == 0 else theta_T"
    almost = command("grade", hand_in(sync_target=not_step_0), "--only", "sync_target")
    assert 0 < almost.report["score"] < 5
    for run in (starter_run, almost):
        assert "passed" not in run.out.partition("Score ")[2]
        assert "complete" not in run.out
        assert "fresh seeds" not in " ".join(run.out.split())


# ---------------------------------------------------------------- where code runs


def test_python_of_the_hand_in_runs_in_the_worker_only(watched_run):
    """In a whole run, functions of the hand-in run only in workers.

    The fixture `watched_run` records in which process and script each function ran.
    """
    run, lines = watched_run
    assert run.report["score"] == 100
    ran = {what for what, *_ in lines}
    assert {"the file", "the network", "td_update", "ReplayBuffer.sample"} <= ran
    for what, process, script, modules in lines:
        assert Path(script).name == "worker.py", what
        assert process != os.getpid()
        assert not {"train", "gymnasium", "pytest", "hypothesis"} & {*modules}, what
        ours = {name for name in modules if name.split(".")[0] == "grader"}
        assert not ours & {"grader.inside.runner", "grader.inside.learner"}
        others = {name for name in ours if not name.startswith("grader.inside")}
        assert others <= {"grader"}
    # Three workers: for the checks, for the consistency pass, and for learning.
    assert len({process for _, process, *_ in lines}) == 3


def test_no_folder_is_left(starter_run, watched_run, students_run):
    """A whole run leaves no file in the folder for temporary files."""
    for run in (starter_run, watched_run[0], students_run):
        assert run.leftovers == []


# ---------------------------------------------------------------- what the pages show


def test_readme_shows_the_real_output_of_make_grade(starter_run):
    """The README's block "make grade" shows what grading the starter prints."""
    assert essence(starter_run.out) == essence(shown("README.md", "make grade"))


def test_students_see_real_learning(students_run):
    """The students' page shows the real output of learning, except for numbers."""
    block = shown("students.md", "learning")
    assert set(masked(block)) <= set(masked(students_run.out))


def masked(text: str) -> list[str]:
    """Return the lines of a text, with # in place of each number and each row of bars.

    A row of bars is a learning curve drawn with characters such as ▃.
    """
    return [re.sub(r"[\d.]+|[▁▂▃▄▅▆▇█]+", "#", line) for line in text.splitlines()]
