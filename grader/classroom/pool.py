"""Grade many hand-ins at once, each in a process of its own, and keep the reports.

The name of a report is a hash of everything that decides the report: hand-in, options,
code. So an interrupted run can continue, a later run grades only new hand-ins, and
equal hand-ins are graded once.
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
from pathlib import Path, PurePosixPath

from grader.classroom import one
from grader.contract.exercises import ROOT
from grader.contract.outcomes import Outcome
from grader.escape import plain
from grader.grading.pipeline import Options
from grader.intake.names import is_junk
from grader.intake.submission import Submission
from grader.report.model import Report, load, write_whole

# The time for one grading. The grader's own limits end a grading earlier, so this one
# matters only if the grader hangs.
LIMIT_SECONDS = 900.0
DECIDES = ("grader", "starter", "solution")  # their Python files decide a grade
REFERENCE = "grader/reference"
# Folders in `DECIDES` whose files do not decide a grade, because they only show it.
SHOWS = ("grader/classroom", "grader/report/formats")


@dataclass(frozen=True)
class Graded:
    """The result of one grading.

    Attributes:
        text: the text of report.json; "" if there is no report.
        why_not: why there is no report, for staff; "" if there is one.
    """

    text: str
    why_not: str = ""


# Yields the names of reports and the results of gradings, in the order of completion.
Gradings = Generator[tuple[str, Graded], None, None]


def code_hash() -> str:
    """Return a hash of Python's version and of all files that decide a grade."""
    hashed = hashlib.sha256(sys.version.encode())
    for path in files_that_decide(ROOT):
        hashed.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
        hashed.update(hashlib.sha256(path.read_bytes()).digest())
    return hashed.hexdigest()


def files_that_decide(root: Path) -> list[Path]:
    """Return the files that decide a grade: lock file, Python files, reference.

    What else lies in their folders decides nothing, such as the starter's notebook.

    Args:
        root: the folder of the repository.
    """
    files = [root / "uv.lock", *(root / REFERENCE).rglob("*")]
    for name in DECIDES:
        files += (root / name).rglob("*.py")
    return sorted(
        path
        for path in {*files}
        if path.is_file()
        and not {root / folder for folder in SHOWS} & {*path.parents}
        and not is_junk(PurePosixPath(path.relative_to(root)))
    )


def name_of(submission: Submission, options: Options, code: str) -> str:
    """Return the name under which the report on a hand-in is kept: a hash.

    Args:
        submission: the hand-in.
        options: how to grade the hand-in.
        code: the result of `code_hash`.
    """
    handed_in = {
        field.name: getattr(submission, field.name)
        for field in fields(submission)
        if field.name not in ("name", "source", "path")
    }
    told = [submission.sha256, handed_in, asdict(options), code]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


class Kept:
    """A folder of reports, some of which are not final.

    A report is not final if a check ran out of time while other hand-ins were graded at
    the same time, because the machine may have been too busy. The file of a final
    report is `<name>.json`, that of any other report `<name>.open`.

    Args:
        folder: the path of the folder; the folder is made if it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, name: str) -> Report | None:
        """Return the final report of this name; None if it is missing or damaged."""
        return load(self.folder / f"{name}.json")

    def is_open(self, name: str) -> bool:
        """Return whether the folder has a report of this name, but no final one."""
        return (self.folder / f"{name}.open").exists() and self.get(name) is None

    def put(self, name: str, text: str, *, alone: bool) -> None:
        """Write a report to the folder.

        The report is final if `alone` is true, or if no check ran out of time.

        Args:
            name: the result of `name_of`.
            text: the text of report.json.
            alone: whether no other hand-in was graded at the same time.
        """
        path = self.folder / f"{name}.open"
        write_whole(path, text)
        report = load(path)
        if alone or report is None or not timeouts(report):
            path.replace(self.folder / f"{name}.json")


def timeouts(report: Report) -> int:
    """Return the number of checks in a report that ran out of time."""
    checks = [check for exercise in report.exercises for check in exercise.checks]
    return sum(check.outcome == Outcome.TIMEOUT for check in checks)


def grade_here(
    tasks: Mapping[str, Submission], options: Options, jobs: int
) -> Gradings:
    """Grade hand-ins on this machine.

    Args:
        tasks: the hand-ins by the names of their reports (see `name_of`).
        options: how to grade the hand-ins.
        jobs: how many hand-ins to grade at once.

    Yields:
        The name of each report and the result of the grading, in the order of
        completion.
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
                    except Exception as error:  # the other hand-ins are still graded
                        graded = Graded("", plain(f"{error!r}", 300))
                    yield names[future], graded
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            running.stop()


class Running:
    """The processes that grade hand-ins now; `stop` kills these processes."""

    def __init__(self) -> None:
        self.processes: set[subprocess.Popen] = set()
        self.lock = threading.Lock()
        self.stopped = False

    def grade(
        self, submission: Submission, options: Options, limit: float = LIMIT_SECONDS
    ) -> Graded:
        """Grade one hand-in in a new process, and wait for the result.

        If there is no report, the result says why.

        Args:
            submission: the hand-in.
            options: how to grade the hand-in.
            limit: the time limit of the grading in seconds.
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
                process.kill()  # after an exception, the process may still run
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
        """Kill the processes of all gradings; after that, `grade` starts no process."""
        with self.lock:
            self.stopped = True
            for process in self.processes:
                process.kill()


def answer_of(process: subprocess.Popen, question: bytes) -> bytes:
    """Send a hand-in to a process; return all that the process writes to its stdout.

    This function waits until the process closes its stdout.

    Args:
        process: a process that runs `one.py`.
        question: the hand-in and the options, packed by `one.pack`.
    """
    asks, answers = process.stdin, process.stdout
    assert asks is not None
    assert answers is not None
    # The process may have ended already; then its stderr says why.
    with contextlib.suppress(BrokenPipeError):
        asks.write(question)
        asks.flush()
    with answers:
        told: bytes = answers.read()  # first, as closing stdin ends the process
    with contextlib.suppress(BrokenPipeError):
        asks.close()
    return told
