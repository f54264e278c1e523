"""Write the results of a class to files, and print a summary for staff."""

import re
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader import escape
from grader.classroom.after import feedback
from grader.classroom.after.attendance import Attendance
from grader.classroom.entries import Entry, troubles
from grader.classroom.gradebooks.fill import Filled
from grader.classroom.gradebooks.table import ABSENT, NO_FILE, table
from grader.classroom.pages import overview, student
from grader.classroom.similar.clusters import Findings
from grader.report.exercise import counted
from grader.report.model import plain_number, write_whole

# Files of earlier runs, and temporary files of a run that was killed.
_OLD = re.compile(r"([0-9a-f]{64})\.(json|html)")
_TEMPORARY = re.compile(
    r"\.([0-9a-f]{64}|canvas|class|gradebook|grades|moodle)\S*-\w{8}"
)
# The folders inside that of the results; "" is that folder itself.
FOLDERS = ("", "kept", "reports", "students", feedback.FOLDER)
LeftOut = Sequence[tuple[str, str]]  # names of files that are no hand-in, and reasons


def write_all(
    out: Path,
    entries: Sequence[Entry],
    findings: Findings,
    left_out: LeftOut,
    attended: Attendance,
    *,
    names: bool,
) -> list[str]:
    """Write the pages, the reports and `grades.csv`.

    Pages and reports of earlier runs are deleted if this run has not written them anew.
    But the older reports of hand-ins that were graded once more, "ID.before-1.json" and
    so on, always stay. Temporary files that a killed run has left are deleted.

    Args:
        out: the folder of the results.
        entries: all hand-ins with their results.
        findings: the result of comparing the code of all hand-ins.
        left_out: the names of files that are no hand-in, each with the reason.
        attended: who handed in nothing.
        names: whether the class page shows the owners' names.

    Returns:
        A line on the pages and reports that were deleted, if there are any.
    """
    for folder in ("reports", "students"):
        (out / folder).mkdir(exist_ok=True)
    # Excel takes the file for UTF-8 only if it begins with a byte order mark.
    grades = table(entries, attended.absent, attended.no_file)
    write_whole(out / "grades.csv", grades.encode("utf-8-sig"))
    for entry in entries:
        if entry.report is not None:
            write_whole(out / "reports" / f"{entry.id}.json", entry.report.as_json())
            write_whole(out / "students" / f"{entry.id}.html", student.page(entry))
    page = overview.page(
        entries, findings, names=names, left_out=left_out, attended=attended
    )
    write_whole(out / "class.html", page)
    written = {entry.id for entry in entries if entry.report is not None}
    deleted = set()
    for path in [*(out / "reports").iterdir(), *(out / "students").iterdir()]:
        if (old := _OLD.fullmatch(path.name)) and old[1] not in written:
            path.unlink()
            deleted.add(old[1])
    for folder in FOLDERS:
        for path in (out / folder).glob(".*"):
            if _TEMPORARY.fullmatch(path.name):
                path.unlink()
    count = counted(len(deleted), "hand-in")
    told = f"deleted: the reports and pages of an earlier run on {count}"
    return [f"{told}, of which this run has no report"] if deleted else []


def write_gradebook(out: Path, filled: Filled | None) -> list[str]:
    """Write the filled gradebook, in the encoding that its export has.

    Args:
        out: the folder of the results.
        filled: the filled gradebook, or None if no gradebook was given.

    Returns:
        Lines on gradebooks of earlier runs, which this run leaves as they are.
    """
    if filled:
        write_whole(out / filled.file, filled.text.encode(filled.encoding))
    return [
        f"{path}: of an earlier run, with its scores; with GRADEBOOK= and the "
        "platform's export it is written anew"
        for path in sorted(out.glob("gradebook.*"))
        if not filled or path.name != filled.file
    ]


def print_summary(
    out: Path,
    entries: Sequence[Entry],
    left_out: LeftOut,
    filled: Filled | None,
    more: Sequence[str],
    console: Console,
) -> None:
    """Print to stderr which hand-ins staff must look at, and a summary to the console.

    Args:
        out: the folder of the results.
        entries: all hand-ins with their results.
        left_out: the names of files that are no hand-in, each with the reason.
        filled: the filled gradebook, or None if none was given.
        more: lines on what was done beside grading.
        console: the console for the summary.
    """
    for trouble in troubles(entries):
        words = f"{trouble.kind}: {trouble.entry.hand_in.entry}: {trouble.why}"
        print(in_one_line(words), file=sys.stderr)
    if unread := sum(e.report is not None and not e.graded for e in entries):
        print(f"{unread} of {len(entries)} could not be read", file=sys.stderr)
    if failed := sum(entry.report is None for entry in entries):
        print(f"{failed} of {len(entries)} could not be graded", file=sys.stderr)
    lines = []
    scores = [entry.score for entry in entries if entry.score is not None]
    if scores:
        median = plain_number(statistics.median(scores))
        lines.append(f"{len(scores)} graded, the median is {median}")
    if filled:
        lines += about_gradebook(filled)
    lines += more
    lines += [f"left out: {name} ({why})" for name, why in left_out]
    lines.append(f"Results: {out / 'class.html'}, {out / 'grades.csv'}")
    print_lines(lines, console)


def about_people(entries: Sequence[Entry], attended: Attendance) -> list[str]:
    """Return the summary's lines on scores that staff changed, and on missing hand-ins.

    Args:
        entries: all hand-ins with their results.
        attended: who handed in nothing.
    """
    lines = []
    for entry in entries:
        if entry.changes:
            lines.append(f"adjusted: {entry.hand_in.who}: {entry.adjustment()}")
    if attended.note:
        lines.append(attended.note)
    if attended.people:
        count = f"{len(attended.absent)} of {attended.people}"
        who = "; ".join(owner.name for owner in attended.absent)
        lines.append(f"{ABSENT}: {count} on the roster: {who or 'nobody'}")
    if attended.without_file:
        count = f"{len(attended.without_file)} of {attended.people}"
        who = "; ".join(f"{o.name} ({what})" for o, what in attended.without_file)
        lines.append(f"{NO_FILE}: {count} on the roster: {who}")
    if attended.unsure:
        who = "; ".join(f"{o.name} ({what})" for o, what in attended.unsure)
        lines.append(f"{NO_FILE}, and it is not certain who: {who}")
    return lines


def about_gradebook(filled: Filled) -> list[str]:
    """Return the summary's lines on a gradebook: who or what got no score.

    Args:
        filled: the filled gradebook.

    Returns:
        A line for each sentence in `filled.disputes`, a line for each other list in
        `filled` that is not empty, and a line if scores were not scaled; [] if there is
        nothing to say.
    """
    file = filled.file
    lines = [f"{file}: {dispute}" for dispute in filled.disputes]
    if filled.without_row:
        lines.append(f"{file}: no row found for {', '.join(filled.without_row)}")
    if filled.with_problem:
        who = ", ".join(filled.with_problem)
        lines.append(
            f"{file}: left alone, for they were not read or not imported: {who} "
            "(UNREAD=0 enters 0)"
        )
    if filled.replaced:
        count, who = len(filled.replaced), "; ".join(filled.replaced)
        scores = f"{counted(count, 'score')} that {'was' if count == 1 else 'were'}"
        lines.append(f"{file}: replaced {scores} there: {who}")
    if filled.unscaled:
        why = "the export does not say what its column is worth"
        lines.append(f"{file}: scores were not scaled, for {why}")
    if filled.without_score:
        lines.append(f"{file}: rows left as they were: {len(filled.without_score)}")
    return lines


def print_lines(lines: Iterable[str], console: Console) -> None:
    """Escape lines, which may hold untrusted text, and print them to a console."""
    for line in lines:
        console.print(Text(in_one_line(line)), soft_wrap=True)


def in_one_line(text: str) -> str:
    """Return a text escaped for a terminal, with "�" instead of each newline."""
    return escape.terminal(text.replace("\n", "�"))
