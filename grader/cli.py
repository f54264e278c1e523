"""The command line: arguments, exit codes, a list of steps.

Exit codes of `grade`: 0 when it graded, whatever the score; 2 when it could not.
"""

import argparse
import contextlib
import difflib
import importlib
import io
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from grader.contract.exercises import EXERCISES, PARTS
from grader.contract.limits import LIMITS, Limits
from grader.contract.outcomes import GraderError, UsageError
from grader.escape import Log, plain
from grader.intake.submission import take
from grader.report.model import Report, load, write_whole
from grader.sandbox.system import hide_memory
from grader.sandbox.tiers import TIERS

DEFAULT_SEED = "1"
FORMATS = ("gradescope", "classroom50", "markdown", "junit")


def main(limits: Limits = LIMITS) -> int:
    """Run the command and return its exit code."""

    def command() -> int:
        arguments = parse(sys.argv[1:])
        arguments.limits = limits
        return arguments.run(arguments)

    return guarded(command)


def guarded(command: Callable[[], int]) -> int:
    """Run a command; its exit code, or 2 and a line for people where it fails."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # some consoles know no ✓
    hide_memory()
    with contextlib.ExitStack() as streams:
        if not sys.stdout.isatty():
            streams.enter_context(contextlib.redirect_stdout(Log(sys.stdout)))
        if not sys.stderr.isatty():
            streams.enter_context(contextlib.redirect_stderr(Log(sys.stderr)))
        return reported(command)


def reported(command: Callable[[], int]) -> int:
    """Run a command; its exit code, or 2 and a line on stderr where it fails."""
    try:
        return command()
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
    except GraderError as error:
        print(f"grader error (not your mistake): {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    except Exception as error:
        words = f"{type(error).__name__}; please send {kept(error)} to the course staff"
        print(f"grader error (not your mistake): {words}", file=sys.stderr)
    return 2


def kept(error: Exception) -> str:
    """The path of a new file with an error's traceback, or its last line."""
    lines = traceback.format_exception(error)
    try:
        # A name that nobody can foretell, and lay a link at.
        handle, path = tempfile.mkstemp(prefix="dqn-grader-error-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.writelines(lines)
        return path
    except OSError:
        return " ".join("".join(lines[-2:]).split())[:600]


def parse(arguments: list[str]) -> argparse.Namespace:
    """The arguments; a wrong one ends the program with exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m grader", description=__doc__)
    commands = parser.add_subparsers(required=True)

    grade = commands.add_parser("grade", help="grade one hand-in")
    grade.add_argument(
        "submission",
        help="dqn.py, a notebook, or a folder or zip archive with one in it",
    )
    grade.add_argument(
        "--only", default="", help="one exercise: name, number, function"
    )
    grade.add_argument(
        "--seed",
        default="",
        help="any text; the same seed, the same run. A secret one if official, else 1",
    )
    grade.add_argument("--out", default="results", help="folder of report.json")
    grade.add_argument("--sandbox", default="", help="bwrap, landlock or process")
    grade.add_argument("--device", default="cpu", help="cpu or gpu")
    grade.add_argument("--reference", default="", help="live or recorded")
    grade.add_argument(
        "--in-process", default="", metavar="1", help="debug one exercise; no grade"
    )
    grade.add_argument(
        "--official",
        nargs="?",
        const="1",
        default="",
        metavar="1",
        help="refuse to grade without a sandbox that isolates",
    )
    grade.set_defaults(run=run_grade)

    convert = commands.add_parser("convert", help="a report for another program")
    convert.add_argument("report", help="report.json, there or not")
    convert.add_argument("--to", required=True, choices=FORMATS)
    convert.add_argument("--out", default="", help="the file; else it is printed")
    convert.set_defaults(run=run_convert)

    self_test = commands.add_parser("doctor", help="what this machine can promise")
    self_test.set_defaults(run=run_doctor)
    return parser.parse_args(arguments)


def check_choices(*choices: tuple[str, str, list[str]]) -> None:
    """Make sure that each value, named as for `make`, is one of those that there are.

    Raises:
        UsageError: one is not.
    """
    for name, value, allowed in choices:
        if value not in allowed:
            known = ", ".join(filter(None, allowed))
            raise UsageError(f"{name}={value!r} is unknown: use one of {known}")


def exercise_named(text: str) -> str:
    """The exercise that is meant: by name, number or what is written in it; "" for all.

    Raises:
        UsageError: there is none.
    """
    word = text.strip().partition("(")[0].partition(".")[0]
    word = word.casefold().replace("-", "_").replace(" ", "_")
    known = {name.casefold(): part.exercise for name, part in PARTS.items()}
    known |= {name.casefold(): name for name in EXERCISES}
    numbered = {str(number): name for number, name in enumerate(EXERCISES, 1)}
    if not text or word in known or word in numbered:
        return {"": "", **known, **numbered}[word]
    if re.fullmatch(r"(exercise|ex)?[_#.]*0*[0-9]{1,3}", word):
        word = re.sub(r"^\D*0*", "", word)
    if word in numbered:
        return numbered[word]
    if "," in text:
        raise UsageError(
            f"ONLY={plain(text, 100)!r}: name one exercise, or leave it out"
        )
    begins = [name for name in known if word and name.startswith(word)]
    near = begins or difflib.get_close_matches(word[:100], known, 1)
    hint = f"did you mean {known[near[0]]}?" if near else f"use {', '.join(EXERCISES)}"
    raise UsageError(f"ONLY={plain(text, 100)!r} is unknown: {hint}")


def writable(out: str) -> Path:
    """The folder for results, made if it is not there.

    Raises:
        UsageError: nothing can be written there.
    """
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        raise UsageError(f"OUT={out!r}: {error.strerror}") from None
    return Path(out)


def check_seed(seed: str) -> None:
    """Make sure that a report can show the seed.

    Raises:
        UsageError: it cannot.
    """
    if not seed.isprintable():
        raise UsageError(f"SEED={seed!r}: use printable text")


def run_grade(arguments: argparse.Namespace) -> int:
    """Grade one hand-in, show and save the report."""
    submission = take(arguments.submission)
    only = exercise_named(arguments.only)
    check_choices(
        ("SANDBOX", arguments.sandbox, ["", *TIERS]),
        ("DEVICE", arguments.device, ["cpu", "gpu"]),
        ("REFERENCE", arguments.reference, ["", "live", "recorded"]),
        ("INPROCESS", arguments.in_process, ["", "0", "1"]),
        ("OFFICIAL", arguments.official, ["", "0", "1"]),
    )
    if arguments.official == "1" and arguments.in_process == "1":
        raise UsageError("OFFICIAL=1: a run in the same process does not count")
    check_seed(arguments.seed)
    out = writable(arguments.out)

    # Late, so that a wrong argument is answered at once.
    from grader.grading import pipeline
    from grader.report import picture, terminal

    official = arguments.official == "1"
    options = pipeline.Options(
        seed=arguments.seed or ("" if official else DEFAULT_SEED),
        only=(only,) if only else (),
        limits=arguments.limits,
        tier=arguments.sandbox,
        device=arguments.device,
        mode=arguments.reference,
        official=official,
    )
    if submission.problem:
        report = pipeline.grade(submission, options, pipeline.Progress())
        saved(report, arguments.out)
        raise UsageError(report.problem)
    console = terminal.make_console()
    console.print(f"Grading {submission.name} …", markup=False)
    notes = []
    if arguments.in_process == "1":
        from grader.grading import in_process

        report = in_process.grade(submission, options)
        notes.append("In-process run for debugging: it does not count.")
    else:
        with terminal.Live(console) as live:
            progress = pipeline.Progress(live.on_check, live.on_learning)
            report = pipeline.grade(submission, options, progress)
    path = saved(report, arguments.out)
    drawing = picture.start(report.learning, out)
    terminal.print_report(report, console, [*notes, f"Report: {path}"])
    picture.finish(drawing)
    if report.grader_error:
        raise GraderError(report.grader_error)
    return 0


def saved(report: Report, out: str) -> Path:
    """Save the report; its path.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        return report.save(out)
    except OSError as error:
        raise UsageError(f"OUT={out!r}: {error.strerror}") from None


def run_convert(arguments: argparse.Namespace) -> int:
    """Write a report in another program's format, in every case."""
    render = importlib.import_module(f"grader.report.formats.{arguments.to}").render
    text = render(load(Path(arguments.report)))
    try:
        if arguments.out:
            write_whole(Path(arguments.out), text)
        else:
            print(text, end="")
    except OSError as error:
        raise UsageError(f"--out {arguments.out!r}: {error.strerror}") from None
    return 0


def run_doctor(arguments: argparse.Namespace) -> int:
    """Say what this machine can promise; 1 where no sandbox isolates."""
    from grader.sandbox import self_test

    return self_test.run()
