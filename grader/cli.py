"""Run the command line: `grade`, `convert` and `doctor`.

`grade` ends with exit code 0 if it graded, whatever the score, and with 2 if it could
not. Messages name an option as `make` does: ONLY=td_loss stands for --only td_loss.
"""

import argparse
import contextlib
import importlib
import io
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from grader.arguments import (
    add_choice,
    add_switch,
    check_seed,
    exercise_named,
    with_values,
    without_empty,
    writable,
)
from grader.contract.limits import LIMITS, Limits
from grader.contract.outcomes import GraderError, UsageError
from grader.escape import Log
from grader.intake.take import take
from grader.report.hints import LEVELS
from grader.report.model import Report, load, write_whole
from grader.report.progress import with_older
from grader.report.symbols import ERRORS
from grader.sandbox.system import hide_memory
from grader.sandbox.tiers import TIERS

if TYPE_CHECKING:
    from grader.grading import pipeline

DEFAULT_SEED = "1"
DEVICES = ("cpu", "gpu")
FORMATS = ("gradescope", "classroom50", "markdown", "junit", "annotation")


def main(limits: Limits = LIMITS) -> int:
    """Run the command in `sys.argv` and return the exit code.

    Args:
        limits: the limits of a grading; tests pass other ones.
    """

    def command() -> int:
        arguments = parse(sys.argv[1:])
        arguments.limits = limits
        return arguments.run(arguments)

    return guarded(command)


def guarded(command: Callable[[], int]) -> int:
    """Run a command and return its exit code, with safe output and hidden memory.

    Output that does not go to a terminal goes through `Log`, so that a CI system finds
    no commands in it. `hide_memory` keeps other processes from reading the grader's
    memory. Exceptions are handled by `reported`.

    Args:
        command: a function that runs the command and returns the exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)  # some consoles cannot show ✓
    hide_memory()
    with contextlib.ExitStack() as streams:
        if not sys.stdout.isatty():
            streams.enter_context(contextlib.redirect_stdout(Log(sys.stdout)))
        if not sys.stderr.isatty():
            streams.enter_context(contextlib.redirect_stderr(Log(sys.stderr)))
        return reported(command)


def reported(command: Callable[[], int]) -> int:
    """Run a command and return its exit code, or 2 if it raises an exception.

    A message goes to standard error. After an unexpected exception, the traceback is
    written to a file, and the message names this file.

    Args:
        command: a function that runs the command and returns the exit code.
    """
    try:
        return command()
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
    except GraderError as error:
        print(f"grader error (not your mistake): {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    except Exception as error:
        path = save_traceback(error)
        words = f"{type(error).__name__}; please send {path} to the course staff"
        print(f"grader error (not your mistake): {words}", file=sys.stderr)
    return 2


def save_traceback(error: Exception) -> str:
    """Write the traceback of an exception into a new temporary file.

    Returns:
        The path of the file, or the end of the traceback if no file can be written.
    """
    lines = traceback.format_exception(error)
    try:
        # A random name, because another user could place a link under a known name.
        handle, path = tempfile.mkstemp(prefix="dqn-grader-error-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.writelines(lines)
        return path
    except OSError:
        return " ".join("".join(lines[-2:]).split())[:600]


def parse(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line.

    If `argparse` finds a mistake, such as an unknown option, the program ends with exit
    code 2.

    Args:
        arguments: the words of the command line, without the program's name.

    Returns:
        The options as attributes. The attribute `run` is the function of the chosen
        command. It takes these options and returns the exit code.

    Raises:
        UsageError: the value of an option of `grade` is not allowed.
    """
    parser = argparse.ArgumentParser(prog="python -m grader", description=__doc__)
    commands = parser.add_subparsers(required=True)

    grade = commands.add_parser("grade", help="grade one hand-in")
    grade.add_argument(
        "submission",
        help="dqn.py, a notebook, or a folder or zip archive with one in it",
    )
    grade.add_argument(
        "--only", type=exercise_named, help="one exercise: name, number, function"
    )
    grade.add_argument(
        "--seed",
        type=check_seed,
        help="any text; same seed, same run. A secret one if official, else 1",
    )
    grade.add_argument("--out", default="results", help="folder of report.json")
    add_choice(grade, "--sandbox", TIERS, help="default: the strongest here")
    add_choice(grade, "--device", DEVICES, default="cpu", help="default: cpu")
    add_choice(
        grade,
        "--hint",
        LEVELS,
        default="2",
        help="1: where to look, 2: what is wrong (default), 3: numbers beside it",
    )
    add_switch(grade, "--verbose", help="show all checks of all exercises")
    add_switch(grade, "--in-process", help="debug one exercise; no grade")
    add_switch(grade, "--official", help="refuse to grade without a sandbox that works")
    add_switch(grade, "--watch", help="grade what was edited, at each save")
    grade.set_defaults(run=run_grade)

    convert = commands.add_parser("convert", help="a report for another program")
    convert.add_argument("report", help="report.json, there or not")
    convert.add_argument("--to", required=True, choices=FORMATS)
    convert.add_argument("--out", help="the file; without it the text is printed")
    convert.set_defaults(run=run_convert)

    doctor = commands.add_parser("doctor", help="what this machine can promise")
    doctor.set_defaults(run=run_doctor)
    return parser.parse_args(with_values(without_empty(arguments)))


def run_grade(arguments: argparse.Namespace) -> int:
    """Grade one hand-in, save and print the report; return the exit code 0.

    Args:
        arguments: the options from `parse`, and the limits as `limits`.

    Raises:
        GraderError: the grader could not do all of its work.
        UsageError: an option is wrong, or the hand-in was not read.
    """
    if arguments.official and arguments.in_process:
        raise UsageError("OFFICIAL=1: a run in the same process does not count")
    if arguments.watch:
        return run_watch(arguments)
    submission = take(arguments.submission)
    out = writable(arguments.out)

    # Imported here, because these imports are slow and wrong arguments end above.
    from grader.grading import pipeline
    from grader.report import live, picture, terminal
    from grader.report.layout import print_line

    options = options_of(arguments)
    if submission.problem:
        report = pipeline.grade(submission, options, pipeline.Progress())
        if not arguments.in_process:
            picture.save(completed(report, arguments), arguments.out)
        raise UsageError(report.problem)
    console = terminal.make_console()
    print_line(f"Grading {submission.name} …", console)
    notes = []
    if arguments.in_process:
        from grader.grading import in_process

        report = in_process.grade(submission, options)
        notes.append("In-process run for debugging: it does not count.")
    else:
        with live.Live(console) as shown:
            progress = pipeline.Progress(shown.on_check, shown.on_learning)
            report = pipeline.grade(submission, options, progress)
    whole, drawing = completed(report, arguments), None
    if arguments.in_process and (out / "report.json").exists():
        notes.append(f"{out / 'report.json'} stays as it was.")
    else:
        path, drawing = picture.save(whole, arguments.out)
        notes.append(f"Report: {path}")
    terminal.print_report(
        whole,
        console,
        notes,
        level=int(arguments.hint),
        verbose=arguments.verbose,
    )
    picture.finish(drawing)
    if report.grader_error:
        raise GraderError(report.grader_error)
    return 0


def run_watch(arguments: argparse.Namespace) -> int:
    """Grade the edited exercise after each save; return the exit code 0 at the end.

    Args:
        arguments: the options from `parse`, and the limits as `limits`.

    Raises:
        GraderError: the grader could not do its work.
        UsageError: an option is wrong, the hand-in's path does not exist, or there is
            no terminal.
    """
    if arguments.official or arguments.in_process:
        raise UsageError("WATCH=1 goes with neither OFFICIAL=1 nor INPROCESS=1")
    take(arguments.submission)  # a path that does not exist is a mistake
    out = writable(arguments.out)
    from grader.watch import command

    options, level = options_of(arguments), int(arguments.hint)
    return command.run(arguments.submission, out, options, level)


def options_of(arguments: argparse.Namespace) -> "pipeline.Options":
    """Convert the options of the command line, from `parse`, into those of a grading.

    If no seed is given, an official grading gets the seed "", for which the grading
    draws a secret seed. Any other grading then gets `DEFAULT_SEED`.
    """
    from grader.grading import pipeline

    return pipeline.Options(
        seed=arguments.seed or ("" if arguments.official else DEFAULT_SEED),
        only=(arguments.only,) if arguments.only else (),
        limits=arguments.limits,
        tier=arguments.sandbox or "",
        device=arguments.device,
        official=arguments.official,
    )


def completed(report: Report, arguments: argparse.Namespace) -> Report:
    """Return a report on one exercise, completed with the results of the last report.

    A report is returned unchanged if its run had no ONLY, was official or had
    INPROCESS=1. It is also returned unchanged if there is no last report that fits, see
    `with_older`.

    Args:
        report: the report.
        arguments: the options from `parse`.
    """
    if arguments.official or arguments.in_process or not arguments.only:
        return report
    return with_older(report, load(Path(arguments.out) / "report.json"))


def run_convert(arguments: argparse.Namespace) -> int:
    """Write a report in the format of another program; return the exit code 0.

    The text goes to the file that `--out` names, or to standard output. If report.json
    is missing or damaged, the text says that nothing was graded.

    Raises:
        UsageError: the file cannot be written, or an environment variable that the
            format needs is missing or malformed.
    """
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
    """Print which tiers isolate a hand-in here; return 0 if any tier does, else 1."""
    from grader.sandbox import doctor

    return doctor.run()
