"""`make grade WATCH=1`: a student's terminal, from the first screen to q."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from grader.contract.exercises import ROOT, UNITS
from grader.grading import pipeline
from grader.grading.plugin import Checks, run_script
from grader.intake.submission import Submission
from grader.report.model import Exercise
from grader.watch.warm_grader import Verdict, WarmGrader
from tests.corpus.mutants import MUTANTS
from tests.support.edits import SOLUTION
from tests.support.patient import PATIENT, SECONDS
from tests.support.terminals import watch_in_terminal

pexpect = pytest.importorskip("pexpect")
pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="there are no pseudo-terminals"
)
BY_ID = {mutant.id: mutant.source for mutant in MUTANTS}
NEVER = BY_ID["sync-never"]
HANGS = SOLUTION.replace(
    "def sync_target(",
    "def sync_target(*_):\n    while True:\n        pass\n\ndef old(",
)


class Terminal:
    """A terminal of 80 columns and 40 lines in which a watch runs.

    Args:
        folder: the folder with the hand-in and the report.
        module: the module to run as the grader's command line.
        options: further options of the command.
    """

    def __init__(self, folder: Path, module: str, *options: str) -> None:
        self.file = folder / "hand-in" / "dqn.py"
        self.file.parent.mkdir()
        self.save(SOLUTION)
        self.process = watch_in_terminal(
            self.file.parent,
            folder / "results",
            *options,
            module=module,
            lines=40,
            seconds=int(SECONDS),
            TMPDIR=str(folder),
        )

    def save(self, text: str) -> None:
        """Save a hand-in by renaming a new file, which is never seen half written."""
        new = self.file.with_name("dqn.py.new")
        new.write_text(text, encoding="utf-8")
        os.replace(new, self.file)

    def shows(self, pattern: str) -> str:
        """Wait for a regular expression; return what came before, without colours."""
        self.process.expect(pattern)
        text = self.process.before + self.process.after
        return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", text)

    def verdict(self, exercise: str) -> str:
        """Wait for an exercise's whole verdict; return this last screen."""
        text = self.shows(rf"{exercise}: \d+\.\d s .*q quit")
        return text.rpartition("Points ")[2]

    def ends(self) -> int:
        """Wait until the watch ends; return its exit code."""
        self.process.expect(pexpect.EOF)
        return self.process.wait()


@pytest.fixture
def opened(tmp_path) -> Iterator[Callable[..., Terminal]]:
    """Return a function that opens a `Terminal`; it is closed after the test."""
    terminals: list[Terminal] = []

    def open_one(*options: str, module: str = "tests.support.patient") -> Terminal:
        terminals.append(Terminal(tmp_path, module, *options))
        return terminals[-1]

    yield open_one
    for terminal in terminals:
        terminal.process.close(force=True)


def test_each_save_gets_its_verdict(opened):
    """The exercise that was edited is shown, whatever the editor and the text do."""
    terminal = opened("--only=q_network")
    terminal.verdict("q_network")

    terminal.file.write_text(NEVER, encoding="utf-8")  # overwrites the file
    seen = terminal.verdict("sync_target")
    assert "3:(5/5)" in seen  # the points of the text before
    assert re.search(r"8 sync_target +0 / 5", seen)
    assert "θ_T ← θ_T at every step" in seen
    assert "→" in seen

    terminal.save(SOLUTION)
    assert "8:5/5" in terminal.verdict("sync_target")

    terminal.save(SOLUTION.replace("def td_loss(", "def td_loss(("))
    seen = terminal.verdict("sync_target")
    assert "SyntaxError" in seen
    assert f"line {SOLUTION[: SOLUTION.index('def td_loss(')].count(chr(10)) + 1}" in (
        seen
    )
    assert "8:(5/5)" in seen

    terminal.file.unlink()
    assert "not read: there is no dqn.py" in terminal.verdict("sync_target")

    # Since the last text that was Python, only sync_target has changed.
    terminal.save(NEVER)
    assert "8:0/5" in terminal.verdict("sync_target")

    terminal.process.send("n")
    assert "1:15/15" in terminal.verdict("update_Q_TD0")
    helpers = psutil.Process(terminal.process.pid).children(recursive=True)
    assert helpers

    terminal.process.send("q")
    assert terminal.ends() == 0
    assert psutil.wait_procs(helpers, SECONDS)[1] == []
    assert not list(terminal.file.parents[1].glob("dqn-grader*"))


def test_a_hang_ends_at_its_deadline_or_at_the_next_save(opened):
    terminal = opened("--only=sync_target", module="tests.support.short_calls")
    terminal.verdict("sync_target")
    terminal.save(HANGS)
    seen = terminal.verdict("sync_target")
    assert "out of time" in seen
    assert "8:0/5" in seen

    terminal.process.send("r")
    terminal.shows("grading sync_target")
    terminal.save(SOLUTION)
    seen = terminal.verdict("sync_target")
    assert "8:5/5" in seen
    assert "out of time" not in seen

    terminal.process.send("r")
    terminal.shows("grading sync_target")
    terminal.process.sendintr()  # Ctrl-C
    assert terminal.ends() == 0


def test_without_a_terminal_it_says_so(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "grader", "grade", "--watch=1", "starter"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert re.fullmatch("error: WATCH=1 .* terminal .*\n", done.stderr)


TEXTS = {
    "half": (BY_ID["td-half"], "td_loss"),
    "right": (SOLUTION, "td_loss"),
    "stub": ((ROOT / "starter" / "dqn.py").read_text("utf-8"), "td_loss"),
    "counts": (BY_ID["sync-counts-calls"], "sync_target"),
}


def test_verdicts_are_those_of_make_grade():
    """Texts that follow each other on warm processes are graded as each one alone."""
    options = pipeline.Options("7", limits=PATIENT)
    found: dict[str, Exercise] = {}
    told: list[Verdict] = []

    def script(checks: Checks) -> None:
        for text, (source, name) in TEXTS.items():
            submission = Submission("dqn.py", source.encode())
            verdict = grader.grade(checks, submission, name, told.append)
            assert verdict
            assert verdict.whole
            found[text] = verdict.exercise

    with WarmGrader(options) as grader:
        run_script(
            UNITS,
            script,
            lambda exercise, check: grader.look(),
        )
    # Of each text but the right one, the first failure is told once.
    first = [verdict.exercise.name for verdict in told]
    assert first == ["td_loss", "td_loss", "sync_target"]
    assert found["right"].score == found["right"].max_score
    assert found["stub"].checks[0].message.startswith("not implemented yet")
    for text in ("half", "counts"):
        source, name = TEXTS[text]
        submission = Submission("dqn.py", source.encode())
        alone = pipeline.Options("7", (name,), limits=PATIENT)
        report = pipeline.grade(submission, alone, pipeline.Progress())
        assert timeless(found[text]) == timeless(report.exercises[0]), text


def timeless(exercise: Exercise) -> list[dict]:
    """Return the fields of an exercise's checks, without the durations."""
    return [{**vars(check), "duration": 0} for check in exercise.checks]
