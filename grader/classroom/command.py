"""Run the command line for a class: arguments, steps, exit codes.

The exit code is 0 if every hand-in was graded, whatever the scores. It is 2 if a
hand-in could not be read or graded, or if the command failed. Messages on stderr say
which hand-ins these are, or why the command failed.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from grader.classroom import arguments as kinds
from grader.classroom import dry_run, layouts, pool, results
from grader.classroom.after import adjust, feedback
from grader.classroom.after.attendance import Attendance, attendance, identify
from grader.classroom.after.regrade import chosen_by, grade_anew, options_of_others
from grader.classroom.after.roster import read_roster
from grader.classroom.after.who import Known
from grader.classroom.entries import Entry, id_of
from grader.classroom.grade_all import Grading, grade_all, on_cluster, on_this_machine
from grader.classroom.gradebooks.fill import fill
from grader.classroom.gradebooks.groups import Places, read_members
from grader.classroom.gradebooks.people import People
from grader.classroom.gradebooks.read import read_export
from grader.classroom.gradebooks.sheet import sheet_at
from grader.classroom.layouts import HandIn
from grader.classroom.similar.clusters import Findings, compare
from grader.cli import guarded
from grader.contract.outcomes import UsageError
from grader.grading import pipeline
from grader.intake.submission import Submission
from grader.intake.take import take
from grader.report.exercise import counted
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
    add("--gradebook", kinds.optional, "an exported gradebook, to be filled in")
    add("--assignment", str, "its column in the gradebook")
    add("--members", kinds.optional, "a file that says who is in which group")
    add("--only", kinds.exercises, "one exercise; for trying things out")
    add(
        "--unread",
        kinds.one_of("UNREAD", ZERO),
        "0: enter that for what was not read or not imported",
    )
    add("--roster", kinds.optional, "a list of the people of the course")
    add("--regrade", str.strip, "the owner or name of a hand-in to grade anew")
    add("--adjust", kinds.optional, "a CSV file of changes: who, change, reason")
    add("--sandbox", kinds.one_of("SANDBOX", TIER), "bwrap, landlock or process")
    add("--device", kinds.one_of("DEVICE", DEVICE), "cpu or gpu")
    add("--cluster", kinds.optional, "tcp://… of Dask's scheduler")
    add("--dryrun", kinds.one_of("DRYRUN", NO_OR_YES), "1: say only what is there")
    return parser.parse_args(words)


def run(arguments: argparse.Namespace) -> int:
    """Grade the class and write all results; return the exit code.

    With DRYRUN=1, only print what would be graded, and write nothing.

    Args:
        arguments: the result of `parse`.

    Raises:
        GraderError: the grader could not do its work.
        UsageError: an argument is wrong, or a file or folder cannot be used.
    """
    # Files first, because grading can take hours.
    gradebook, roster = read_books(arguments)
    everybody = [book.people for book in (gradebook, roster) if book]
    lines = read_changes(arguments)
    out = arguments.out
    found = layouts.find(arguments.submissions, canvas_numbers(everybody))
    if roster:
        found.hand_ins = identify(roster, found.hand_ins, gradebook)
    check_apart(out, arguments.submissions)
    console = make_console()
    results.print_lines([found.headline], console)
    submissions, unread = take_all(found.hand_ins)
    ids = {id_of(h.entry, submissions.get(h.entry)): h for h in found.hand_ins}
    known = Known(ids, everybody)
    changes = adjust.changes_of(lines, known)
    attended = attendance(roster, found) if roster else Attendance()
    again = chosen_by(arguments.regrade, known, submissions)
    if arguments.dryrun:
        read = found, submissions, unread, gradebook, attended
        return dry_run.Plan(arguments.submissions, *read).show(console)
    options = options_of(arguments)
    kept = kept_in(out)
    names, failed, more = grade_class(
        arguments, options, submissions, again, kept, console
    )
    entries = []
    for id_, hand_in in ids.items():
        name = names.get(hand_in.entry, "")
        report = kept.get(name) if name else None
        why_not = unread.get(hand_in.entry) or failed.get(name)
        why_not = "" if report else why_not or "its report cannot be read"
        if report:  # a copy with another name may have made it
            report.submission["name"] = submissions[hand_in.entry].name
        stranger = attended.strangers.get(hand_in.entry, "")
        mine = changes.get(id_, ())
        about = mine, stranger, arguments.unread, found.strange.get(hand_in.entry, "")
        entries.append(Entry(id_, hand_in, report, why_not, *about))
    findings = compared(entries, submissions)
    filled = fill(gradebook, entries) if gradebook else None
    more += results.about_people(entries, attended)
    with writing(out):
        more += results.write_all(
            out, entries, findings, found.ignored, attended, names=arguments.names
        )
        more += results.write_gradebook(out, filled)
        more += feedback.write(out, entries, gradebook)
    results.print_summary(out, entries, found.ignored, filled, more, console)
    return 0 if all(entry.graded for entry in entries) and not failed else 2


def canvas_numbers(everybody: list[People]) -> set[str]:
    """Return the numbers that Canvas has given to the people of some lists."""
    return {number for people in everybody for number in people.places["canvas"]}


def grade_class(
    arguments: argparse.Namespace,
    options: pipeline.Options,
    submissions: Mapping[str, Submission],
    again: str,
    kept: pool.Kept,
    console: Console,
) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Grade all hand-ins that have no report, and `again` even if it has one.

    Args:
        arguments: the result of `parse`.
        options: how to grade the hand-ins.
        submissions: the hand-ins that were read, by their names in the download.
        again: the name of the hand-in to grade anew; "" for none.
        kept: the store of the reports.
        console: the console for the progress.

    Returns:
        Two dicts and a list. The first dict has the name under which each hand-in's
        report is kept, by the hand-in's name in the download. Hand-ins that were not
        graded have such a name, too; the second dict has the reasons, by this name. The
        list has lines of text on the hand-in that was graded anew.
    """
    code = pool.code_hash()
    usual = options_of_others(options, submissions, code, kept) if again else options
    names = {entry: pool.name_of(s, usual, code) for entry, s in submissions.items()}
    tasks = {
        name: submissions[entry]
        for entry, name in names.items()
        if kept.get(name) is None and name != names.get(again)
    }
    count = len(tasks) + bool(again)
    console.print(
        f"{counted(len(submissions), 'hand-in')}, {count} to grade", markup=False
    )
    failed: dict[str, str] = {}
    lines: list[str] = []
    if tasks:
        with graders(arguments, code, usual, console) as start:
            failed = grade_all(start, tasks, kept, console)
    if again:
        reports = arguments.out / "reports"
        with graders(arguments, code, options, console) as start:
            lines, why_not = grade_anew(
                start, again, submissions, names, kept, reports, console
            )
        if why_not:
            failed[names[again]] = why_not
    return names, failed, lines


def read_changes(arguments: argparse.Namespace) -> list[adjust.Line]:
    """Return the lines of the file of changes; [] if the arguments name none.

    Raises:
        UsageError: the file cannot be read or is wrong. Or the arguments name it, and
            also a single exercise to grade.
    """
    if not arguments.adjust:
        return []
    if arguments.only:
        raise UsageError("ONLY: points of one exercise are no score to be adjusted")
    return adjust.read_adjustments(sheet_at(arguments.adjust, "ADJUST"))


def read_books(arguments: argparse.Namespace) -> tuple[Places | None, Places | None]:
    """Read the gradebook, the list of the course's people, and who is in which group.

    Args:
        arguments: the result of `parse`.

    Returns:
        The rows of the gradebook, into which scores will be entered; and those of the
        list of people. Each is None if the arguments do not name the file.

    Raises:
        UsageError: a file cannot be read or is not recognised; or the gradebook has not
            exactly one column for the scores, or is a file of the results. Or the
            arguments name a gradebook and a single exercise to grade. Or they name a
            list of members, but neither a gradebook nor a roster.
    """
    path, listed, people = arguments.gradebook, arguments.members, arguments.roster
    if path and arguments.only:
        raise UsageError("ONLY: points of one exercise are no score to be entered")
    if listed and not (path or people):
        raise UsageError("MEMBERS=file goes with GRADEBOOK=file or ROSTER=file")
    export = None
    if path:
        export = read_export(sheet_at(path, "GRADEBOOK"), arguments.assignment)
        written = (arguments.out / name for name in (export.file, "grades.csv"))
        if Path(path).resolve() in [file.resolve() for file in written]:
            raise UsageError(
                f"GRADEBOOK={path} is a file that this command writes itself: give "
                "the platform's export, from outside the folder of the results"
            )
    members = read_members(sheet_at(listed, "MEMBERS")) if listed else {}
    roster = read_roster(sheet_at(people, "ROSTER")) if people else None
    gradebook = Places(export, members) if export else None
    return gradebook, Places(roster, members) if roster else None


def options_of(arguments: argparse.Namespace) -> pipeline.Options:
    """Return the options for grading each hand-in.

    The option `tier` is the tier of the sandbox that the user asks for, or "". The
    machine that grades a hand-in chooses the tier that it uses. This choice is no part
    of the options, so the name of a report does not depend on the machine.

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
            taken = take(str(hand_in.path.absolute()))
            notes = (*hand_in.notes, *taken.notes)
            submissions[hand_in.entry] = replace(taken, notes=notes)
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
    with writing(out):
        return pool.Kept(out / "kept")


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Provide a with block in which files are written into the folder of the results.

    Raises:
        UsageError: the block raised an `OSError`: a file or folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        where = f": {error.filename2 or error.filename}" * bool(error.filename)
        raise UsageError(f"OUT={str(out)!r}{where}: {error.strerror}") from None


def check_apart(out: Path, submissions: Path) -> None:
    """Check that the results are not written among the hand-ins.

    Otherwise the next call would take them for a hand-in.

    Raises:
        UsageError: the folder of the results is that of the hand-ins, or lies in it.
    """
    here, theirs = out.resolve(), submissions.resolve()
    if theirs in (here, *here.parents):
        raise UsageError(
            f"OUT={str(out)!r} lies in SUBMISSIONS={str(submissions)!r}: the results "
            "would be taken for a hand-in. Name a folder outside it"
        )


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
