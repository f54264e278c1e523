"""A class run gives each hand-in the same result as if it were graded alone.

A problem with one hand-in affects no other hand-in.
"""

import csv
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.classroom import command as classes
from grader.classroom import one, pool
from grader.classroom.entries import id_of
from grader.contract.exercises import ROOT
from grader.contract.outcomes import UsageError
from grader.grading import pipeline
from grader.intake.submission import Submission
from grader.intake.take import take
from tests.support.patient import SECONDS
from tests.support.results import contents, without_durations

HOSTILE = "=1+1 <script>alert(1)<img src=x>\x1b[2J\n::error::"


@pytest.fixture(scope="session")
def classroom(tmp_path_factory, solution) -> Path:
    """Return a folder with eight hand-ins of many kinds; two cannot be read."""
    folder = tmp_path_factory.mktemp("class")
    starter = (ROOT / "starter" / "dqn.py").read_text()
    for name, source in {
        "ann": solution,
        "bob": starter,
        "copy": solution,
        "cy": "raise RuntimeError('<b>no</b>')",
        "dee": b"\xff\xfe is no text",
        HOSTILE: starter + "\nprint('x')\n",
    }.items():
        (folder / name).mkdir()
        data = source if isinstance(source, bytes) else source.encode()
        (folder / name / "dqn.py").write_bytes(data)
    (folder / "empty").mkdir()
    shutil.copy(ROOT / "solution" / "dqn.py", folder / "file.py")
    return folder


def run(folder: Path, out: Path, *more: str) -> int:
    """Grade a class on the exercise `sync_target`; return the exit code.

    Args:
        folder: folder with the hand-ins.
        out: folder for the results.
        more: further arguments of the command.
    """
    words = [str(folder), "--out", str(out), "--only", "sync_target", *more]
    return classes.run(classes.parse(words))


@pytest.fixture(scope="session")
def graded(classroom, tmp_path_factory) -> tuple[Path, int]:
    """Grade the class once with real processes.

    Returns:
        The folder of the results, and the exit code.
    """
    out = tmp_path_factory.mktemp("class-results")
    return out, run(classroom, out, "--jobs", "2")


@pytest.fixture
def asked(monkeypatch, graded) -> list[str]:
    """Replace each grading by a stored report from the fixture `graded`.

    Returns:
        A list to which each replaced grading adds the SHA-256 hash of its hand-in.
    """
    known = {
        json.loads(text)["submission"]["sha256"]: text
        for path in (graded[0] / "kept").glob("*.json")
        for text in [path.read_text()]
    }
    names: list[str] = []

    def grade(self, submission: Submission, options: pipeline.Options) -> pool.Graded:
        names.append(submission.sha256)
        return pool.Graded(known[submission.sha256])

    monkeypatch.setattr(pool.Running, "grade", grade)
    return names


def scores(out: Path) -> dict[str, float]:
    """Return the scores in the reports of a class run, by the hand-in's name."""
    reports = [json.loads(p.read_text()) for p in (out / "reports").glob("*.json")]
    return {report["submission"]["name"]: report["score"] for report in reports}


def test_each_is_graded_as_alone(classroom, graded, command, tmp_path):
    """A hand-in gets the same report in a class run as from `make grade`."""
    out, code = graded
    assert code == 2  # because two hand-ins could not be read
    reports = {
        report["submission"]["name"]: report
        for path in (out / "reports").glob("*.json")
        for report in [json.loads(path.read_text())]
    }
    assert len(reports) == 8
    for name in ("ann", "dee"):
        how = ("--only", "sync_target", "--seed", reports[name]["seed"])
        tier = ("--sandbox", reports[name]["sandbox"])
        alone = command("grade", classroom / name, *how, *tier).report
        assert without_durations(reports[name]) == without_durations(alone)
    assert reports["ann"]["score"] == reports["copy"]["score"] == 5


def test_each_has_a_secret_seed_of_its_own(graded):
    """Each hand-in has its own secret seed, and copies of a hand-in share a seed.

    A student's page shows no seed but the student's own.
    """
    out, _ = graded
    found = {
        path.stem: json.loads(path.read_text())
        for path in (out / "reports").glob("*.json")
    }
    seeds = {
        report["submission"]["sha256"]: report["seed"] for report in found.values()
    }
    assert len({*seeds.values()}) == len(seeds) == 6
    assert all(re.fullmatch("[0-9a-f]{32}", seed) for seed in seeds.values())
    for id_, report in found.items():
        page = (out / "students" / f"{id_}.html").read_text()
        assert [seed for seed in seeds.values() if seed in page] == [report["seed"]]
    assert not [s for s in seeds.values() if s in (out / "class.html").read_text()]


def test_one_seed_for_all_when_told(classroom, monkeypatch, tmp_path):
    """SEED=x is the seed of each grading; without SEED a grading is given no seed."""
    told: list[str] = []

    def grade(self, submission: Submission, options: pipeline.Options) -> pool.Graded:
        told.append(options.seed)
        return pool.Graded("", "not now")

    monkeypatch.setattr(pool.Running, "grade", grade)
    run(classroom, tmp_path / "out", "--seed", "x")
    assert {*told} == {"x"}
    told.clear()
    run(classroom, tmp_path / "out")
    assert {*told} == {""}


def test_no_two_hand_ins_have_one_id():
    """200 000 hand-ins have different ids, so an id has more than 32 random bits."""
    submission = Submission("x", b"pass")
    ids = {id_of(str(number), submission) for number in range(200_000)}
    assert len(ids) == 200_000


def test_nothing_is_graded_twice(classroom, graded, asked, tmp_path, solution):
    """A second class run grades only hand-ins whose text is new.

    If the second run has another seed, it grades all hand-ins again.
    """
    out = tmp_path / "out"
    shutil.copytree(graded[0], out)
    before = contents(out)
    assert run(classroom, out) == 2
    assert asked == []
    assert contents(out) == before
    changed = tmp_path / "class"
    shutil.copytree(classroom, changed)
    shutil.copy(classroom / "ann" / "dqn.py", changed / "bob" / "dqn.py")
    (changed / "cy" / "dqn.py").write_bytes(b"\xff\xfe is no text")
    shutil.rmtree(changed / "dee")
    assert run(changed, out) == 2
    assert asked == []  # because both new texts were graded before
    assert len(list((out / "students").iterdir())) == 7
    assert run(changed, out, "--seed", "2") == 2
    assert len(asked) == 4


def test_interrupted_it_goes_on(classroom, graded, asked, tmp_path, monkeypatch):
    """After an interruption, the next run grades only hand-ins without a report.

    The results are the same as without an interruption.
    """
    put = pool.Kept.put

    def interrupted(self, name, text, **how):
        if len(list(self.folder.iterdir())) == 2:
            raise KeyboardInterrupt
        put(self, name, text, **how)

    monkeypatch.setattr(pool.Kept, "put", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(classroom, tmp_path / "out", "--jobs", "1")
    monkeypatch.setattr(pool.Kept, "put", put)
    kept = list((tmp_path / "out" / "kept").iterdir())
    asked.clear()
    assert run(classroom, tmp_path / "out") == 2
    assert len(kept) == 2
    assert len(asked) == 4
    assert contents(tmp_path / "out") == contents(graded[0])


def test_what_cannot_be_graded_costs_only_itself(
    classroom, asked, tmp_path, monkeypatch, capfd
):
    """If the grader fails on a hand-in, this hand-in is listed; all others have scores.

    The exit code is 2, and the next run tries that hand-in again.
    """
    answer = pool.Running.grade
    ann = take(str(classroom / "ann")).sha256

    def broken(self, submission, options):
        if submission.sha256 == ann:
            return pool.Graded("", "the runner died")
        return answer(self, submission, options)

    monkeypatch.setattr(pool.Running, "grade", broken)
    assert run(classroom, tmp_path / "out") == 2
    told = capfd.readouterr().err.splitlines()
    assert [line for line in told if "ann" in line] == [
        "not graded: ann: the runner died"
    ]
    assert told[-1] == "3 of 8 could not be graded"
    assert "ann" not in scores(tmp_path / "out")
    assert len(scores(tmp_path / "out")) == 5
    rows = (tmp_path / "out" / "grades.csv").read_text().splitlines()
    assert any(",ann,ann,,," in row and "the runner died" in row for row in rows)
    monkeypatch.setattr(pool.Running, "grade", answer)
    assert run(classroom, tmp_path / "out") == 2
    assert asked.count(ann) == 1


def test_out_of_time_is_judged_without_the_others(
    classroom, asked, tmp_path, monkeypatch
):
    """A hand-in with a timeout is graded again, alone, and the second result counts.

    If the class run is interrupted before that result is stored, the next class run
    grades the hand-in again.
    """
    answer = pool.Running.grade
    ann = take(str(classroom / "ann")).sha256

    def busy(self, submission, options):
        graded = answer(self, submission, options)
        if submission.sha256 != ann:
            return graded
        late = '"outcome": "timeout"'
        return pool.Graded(graded.text.replace('"outcome": "passed"', late, 1))

    monkeypatch.setattr(pool.Running, "grade", busy)
    put = pool.Kept.put

    def interrupted(self, name, text, *, alone):
        if alone:
            raise KeyboardInterrupt
        put(self, name, text, alone=alone)

    monkeypatch.setattr(pool.Kept, "put", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(classroom, tmp_path / "out")
    assert asked.count(ann) == 2
    assert asked[-1] == ann
    monkeypatch.setattr(pool.Kept, "put", put)
    asked.clear()
    assert run(classroom, tmp_path / "out") == 2
    assert asked == [ann]
    assert run(classroom, tmp_path / "out") == 2
    assert asked == [ann]
    rows = (tmp_path / "out" / "grades.csv").read_text().splitlines()
    assert [row.split(",")[15] for row in rows if ",ann," in row] == ["1"]


def test_unreadable_hand_ins_are_listed(classroom, asked, tmp_path, monkeypatch, capfd):
    """A folder without read permission is not graded and has no score."""
    taking = classes.take

    def refused(path: str) -> Submission:
        if path.endswith("bob"):
            raise PermissionError(13, "Permission denied")
        return taking(path)

    monkeypatch.setattr(classes, "take", refused)
    assert run(classroom, tmp_path / "out") == 2
    assert (
        "not graded: bob: cannot be read: Permission denied" in capfd.readouterr().err
    )
    assert len(scores(tmp_path / "out")) == 7


def test_what_was_not_read_is_said_first(classroom, graded, asked, tmp_path, capfd):
    """A hand-in that could not be read is listed first and has no score.

    The exit code is 2, and the hand-in has a page all the same.
    """
    assert run(classroom, tmp_path / "out") == 2
    told = capfd.readouterr()
    kinds = [line.partition(":")[0] for line in told.err.splitlines()]
    assert kinds == ["not read", "not read", "not imported", "2 of 8 could not be read"]
    assert "6 graded" in told.out
    with open(tmp_path / "out" / "grades.csv", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    for name in ("dee", "empty"):
        assert rows[name]["score"] == ""
        assert rows[name]["note"].startswith("not read: ")
    assert rows["cy"]["score"] == "0"
    assert rows["cy"]["note"].startswith("not imported: ")
    assert len(list((tmp_path / "out" / "students").iterdir())) == 8


def test_what_cannot_be_imported_was_graded(classroom, asked, tmp_path, capfd):
    """A hand-in that cannot be imported is listed, and the exit code is 0."""
    folder = tmp_path / "class"
    for name in ("ann", "cy"):
        shutil.copytree(classroom / name, folder / name)
    assert run(folder, tmp_path / "out") == 0
    assert capfd.readouterr().err.startswith("not imported: cy: RuntimeError")


def test_gradebooks_say_what_they_leave_alone(
    classroom, asked, tmp_path, monkeypatch, capsys
):
    """Hand-ins that do not run get 0 points in the gradebook only with UNREAD=0.

    Without UNREAD=0 their cells are unchanged, and their owners are listed.
    """
    export = tmp_path / "export.csv"
    names = ("ann", "cy", "dee", "empty")
    rows = "".join(f"{name},,,{name},A,7\n" for name in names)
    export.write_text(f"Student,ID,SIS User ID,SIS Login ID,Section,DQN (1)\n{rows}")
    words = [str(classroom), "--out", str(tmp_path), "--gradebook", str(export)]
    words += ["--assignment", "DQN"]
    assert classes.run(classes.parse(words)) == 2
    told = capsys.readouterr().out
    assert "gradebook.csv: left alone" in told
    assert ": cy, dee, empty (UNREAD=0 enters 0)" in told
    filled = (tmp_path / "gradebook.csv").read_text()
    assert filled == export.read_text().replace("ann,A,7", "ann,A,5")
    assert classes.run(classes.parse([*words, "--unread", "0"])) == 2
    assert "left alone" not in capsys.readouterr().out
    assert (tmp_path / "gradebook.csv").read_text() == filled.replace(",7", ",0")


def test_hostile_names_and_words_do_nothing(graded):
    """A hostile name does no harm in grades.csv, on pages, or as a file name."""
    out, _ = graded
    for path in out.rglob("*.*"):
        text = path.read_text()
        assert "\x1b" not in text
        if path.suffix == ".html":
            assert "<script>alert" not in text
            assert "<b>no</b>" not in text
        assert "script" not in path.name
    assert ",'=1+1" in (out / "grades.csv").read_text()


NAMES = [
    *(b"Jos\xe9", b"Jos\xc3\xa9", b"Jose\xcc\x81", b"JOSE", b"jose", b"-", b"--help"),
    *(
        b"a\nnot graded: b",
        b"=1+1",
        b";=HYPERLINK(1)",
        b"@SUM(A1)",
        b"+1\t",
        b"x" * 255,
    ),
    *(
        b"\xff" * 255,
        b"\xed\xa0\x80",
        b"\xe2\x80\xae",
        b"\x1b[2J",
        b"::error::x",
        b"$(id)",
    ),
]


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes, pipes")
def test_names_of_any_bytes_and_odd_files(
    classroom, asked, tmp_path, monkeypatch, capfd
):
    """Folders with names of any bytes are graded; pipes and links do not stop the run.

    All output is text without terminal controls and without CI commands.
    """
    folder = tmp_path / "class"
    for name in map(os.fsdecode, NAMES):
        (folder / name).mkdir(parents=True)
        shutil.copy(classroom / "bob" / "dqn.py", folder / name)
    for name in ("no pipe", "no link", "no end"):
        (folder / name).mkdir()
    os.mkfifo(folder / "no pipe" / "dqn.py")
    (folder / "no link" / "dqn.py").symlink_to("gone")
    (folder / "no end" / "dqn.py").symlink_to("dqn.py")
    for name in ("pipe.py", "pipe.\udcff.zip", "pipe"):
        os.mkfifo(folder / name)
    (folder / "gone.py").symlink_to("gone")
    (folder / "loop.py").symlink_to("loop.py")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(folder)
        listening.bind("socket.py")
    answer = pool.Running.grade

    def sent(self, submission, options):
        return answer(self, *one.unpack(io.BytesIO(one.pack(submission, options))))

    monkeypatch.setattr(pool.Running, "grade", sent)
    run(folder, tmp_path / "out")
    told = capfd.readouterr()
    for written in [*(tmp_path / "out").rglob("*.*"), told.out, told.err]:
        text = written if isinstance(written, str) else written.read_bytes().decode()
        assert "\x1b" not in text
        assert not [line for line in text.splitlines() if line.startswith("::")]
    assert "\nnot graded: b" not in told.err
    grades = tmp_path / "out" / "grades.csv"
    with open(grades, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["score"] for row in rows].count("0") >= len(NAMES)
    assert len(rows) == len({row["hand_in"] for row in rows}) == len(NAMES) + 6
    assert not [c for row in rows for c in row.values() if c[:1] in tuple("=+-@\t\r")]


def test_a_hand_in_that_cannot_be_sent_keeps_nobody_waiting(tmp_path, monkeypatch):
    """If a hand-in cannot be sent to its process, the run goes on and says why."""

    def broken(*_: object) -> bytes:
        raise ValueError("no bytes come of it")

    monkeypatch.setattr(one, "pack", broken)
    results: list[tuple[str, pool.Graded]] = []
    tasks = {"a": Submission("x", b"pass")}
    work: Callable[[], None] = lambda: results.extend(  # noqa: E731
        pool.grade_here(tasks, pipeline.Options("1"), 1)
    )
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(SECONDS)
    (name, graded) = results[0]
    assert (name, graded.text) == ("a", "")
    assert "no bytes come of it" in graded.why_not


def test_a_hand_in_that_breaks_its_reading_costs_only_itself(
    classroom, asked, tmp_path, monkeypatch, capfd
):
    """If reading a hand-in raises an exception, only this hand-in is not graded."""
    taking = classes.take

    def broken(path: str) -> Submission:
        if path.endswith("bob"):
            raise RecursionError("too deep")
        return taking(path)

    monkeypatch.setattr(classes, "take", broken)
    assert run(classroom, tmp_path / "out") == 2
    assert "bob: cannot be read: RecursionError" in capfd.readouterr().err
    assert len(scores(tmp_path / "out")) == 7


def test_the_class_page_names_nobody_unless_asked(classroom, graded, asked, tmp_path):
    """The class page shows names only with NAMES=1."""
    names = ("ann", "bob", "dee")
    page = (graded[0] / "class.html").read_text()
    assert not [name for name in names if f">{name}<" in page]
    assert run(classroom, tmp_path / "out", "--names", "1") == 2
    page = (tmp_path / "out" / "class.html").read_text()
    assert [name for name in names if f">{name}<" in page] == list(names)


def test_a_grading_without_end_is_ended(solution):
    """A grading that takes longer than its limit is killed, and the result says so."""
    options = pipeline.Options("1", only=("sync_target",))
    graded = pool.Running().grade(Submission("x", b"pass"), options, limit=0.01)
    assert graded == pool.Graded("", "not graded within 0 s")


def test_a_fault_of_ours_is_told_in_its_own_words(monkeypatch):
    """If a grading ends with a grader error, the field `why_not` holds its message."""
    monkeypatch.setenv("PATH", "")
    options = pipeline.Options("1", tier="bwrap")
    graded = pool.Running().grade(Submission("x", b"pass"), options)
    assert not graded.text
    assert "SANDBOX=bwrap does not work here" in graded.why_not


def test_a_grading_ends_with_the_one_who_asked():
    """If the class run is killed, a grading that it has started ends, too."""
    options = pipeline.Options("1", only=("sync_target",))
    source = b"import time\nwhile True: time.sleep(1)"
    with subprocess.Popen(
        [sys.executable, "-m", "grader.classroom.one"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        process.stdin.write(one.pack(Submission("x", source), options))
        process.stdin.close()  # the pipe closes when the class run is killed
        assert process.stdout.read() == b""
        assert process.wait() == 2


def test_stopped_gradings_are_over():
    """`Running.stop` ends all running gradings; afterwards no grading can start."""
    running = pool.Running()
    results: list[pool.Graded] = []
    options = pipeline.Options("1", only=("sync_target",))
    work: Callable[[], None] = lambda: results.append(  # noqa: E731
        running.grade(Submission("x", b"while True: pass"), options)
    )
    thread = threading.Thread(target=work)
    thread.start()
    while not running.processes and thread.is_alive():
        thread.join(0.01)
    running.stop()
    thread.join()
    assert not running.processes
    assert not results[0].text
    assert running.grade(Submission("x", b""), options).why_not == "it was stopped"


def test_what_decides_a_grade_changes_its_name():
    """The name of a stored report depends on all that can change the report.

    This is the hand-in's text, the problem found while reading it, the options, and the
    grader's code. The file name of the hand-in has no effect.
    """
    options = pipeline.Options("1")
    first = pool.name_of(Submission("x", b"1"), options, "code")
    assert pool.name_of(Submission("y", b"1"), options, "code") == first
    others = [
        pool.name_of(Submission("x", b"2"), options, "code"),
        pool.name_of(Submission("x", b"1", "too large"), options, "code"),
        pool.name_of(Submission("x", b"1"), pipeline.Options("2"), "code"),
        pool.name_of(Submission("x", b"1"), options, "other"),
    ]
    assert len({first, *others}) == 5


def test_an_empty_argument_is_not_given(classroom):
    """An empty option has the same effect as a missing option.

    Make passes an empty option for each variable that is not set.
    """
    words = [f"--{name}=" for name in vars(classes.parse(["x"])) if name[0] != "s"]
    empty = classes.parse([*words, "--seed=", "--sandbox=", "--", str(classroom)])
    assert empty == classes.parse([str(classroom)])
    assert (empty.jobs, empty.names, empty.only, empty.device) == (
        None,
        False,
        (),
        "cpu",
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--jobs", "none"], "JOBS='none'"),
        (["--jobs", "0"], "JOBS='0'"),
        (["--only", "x"], "ONLY='x'"),
        (["--names", "2"], "NAMES='2'"),
        (["--unread", "1"], "UNREAD='1'"),
        (["--gradebook", "absent.csv", "--only", ""], "absent.csv: No such file"),
        (["--gradebook", "x.csv"], "ONLY: points of one exercise"),
        (["--seed", "\n"], "SEED="),
        (["--sandbox", "docker"], "SANDBOX='docker' is unknown: use one of bwrap"),
        (["--device", "tpu"], "DEVICE='tpu' is unknown: use one of cpu, gpu"),
    ],
)
def test_wrong_arguments_are_refused(classroom, tmp_path, words, told):
    """A wrong argument of the class run is a usage error that names the argument."""
    with pytest.raises(UsageError, match=told):
        run(classroom, tmp_path / "out", *words)
