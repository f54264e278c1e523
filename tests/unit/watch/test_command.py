"""A watch knows which exercise to show, and whose points it has."""

import pytest

from grader.contract.exercises import EXERCISES
from grader.contract.outcomes import Outcome
from grader.grading import pipeline
from grader.grading.pipeline import Options
from grader.intake.submission import Submission
from grader.report.hints import WHAT
from grader.report.model import Check, Exercise, Report
from grader.watch.command import Watch

FIRST = "def q_network():\n    return 1\n\n\ndef td_loss():\n    return 2\n"


def hand_in(text: str, name: str = "starter") -> Submission:
    return Submission(name, text.encode())


def report(submission: Submission, full: list[str]) -> Report:
    """Return a report in which some exercises have all points, and the others none."""
    exercises = [
        Exercise(
            name,
            [Check("c", "d", Outcome.PASSED, 5.0 if name in full else 0.0, 5.0)],
        )
        for name in EXERCISES
    ]
    about = {"name": submission.name, "sha256": submission.sha256}
    return Report("1", "bwrap", "cpu", about, exercises)


@pytest.mark.parametrize(
    ("graded", "only", "shown"),
    [
        (None, (), "update_Q_TD0"),
        ("starter", (), "q_network"),  # the first one that lacks points
        ("another", (), "update_Q_TD0"),  # another hand-in's report says nothing
        ("not imported", (), "update_Q_TD0"),  # nothing was graded, so 0 says nothing
        ("starter", ("td_loss",), "td_loss"),
        (None, ("learning",), "update_Q_TD0"),  # only a full run grades learning
    ],
)
def test_what_is_shown_first(tmp_path, graded, only, shown):
    if graded:
        name = "starter" if graded == "not imported" else graded
        old = report(hand_in("old = 1", name), ["update_Q_TD0", "monte_carlo"])
        if graded == "not imported":
            old.submission["problem"] = "not imported: SyntaxError"
        old.save(str(tmp_path))
    watch = Watch(tmp_path, Options("1", only), WHAT)
    watch.begin(hand_in(FIRST))
    assert watch.name == shown
    assert (watch.points == {}) == (graded != "starter")
    assert all(p.sha256 != watch.submission.sha256 for p in watch.points.values())


def test_older_points_of_the_present_text_are_known_as_such(tmp_path):
    """After runs with ONLY, the points of the present text are not shown as older."""
    present = hand_in(FIRST)
    old = report(present, [])
    for exercise in old.exercises[1:]:
        exercise.older, exercise.sha256 = True, "other"
    old.exercises[1].sha256 = present.sha256
    old.save(str(tmp_path))
    watch = Watch(tmp_path, Options("1"), WHAT)
    watch.begin(present)
    of_this = [n for n, p in watch.points.items() if p.sha256 == present.sha256]
    assert of_this == ["update_Q_TD0", "monte_carlo"]


def test_the_edited_exercise_comes_into_view(tmp_path):
    """A text that is no Python, or that is missing, leaves the exercise as it is."""
    watch = Watch(tmp_path, Options("1"), WHAT)
    watch.begin(hand_in(FIRST))
    watch.take(hand_in(FIRST.replace("return 2", "return 3")))
    assert watch.name == "td_loss"
    watch.take(hand_in(FIRST.replace("return 1", "return (4")))
    assert watch.name == "td_loss"
    watch.take(Submission("starter", b"", "there is no dqn.py"))
    assert watch.name == "td_loss"
    # Compared with the last text that was Python, q_network alone has changed.
    new = FIRST.replace("return 1", "return (4)").replace("return 2", "return 3")
    watch.take(hand_in(new))
    assert watch.name == "q_network"


def test_a_save_during_a_full_run_hides_no_report(tmp_path, monkeypatch, capsys):
    """After f, the report stays; the text saved meanwhile is graded at the next key.

    Pictures of an earlier run are deleted, as `make grade` does it.
    """
    (tmp_path / "maze_curve.png").write_text("of an earlier run")
    watch = Watch(tmp_path, Options("1"), WHAT)
    watch.begin(hand_in(FIRST))
    watch.next_event()
    edited = hand_in(FIRST.replace("return 2", "return 3"))

    def grade(submission, options, progress) -> Report:
        watch.on_key("n")
        watch.on_save(hand_in("not the last save"))
        watch.on_save(edited)
        watch.on_key("r")
        return report(submission, [])

    monkeypatch.setattr(pipeline, "grade", grade)
    watch.grade_all()
    assert watch.events.empty()
    assert (watch.submission, watch.name) == (edited, "td_loss")
    shown = capsys.readouterr().out
    assert "Score 0 / 45" in shown
    assert shown.endswith("\nYour file was saved meanwhile: r grades it.\n")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
