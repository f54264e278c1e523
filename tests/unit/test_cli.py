"""The command line: wrong options, names of exercises, and faults of the grader."""

import re
import sys
from pathlib import Path

import pytest

from grader import arguments, cli
from grader.contract.exercises import EXERCISES
from grader.contract.outcomes import UsageError
from grader.grading import pipeline
from tests.support.grading import ROOT
from tests.system.test_starter import STUBS

# ---------------------------------------------------------------- usage errors


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["no/such/folder"], "no/such/folder"),
        (
            ["starter", "--only", "td_los"],
            "ONLY='td_los' is unknown: did you mean td_loss?",
        ),
        (["starter", "--only", "10"], "use update_Q_TD0, monte_carlo, q_network"),
        (["starter", "--only", "sync_target", "--out", "/proc"], "OUT='/proc'"),
        (["starter", "--sandbox", "chroot"], "chroot"),
        (["starter", "--official=perhaps"], "OFFICIAL"),
        (["starter", "--device", "tpu"], "tpu"),
        (["starter", "--in-process=2"], "2"),
        (["starter", "--hint", "4"], "HINT='4' is unknown: use one of 1, 2, 3"),
        (["starter", "--verbose=all"], "VERBOSE='all'"),
        (["starter", "--in-process", "1"], "ONLY"),
        (["--in-process", "starter"], "ONLY"),
        (["starter", "--in-process", "1", "--only", "learning"], "ONLY"),
        (["starter", "--only", "sync_target", "--out", __file__], __file__),
        (["starter", "--watch"], "WATCH=1 shows its results in a terminal"),
        (["starter", "--watch", "--in-process"], "INPROCESS=1"),
        (["starter", "--watch", "--official"], "OFFICIAL=1"),
        (["no/such/folder", "--watch"], "no/such/folder"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value)[:40],
)
def test_usage_errors(monkeypatch, capsys, tmp_path, options, named):
    """A wrong option ends with exit code 2 and one line that shows the wrong value."""
    out = [] if "--out" in options else ["--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["grader", "grade", *options, *out])
    monkeypatch.setattr(cli, "hide_memory", lambda: None)
    monkeypatch.chdir(ROOT)
    assert cli.main() == 2
    said = capsys.readouterr().err
    assert named in said
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "exercise"),
    [
        ("", ""),
        *((name.swapcase(), name) for name in EXERCISES),
        *((str(number), name) for number, name in enumerate(EXERCISES, 1)),
        *((stub, list(EXERCISES)[number - 1]) for number, stub in STUBS),
        *((" td-loss ", "td_loss"), ("mc_loss()", "monte_carlo")),
        *(("Exercise 6", "td_loss"), ("ex6", "td_loss"), ("#06", "td_loss")),
    ],
)
def test_exercise_is_known_by_what_is_written_in_it(text, exercise):
    """An exercise is found by its name, its number, or the name of a part in it.

    Upper and lower case make no difference.
    """
    assert arguments.exercise_named(text) == exercise


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("sync", "did you mean sync_target?"),
        ("tdloss", "did you mean td_loss?"),
        ("td_loss,td_update", "name one exercise"),
        ("10", "use update_Q_TD0, "),
        ("ex", "use update_Q_TD0, "),
    ],
)
def test_exercise_that_is_not_known(text, hint):
    """For an unknown exercise the error suggests a similar name, or lists all names."""
    with pytest.raises(UsageError, match=re.escape(hint)):
        arguments.exercise_named(text)


def grading_ends(monkeypatch, problem: Exception, *words: str) -> int:
    """Run a grading that raises an exception; return the exit code of the command line.

    Args:
        monkeypatch: the fixture.
        problem: the exception.
        words: further arguments of the command line.
    """

    def end(*_: object) -> None:
        raise problem

    monkeypatch.setattr(pipeline, "grade", end)
    monkeypatch.setattr(cli, "hide_memory", lambda: None)
    monkeypatch.setattr("sys.argv", ["grader", "grade", *words])
    return cli.main()


@pytest.mark.parametrize("columns", ["40", "80", "200"])
@pytest.mark.parametrize("order", ["::error::", "::add-mask::a ##[group]"])
def test_wrapped_words_are_no_orders(
    monkeypatch, capsys, tmp_path, solution, columns, order
):
    """A hand-in's name is never a command to a CI log, wherever a line is wrapped."""
    monkeypatch.setenv("COLUMNS", columns)
    for length in range(1, 80):
        folder = tmp_path / f"{'x' * length} {order}"
        folder.mkdir()
        (folder / "dqn.py").write_text(solution)
        words = (str(folder), "--out", str(tmp_path / "out"))
        problem = UsageError(f"no\n{order}")
        assert grading_ends(monkeypatch, problem, *words) == 2
    out, err = capsys.readouterr()
    assert order.split()[0] in out
    assert order.split()[0] in err
    for line in (out + err).splitlines():
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


@pytest.mark.parametrize("words", [[], [""]])
def test_no_arguments(monkeypatch, capsys, words):
    """Without a command, the usage is printed."""
    monkeypatch.setattr(sys, "argv", ["grader", *words])
    monkeypatch.setattr(cli, "hide_memory", lambda: None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "usage: " in capsys.readouterr().err


def test_wrong_arguments_are_no_orders(monkeypatch, capsys):
    """The error about an unknown argument holds no command to a CI log."""
    monkeypatch.setattr(cli, "hide_memory", lambda: None)
    monkeypatch.setattr("sys.argv", ["grader", "grade", "a", "b\n::error::c"])
    with pytest.raises(SystemExit):
        cli.main()
    err = capsys.readouterr().err
    assert "::error::c" in err
    assert "\n::error" not in err


# ---------------------------------------------------------------- grader trouble


def test_a_fault_of_ours_is_kept_for_the_staff(monkeypatch, capsys, tmp_path):
    """The traceback of a fault of the grader is saved; only the user can read the file.

    If another user has made a link with the file's name, the link is not followed.
    """
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    target = tmp_path / "of somebody else"
    (tmp_path / "dqn-grader-error.txt").symlink_to(target)
    out = str(tmp_path / "out")
    files = []
    for number in (1, 2):
        fault = ZeroDivisionError(f"fault \ud800 {number}")
        assert grading_ends(monkeypatch, fault, "solution", "--out", out) == 2
        err = capsys.readouterr().err
        found = re.fullmatch(
            r"grader error \(not your mistake\): ZeroDivisionError; please send (\S+) "
            "to the course staff\n",
            err,
        )
        files.append(Path(found[1]))
        assert f"fault ? {number}" in files[-1].read_text()
        assert files[-1].stat().st_mode & 0o777 == 0o600
    assert len({*files}) == 2
    assert not target.exists()


def test_a_fault_of_ours_without_room_for_it(monkeypatch, capsys):
    """If the traceback of a grader's fault cannot be saved, its last line is shown."""
    out = str(ROOT / "results")
    monkeypatch.setattr(cli, "writable", Path)
    monkeypatch.setattr("tempfile.tempdir", "/no/such/folder")
    assert grading_ends(monkeypatch, KeyError("x"), "solution", "--out", out) == 2
    err = capsys.readouterr().err
    assert "KeyError: 'x'" in err
    assert "Traceback" not in err
