"""Run `make grade WATCH=1`: grade the edited exercise after each save."""

import _thread
import os
import queue
import shutil
import signal
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.status import Status

from grader.contract.exercises import UNITS
from grader.grading import pipeline
from grader.grading.plugin import Checks, run_script
from grader.intake.submission import Submission
from grader.report import picture, terminal
from grader.report.layout import print_line
from grader.report.live import Live
from grader.report.model import Exercise, load
from grader.watch.edits import definitions, edited_exercise
from grader.watch.events import keys, saves
from grader.watch.screen import Clock, draw, points_line
from grader.watch.warm_grader import Verdict, WarmGrader

AGAIN, NEXT, FULL, QUIT = "r", "n", "f", "q"
LOOK_SECONDS = 0.5  # from one look at the size of the window to the next


@dataclass(frozen=True)
class Event:
    """Something that the loop reacts to.

    Attributes:
        kind: a key, or "" for a save.
        time: when it happened, in seconds of `time.monotonic`.
        submission: the hand-in after a save; None for any other event.
    """

    kind: str
    time: float
    submission: Submission | None = None


def run(path: str, out: Path, options: pipeline.Options, level: int) -> int:
    """Grade after each save until the student quits; return the exit code 0.

    Args:
        path: path of the hand-in.
        out: folder of report.json.
        options: the options of the gradings. The name in `only`, if there is one, is
            the exercise to begin with.
        level: how much of messages and hints is shown, see `report/hints.py`.

    Raises:
        GraderError: the grader itself failed; for example, a process did not start.
        UsageError: standard input or output is no terminal. Or the device is "gpu", and
            JAX with CUDA is not installed. Or report.json cannot be written.
    """
    watch = Watch(out, options, level)
    # The key q sends SIGINT. Without this line, a program that was started in the
    # background would ignore the signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with keys(watch.on_key), saves(path, watch.on_save) as submission:
            print("Starting …", flush=True)
            with WarmGrader(options) as watch.grader:
                watch.begin(submission)
                while True:
                    run_script(UNITS, watch.script, watch.on_check)
                    watch.grade_all()
    except KeyboardInterrupt:  # Ctrl-C, or q
        print()
    return 0


class Watch:
    """The loop of `make grade WATCH=1`, and what it knows from earlier saves.

    Args:
        out: folder of report.json.
        options: the options of the gradings.
        level: how much of messages and hints is shown.

    Attributes:
        grader: grades the texts, in helper processes that are kept ready.
        events: queue of the events that the loop has not handled yet.
        submission: the hand-in as it was saved last.
        parsed: the last saved text that is valid Python. The next save is compared with
            it, to find the exercise that was edited.
        name: the name of the exercise in view, which is graded at each save.
        points: the exercises whose points are known, by name. The `sha256` of each is
            the hash of the text that was graded.
        verdict: the last verdict on the exercise in view; None if there is none yet.
        state: a few words on the last grading, for the screen.
        ending: whether q was pressed.
        console: the console of the last drawing.
        size: columns and lines of the window at the last drawing.
        clock: the line at the bottom with the seconds of the running grading.
    """

    grader: WarmGrader
    submission: Submission
    console: Console
    size: os.terminal_size
    clock: Status

    def __init__(self, out: Path, options: pipeline.Options, level: int) -> None:
        self.out, self.options, self.level = out, options, level
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.parsed, self.state, self.ending = "", "", False
        self.name = options.only[0] if options.only else ""
        self.points: dict[str, Exercise] = {}
        self.verdict: Verdict | None = None

    # ------------------------------------------------ called from other threads

    def on_key(self, key: str) -> None:
        """Handle a key: q ends the watch at once, as Ctrl-C does.

        The keys r, n and f become events. Any other key is ignored.
        """
        if key == QUIT and not self.ending:
            self.ending = True  # a second q would disturb the end
            if sys.platform == "win32":
                _thread.interrupt_main()
            else:
                main = threading.main_thread().ident
                signal.pthread_kill(main or 0, signal.SIGINT)
        elif key in (AGAIN, NEXT, FULL):
            self.happened(Event(key, time.monotonic()))

    def on_save(self, submission: Submission) -> None:
        """Put the event of a save into the queue.

        Args:
            submission: the hand-in as it was saved.
        """
        self.happened(Event("", time.monotonic(), submission))

    def happened(self, event: Event) -> None:
        """Put an event into the queue, and interrupt the running grading, if any."""
        self.events.put(event)
        if hasattr(self, "grader"):
            self.grader.interrupt()

    # ------------------------------------------------ the loop

    def begin(self, submission: Submission) -> None:
        """Set the first hand-in and the known points, and request a first grading.

        The points are read from the last report.json, if it is on a hand-in of the same
        name, which was read and imported. If the options name none of exercises 1–8,
        the first of these exercises without full points comes into view.

        Args:
            submission: the hand-in at the beginning.
        """
        self.submission = submission
        self.parsed = submission.text
        report = load(self.out / "report.json")
        same = report and report.submission.get("name") == submission.name
        if report and same and not report.problem:
            for exercise in report.exercises:
                self.keep(exercise, report.text_of(exercise))
        full = [name for name, known in self.points.items() if known.is_complete]
        lacking = [name for name in UNITS if name not in full]
        if self.name not in UNITS:
            self.name = (lacking or UNITS)[0]
        self.events.put(Event(AGAIN, time.monotonic()))

    def script(self, checks: Checks) -> None:
        """Grade the exercise in view after each event, until the student presses f.

        Args:
            checks: the collected checks of exercises 1–8.
        """
        while True:
            if self.events.empty():
                self.grader.prepare()
            event = self.next_event()
            if event.kind == FULL:
                return
            if event.kind == NEXT:
                self.name = UNITS[(UNITS.index(self.name) + 1) % len(UNITS)]
            if event.submission:
                self.take(event.submission)
            if self.events.empty():
                self.grade(checks, event.time)

    def next_event(self) -> Event:
        """Wait for the next event and return it; if the window changes, draw anew."""
        while True:
            try:
                return self.events.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                if self.size != shutil.get_terminal_size():
                    self.draw()

    def take(self, submission: Submission) -> None:
        """Set the hand-in to a saved one, and bring the edited exercise into view."""
        self.submission = submission
        if not submission.problem:
            self.name = edited_exercise(self.parsed, submission.text) or self.name
            if definitions(submission.text) is not None:
                self.parsed = submission.text

    def grade(self, checks: Checks, since: float) -> None:
        """Grade the exercise in view, and draw its verdict.

        Args:
            checks: the collected checks.
            since: when the event happened that caused this grading, in seconds of
                `time.monotonic`.
        """
        if self.submission.problem:
            problem = f"not read: {self.submission.problem}"
            self.show(Verdict(Exercise(self.name), problem=problem), since)
            return
        if self.verdict and self.verdict.exercise.name != self.name:
            self.verdict = None
        self.state = ""
        self.draw()  # the known points are now those of an older text
        self.clock = self.console.status(
            Clock(f"grading {self.name}"), refresh_per_second=4
        )
        with self.clock:
            verdict = self.grader.grade(
                checks, self.submission, self.name, self.on_failure
            )
        if verdict:
            if verdict.whole:
                self.keep(verdict.exercise, self.submission.sha256)
            self.show(verdict, since)

    def on_check(self, exercise: str, check: str) -> None:
        """End the grading if an event waits; else draw the first failure, if any.

        This method is called when a check starts. In each grading, the first
        failure is drawn only once.

        Args:
            exercise: the name of the check's exercise; it is not used.
            check: the check's description; it is not used.
        """
        if not self.events.empty():
            self.grader.budget.end()
        self.grader.look()

    def on_failure(self, verdict: Verdict) -> None:
        """Draw the first failure, while the other checks are still to run."""
        self.clock.stop()
        self.verdict = verdict
        self.draw()
        self.clock.start()

    def show(self, verdict: Verdict, since: float) -> None:
        """Draw a verdict, and the time from an event to this verdict.

        Args:
            verdict: the verdict.
            since: when the event happened that caused the grading, in seconds of
                `time.monotonic`.
        """
        self.verdict = verdict
        self.state = f"{self.name}: {time.monotonic() - since:.1f} s"
        self.draw()

    def draw(self) -> None:
        """Draw the screen anew."""
        self.size = shutil.get_terminal_size()
        self.console = terminal.make_console()
        line = points_line(
            self.points, self.name, self.submission.sha256, self.console.width
        )
        draw(line, self.verdict, self.level, self.state, self.console)

    def keep(self, exercise: Exercise, sha256: str) -> None:
        """Remember the points of an exercise.

        Args:
            exercise: the results of the exercise.
            sha256: hash of the text that was graded.
        """
        self.points[exercise.name] = replace(exercise, sha256=sha256)

    def grade_all(self) -> None:
        """Grade all exercises as `make grade` does, then save and print the report.

        Of the events that happen meanwhile, only the last save is kept. It is graded at
        the next key, because a new screen would hide the report.

        Raises:
            UsageError: report.json cannot be written.
        """
        submission = self.submission
        self.verdict, self.state = None, "full run"
        self.draw()
        with Live(self.console) as live:
            progress = pipeline.Progress(live.on_check, live.on_learning)
            options = replace(self.options, only=())
            report = pipeline.grade(submission, options, progress)
        for exercise in report.exercises:
            self.keep(exercise, submission.sha256)
        path, drawing = picture.save(report, str(self.out))
        self.draw()
        terminal.print_report(
            report, self.console, [f"Report: {path}"], level=self.level
        )
        picture.finish(drawing)
        saved = None
        while not self.events.empty():  # keys that were pressed meanwhile are dropped
            saved = self.events.get().submission or saved
        if saved:
            self.take(saved)
            print_line("Your file was saved meanwhile: r grades it.", self.console)
