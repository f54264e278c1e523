"""Run the command line for a class: arguments, steps, exit codes.

The exit code is 0 if every hand-in was graded, whatever the scores. It is 2 if a
hand-in could not be read or graded, or if the command failed. Messages on stderr say
which hand-ins these are, or why the command failed.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from rich.console import Console

from grader.classroom import arguments as kinds
from grader.classroom import layouts, pool, results
from grader.classroom.entries import Entry, entry_of
from grader.classroom.grade_all import Grading, grade_all, on_cluster, on_this_machine
from grader.classroom.gradebooks.canvas import read_canvas
from grader.classroom.gradebooks.export import Export
from grader.classroom.gradebooks.fill import fill
from grader.classroom.gradebooks.moodle import read_moodle
from grader.classroom.layouts import HandIn
from grader.classroom.similar.clusters import Findings, compare
from grader.cli import guarded
from grader.contract.outcomes import UsageError
from grader.grading import pipeline
from grader.intake.submission import Submission
from grader.intake.take import take
from grader.report.terminal import make_console
from grader.sandbox.tiers import TIERS

OUT = "class-results"
# By argument, the allowed words and their values.
NO_OR_YES = {"": False, "0": False, "1": True}
ZERO = {"": False, "0": True}
TIER = {name: name for name in ("", *TIERS)}
DEVICE = {"": "cpu", "cpu": "cpu", "gpu": "gpu"}


def main() -> int:
    """Grade the class whose folder the command line names; return the exit code."""
    return guarded(lambda: run(parse(sys.argv[1:])))


def parse(words: list[str]) -> argparse.Namespace:
    """Parse the command line's words, without the program's name.

    An unknown option ends the program with exit code 2.

    Returns:
        The parsed values, as attributes with the names of the options.

    Raises:
        UsageError: the value of an argument is wrong.
    """
    parser = argparse.ArgumentParser(
        prog="python -m grader.classroom", description="Grade a whole class."
    )

    def add(name: str, type_: kinds.Parser, help_: str) -> None:
        parser.add_argument(name, type=type_, default="", help=help_)

    parser.add_argument(
        "submissions", type=kinds.hand_ins, help="the folder of all hand-ins"
    )
    add("--out", lambda text: Path(text or OUT), "folder of the results")
    add("--seed", kinds.seed, "any text, for all; else a secret one each")
    add("--jobs", kinds.jobs, "so many at once; one for each core")
    add("--names", kinds.one_of("NAMES", NO_OR_YES), "1: names on the class page")
    add("--canvas", kinds.optional, "an export of Canvas' gradebook")
    add("--moodle", kinds.optional, "an export or worksheet of Moodle")
    add("--assignment", str, "its column in the exports")
    add("--only", kinds.exercises, "one exercise; for trying things out")
    add(
        "--unread",
        kinds.one_of("UNREAD", ZERO),
        "0: enter that in the exports for what was not read or not imported",
    )
    add("--sandbox", kinds.one_of("SANDBOX", TIER), "bwrap, landlock or process")
    add("--device", kinds.one_of("DEVICE", DEVICE), "cpu or gpu")
    add("--cluster", kinds.optional, "tcp://… of Dask's scheduler")
    return parser.parse_args(words)


def run(arguments: argparse.Namespace) -> int:
    """Grade the class and write all results; return the exit code.

    Args:
        arguments: the result of `parse`.

    Raises:
        GraderError: the grader could not do its work.
        UsageError: an argument is wrong, or a file or folder cannot be used.
    """
    exports = read_exports(arguments)  # before grading, because grading can take hours
    out = arguments.out
    found = layouts.find(arguments.submissions)
    options = options_of(arguments)
    console = make_console()
    submissions, unread = take_all(found.hand_ins)
    code = pool.code_hash()
    names = {entry: pool.name_of(s, options, code) for entry, s in submissions.items()}
    kept = kept_in(out)
    tasks = {
        name: submissions[entry]
        for entry, name in names.items()
        if kept.get(name) is None
    }
    console.print(f"{len(submissions)} hand-ins, {len(tasks)} to grade", markup=False)
    failed: dict[str, str] = {}
    if tasks:
        with graders(arguments, code, options, console) as start:
            failed = grade_all(start, tasks, kept, console)
    entries = []
    for hand_in in found.hand_ins:
        name = names.get(hand_in.entry, "")
        report = kept.get(name) if name else None
        why_not = unread.get(hand_in.entry) or failed.get(name) or ""
        if report is None and not why_not:
            why_not = "its report cannot be read"
        submission = submissions.get(hand_in.entry)
        entries.append(entry_of(hand_in, submission, report, why_not))
    findings = compared(entries, submissions)
    results.write_all(out, entries, findings, found.ignored, names=arguments.names)
    filled = {
        platform: fill(export, entries, zero_unread=arguments.unread)
        for platform, export in exports.items()
    }
    results.write_exports(out, filled)
    results.print_summary(out, entries, found.ignored, filled, console)
    return 0 if all(entry.graded for entry in entries) else 2


def read_exports(arguments: argparse.Namespace) -> dict[str, Export]:
    """Read the gradebooks into which scores will be entered.

    Args:
        arguments: the result of `parse`.

    Returns:
        The gradebooks by platform, "canvas" or "moodle"; {} if the arguments name none.

    Raises:
        UsageError: a gradebook cannot be read, or has no column for the scores. Or the
            arguments name a gradebook, and also a single exercise to grade.
    """
    paths = {"canvas": arguments.canvas, "moodle": arguments.moodle}
    read = {"canvas": read_canvas, "moodle": read_moodle}
    given = {platform: path for platform, path in paths.items() if path}
    if given and arguments.only:
        raise UsageError("ONLY: points of one exercise are no score to be entered")
    return {
        platform: read[platform](text_of(path), arguments.assignment)
        for platform, path in given.items()
    }


def text_of(path: str) -> str:
    """Return the text of a gradebook's file.

    Raises:
        UsageError: the file cannot be read, or is not UTF-8 text.
    """
    try:
        return Path(path).read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text: export it as CSV UTF-8") from None


def options_of(arguments: argparse.Namespace) -> pipeline.Options:
    """Return the options for grading each hand-in.

    The tier of the sandbox is the wanted one. Each machine that grades chooses its own
    later, so that a report has the same name wherever it was made.

    Args:
        arguments: the result of `parse`.
    """
    return pipeline.Options(
        seed=arguments.seed,  # "" draws a secret seed for each hand-in
        only=arguments.only,
        tier=arguments.sandbox,
        device=arguments.device,
    )


def take_all(
    hand_ins: Sequence[HandIn],
) -> tuple[dict[str, Submission], dict[str, str]]:
    """Read all hand-ins.

    Returns:
        Two dicts. Their keys are the names of the hand-ins in the download
        (`HandIn.entry`). The first dict has the hand-ins that were read. The second has
        the other hand-ins; its values say why a hand-in could not be read.
    """
    submissions, unread = {}, {}
    for hand_in in hand_ins:
        try:
            os.stat(hand_in.path)
            if hand_in.path.is_dir():
                os.listdir(hand_in.path)
            submissions[hand_in.entry] = take(str(hand_in.path.absolute()))
        except OSError as error:
            unread[hand_in.entry] = f"cannot be read: {error.strerror}"
        except UsageError:
            unread[hand_in.entry] = "cannot be read: it is not there any more"
        except Exception as error:  # so that the other hand-ins are still graded
            unread[hand_in.entry] = f"cannot be read: {type(error).__name__}"
    return submissions, unread


def kept_in(out: Path) -> pool.Kept:
    """Return the store of reports: the folder `kept` inside the folder of the results.

    Args:
        out: the folder of the results.

    Raises:
        UsageError: the folder `kept` cannot be made.
    """
    try:
        return pool.Kept(out / "kept")
    except OSError as error:
        raise UsageError(f"OUT={str(out)!r}: {error.strerror}") from None


def graders(
    arguments: argparse.Namespace,
    code: str,
    options: pipeline.Options,
    console: Console,
) -> AbstractContextManager[Grading]:
    """Provide, for a with block, a function that grades hand-ins.

    The function grades on the cluster if the arguments name one, and otherwise on this
    machine.

    Args:
        arguments: the result of `parse`.
        code: the result of `pool.code_hash`.
        options: how to grade the hand-ins.
        console: the console on which the number of nodes is printed.
    """
    if arguments.cluster:
        return on_cluster(arguments.cluster, code, options, arguments.jobs, console)
    return on_this_machine(options, arguments.jobs)


def compared(
    entries: Sequence[Entry], submissions: Mapping[str, Submission]
) -> Findings:
    """Compare the code of all hand-ins that were read.

    Args:
        entries: all hand-ins with their results.
        submissions: the hand-ins that were read, by their names in the download
            (`HandIn.entry`).

    Returns:
        The result of the comparison, which names each hand-in by its `Entry.id`.
    """
    return compare(
        {
            entry.id: submissions[entry.hand_in.entry]
            for entry in entries
            if entry.hand_in.entry in submissions
        }
    )
