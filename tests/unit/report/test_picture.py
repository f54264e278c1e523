"""Learning curves are drawn by a separate process, which the tests do not start."""

import json
from pathlib import Path

import pytest

from grader.contract.outcomes import Outcome, UsageError
from grader.report import picture
from grader.report.model import Check, Exercise, Report
from tests.support.supplied import imported

CURVE = [[512, -7.5], [1024, -4.5]]
MAZE = {"mean_return": -4.5, "curve": CURVE, "shortest": 4.25, "random_walk": 27.0}
CARTPOLE = {"mean_return": 500.0, "curve": [[1024, 271.5], [2048, 500.0]]}
NONE = {"mean_return": None, "curve": []}


@pytest.fixture
def drawn(monkeypatch):
    """Return a function that takes the results of learning and returns what to draw.

    The result is a list with a dict for each picture.
    """
    commands = []
    monkeypatch.setattr(
        picture.subprocess, "Popen", lambda c, **_: commands.append(c) or c
    )

    def draw(learning: dict) -> list[dict]:
        commands.clear()
        picture.start(learning, Path("results"))
        return json.loads(commands[0][-1]) if commands else []

    return draw


def test_a_picture_for_each_curve(drawn):
    """Each task with a curve has its own picture; a task without a curve has none."""
    both = drawn({"maze": MAZE, "cartpole": CARTPOLE})
    names = [Path(each["path"]).name for each in both]
    assert names == ["maze_curve.png", "learning_curve.png"]
    assert [each["curve"] for each in both] == [CURVE, CARTPOLE["curve"]]
    assert set(both[0]["marks"].values()) == {-4.25, -27.0}
    (only,) = drawn({"maze": MAZE, "cartpole": NONE})
    assert only["path"].endswith("maze_curve.png")
    assert drawn({"maze": NONE, "cartpole": NONE}) == drawn({}) == []


def test_the_pictures_are_tasks_of_the_loop(drawn):
    """A picture's dict has all fields that the starter's `save_curve` needs."""
    train = imported("train", "starter")
    for each in drawn({"maze": MAZE, "cartpole": CARTPOLE}):
        task = {*each, "make_envs"} - {"curve", "path"}
        assert task == set(train.Task._fields)
        assert isinstance(getattr(train, each["settings"]), train.Settings)
        assert len(each["marks"]) == 2
        low, high = each["lowest"], each["highest"]
        assert all(low <= mean <= high for _, mean in each["curve"])


def report_on(exercises: dict[str, bool], learning: dict) -> Report:
    """Return a report on exercises; the dict says which results are older."""
    check = Check("c", "d", Outcome.FAILED, 0.0, 5.0)
    results = [Exercise(name, [check], older) for name, older in exercises.items()]
    return Report("1", "bwrap", "cpu", {"name": "starter"}, results, learning)


@pytest.mark.parametrize(
    ("exercises", "learning", "drawn_anew"),
    [
        ({"td_loss": False, "learning": False}, {"maze": MAZE, "cartpole": NONE}, True),
        ({"learning": False}, {}, True),  # not imported, so nothing was learned
        ({"td_loss": False, "learning": True}, {"maze": MAZE}, False),
        ({"td_loss": False}, {}, False),
    ],
)
def test_pictures_are_of_the_run_that_graded_learning(
    drawn, tmp_path, exercises, learning, drawn_anew
):
    """A run that grades learning deletes the pictures of the run before."""
    old = {tmp_path / "maze_curve.png", tmp_path / "learning_curve.png"}
    for path in old:
        path.write_text("of an earlier run")
    path, drawing = picture.save(report_on(exercises, learning), str(tmp_path))
    assert set(tmp_path.iterdir()) == {path} | (set() if drawn_anew else old)
    assert (drawing is not None) == (drawn_anew and "maze" in learning)


def test_report_that_cannot_be_saved(drawn):
    """If report.json cannot be written, the error names the folder."""
    with pytest.raises(UsageError, match="OUT="):
        picture.save(report_on({"learning": False}, {}), __file__)
