"""Grade many hand-ins side by side, each in processes of its own; keep the reports.

A report is kept under a hash of everything that decides it. So an interrupted run goes
on where it was, a later one grades only what is new, and copies are graded once.
"""

import contextlib
import hashlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from grader.classroom import one
from grader.contract.exercises import ROOT
from grader.contract.outcomes import Outcome
from grader.escape import plain
from grader.grading.pipeline import Options
from grader.intake.submission import Submission
from grader.report.model import Report, load, write_whole

# A grading has limits of its own; this one is for a trusted side that hangs.
LIMIT_SECONDS = 900.0
DECIDES = ("grader", "starter", "solution")  # folders whose files decide a grade
# Except for these, which only show grades.
SHOWS = {ROOT / "grader" / "classroom", ROOT / "grader" / "report" / "formats"}


@dataclass(frozen=True)
class Graded:
    """The result of one grading.

    Attributes:
        text: of report.json; "" if there is no report.
        why_not: why there is no report, for staff.
    """

    text: str
    why_not: str = ""


Gradings = Generator[
    tuple[str, Graded], None, None
]  # with names, in the order of completion


def code_hash() -> str:
    """Return a hash of all files that decide a grade, and of Python's version."""
    hashed = hashlib.sha256(sys.version.encode())
    files = [ROOT / "uv.lock"]
    for name in DECIDES:
        files += (ROOT / name).rglob("*")
    for path in sorted(files):
        if SHOWS & {*path.parents} or "__pycache__" in path.parts or not path.is_file():
            continue
        hashed.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
        hashed.update(hashlib.sha256(path.read_bytes()).digest())
    return hashed.hexdigest()


def name_of(submission: Submission, options: Options, code: str) -> str:
    """Return the name under which a report is kept.

    Args:
        submission: what is graded.
        options: how it is graded.
        code: from `code_hash`.
    """
    handed_in = {
        field.name: getattr(submission, field.name)
        for field in fields(submission)
        if field.name not in ("name", "source", "path")
    }
    told = [submission.sha256, handed_in, asdict(options), code]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


class Kept:
    """The reports that are kept in a folder, each whole or not at all.

    A report in which time ran out beside other gradings is not final: the machine may
    have been too busy.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, name: str) -> Report | None:
        """Return the report of that name if there is a final one."""
        return load(self.folder / f"{name}.json")

    def is_open(self, name: str) -> bool:
        """Return whether there is a report of that name, but no final one."""
        return (self.folder / f"{name}.open").exists() and self.get(name) is None

    def put(self, name: str, text: str, *, alone: bool) -> None:
        """Keep a report.

        Args:
            name: from `name_of`.
            text: of report.json.
            alone: nothing else was graded at the same time.
        """
        path = self.folder / f"{name}.open"
        write_whole(path, text)
        report = load(path)
        if alone or report is None or not timeouts(report):
            path.replace(self.folder / f"{name}.json")


def timeouts(report: Report) -> int:
    """Return how many checks ran out of time."""
    checks = [check for exercise in report.exercises for check in exercise.checks]
    return sum(check.outcome == Outcome.TIMEOUT for check in checks)


def grade_here(
    tasks: Mapping[str, Submission], options: Options, jobs: int
) -> Gradings:
    """Grade on this machine.

    Args:
        tasks: hand-ins by name.
        options: how to grade them.
        jobs: how many at once.

    Yields:
        A name and its result, in the order of completion.
    """
    running = Running()
    with ThreadPoolExecutor(jobs) as threads:
        try:
            names: dict[Future[Graded], str] = {
                threads.submit(running.grade, submission, options): name
                for name, submission in tasks.items()
            }
            waiting = set(names)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    try:
                        graded = future.result()
                    except Exception as error:  # costs only its own hand-in
                        graded = Graded("", plain(f"{error!r}", 300))
                    yield names[future], graded
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            running.stop()


class Running:
    """The gradings that run now, each in a process that can be killed."""

    def __init__(self) -> None:
        self.processes: set[subprocess.Popen] = set()
        self.lock = threading.Lock()
        self.stopped = False

    def grade(
        self, submission: Submission, options: Options, limit: float = LIMIT_SECONDS
    ) -> Graded:
        """Grade one hand-in; if that fails, the result says why.

        Args:
            submission: what to grade.
            options: how to grade it.
            limit: for the whole grading, in seconds.
        """
        question = one.pack(submission, options)
        with tempfile.TemporaryFile() as printed:
            with self.lock:
                if self.stopped:
                    return Graded("", "it was stopped")
                try:
                    process = subprocess.Popen(
                        [sys.executable, "-m", "grader.classroom.one"],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=printed,
                        cwd=ROOT,
                    )
                except OSError as error:
                    words = f"no process can be started: {error.strerror}"
                    return Graded("", words)
                self.processes.add(process)
            overdue = threading.Event()

            def end() -> None:
                overdue.set()
                process.kill()

            timer = threading.Timer(limit, end)
            timer.start()
            try:
                told = answer_of(process, question)
                process.wait()
            finally:
                timer.cancel()
                process.kill()  # an exception may have come before it ended
                process.wait()
                with self.lock:
                    self.processes.discard(process)
            if overdue.is_set():
                return Graded("", f"not graded within {limit:.0f} s")
            if process.returncode == 0:
                return Graded(told.decode(errors="replace"))
            printed.seek(0)
            lines = printed.read().decode(errors="replace").strip().splitlines()
        code = f"its process ended with exit code {process.returncode}"
        return Graded("", plain(lines[-1], 500) if lines else code)

    def stop(self) -> None:
        """Kill all gradings; no more can be started."""
        with self.lock:
            self.stopped = True
            for process in self.processes:
                process.kill()


def answer_of(process: subprocess.Popen, question: bytes) -> bytes:
    """Send a question to a process and return what it writes until it ends."""
    asks, answers = process.stdin, process.stdout
    assert asks is not None
    assert answers is not None
    # The process may have ended already; what it printed says why.
    with contextlib.suppress(BrokenPipeError):
        asks.write(question)
        asks.flush()
    with answers:
        told: bytes = answers.read()  # stdin stays open: the process ends with it
    with contextlib.suppress(BrokenPipeError):
        asks.close()
    return told
