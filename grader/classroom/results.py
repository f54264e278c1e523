"""Write the results of a class, and say first what a person should look at."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader import escape
from grader.classroom.entries import Entry, troubles
from grader.classroom.gradebooks.fill import Filled
from grader.classroom.gradebooks.table import table
from grader.classroom.pages import overview, student
from grader.classroom.similar.clusters import Findings
from grader.report.model import write_whole

LeftOut = Sequence[tuple[str, str]]  # files that are no hand-in, with the reason


def write_all(
    out: Path,
    entries: Sequence[Entry],
    findings: Findings,
    left_out: LeftOut,
    *,
    names: bool,
) -> None:
    """Write pages, reports and `grades.csv`; delete those of an earlier run.

    Args:
        out: the folder of the results.
        entries: all hand-ins.
        findings: of the comparison of their code.
        left_out: files that were not taken for hand-ins.
        names: whether the class page shows the owners' names.
    """
    for folder in ("reports", "students"):
        (out / folder).mkdir(exist_ok=True)
    write_whole(out / "grades.csv", table(entries))
    for entry in entries:
        if entry.report is not None:
            write_whole(out / "reports" / f"{entry.id}.json", entry.report.as_json())
            write_whole(out / "students" / f"{entry.id}.html", student.page(entry))
    page = overview.page(entries, findings, names=names, left_out=left_out)
    write_whole(out / "class.html", page)
    written = {entry.id for entry in entries if entry.report is not None}
    for path in [*(out / "reports").iterdir(), *(out / "students").iterdir()]:
        if path.stem not in written:
            path.unlink()
    # Temporary files of a run that was killed.
    for path in [*out.glob(".*-*"), *(out / "kept").glob(".*-*")]:
        path.unlink()


def write_exports(out: Path, exports: Mapping[str, Filled]) -> None:
    """Write the exports that were filled, by the name of the platform."""
    for platform, filled in exports.items():
        write_whole(out / f"{platform}.csv", filled.text)


def print_summary(
    out: Path,
    entries: Sequence[Entry],
    left_out: LeftOut,
    exports: Mapping[str, Filled],
    console: Console,
) -> None:
    """Print what to look at on stderr, then the results on the console."""
    for trouble in troubles(entries):
        words = f"{trouble.kind}: {trouble.entry.hand_in.entry}: {trouble.why}"
        print(in_one_line(words), file=sys.stderr)
    if unread := sum(e.report is not None and not e.graded for e in entries):
        print(f"{unread} of {len(entries)} could not be read", file=sys.stderr)
    if failed := sum(entry.report is None for entry in entries):
        print(f"{failed} of {len(entries)} could not be graded", file=sys.stderr)
    lines = []
    scores = sorted(entry.score for entry in entries if entry.score is not None)
    if scores:
        middle = scores[len(scores) // 2]
        lines.append(f"{len(scores)} graded, the middle score is {middle:g}")
    for platform, filled in exports.items():
        lines += about_export(f"{platform}.csv", filled)
    lines += [f"left out: {name} ({why})" for name, why in left_out]
    lines.append(f"Results: {out / 'class.html'}, {out / 'grades.csv'}")
    for line in lines:
        console.print(Text(in_one_line(line)), soft_wrap=True)


def about_export(file: str, filled: Filled) -> list[str]:
    """Return lines on the people and rows of an export that got no score."""
    lines = [f"{file}: {dispute}" for dispute in filled.disputes]
    if filled.without_row:
        lines.append(f"{file}: no row found for {', '.join(filled.without_row)}")
    if filled.with_problem:
        who = ", ".join(filled.with_problem)
        lines.append(
            f"{file}: left alone, for they were not read or not imported: {who} "
            "(UNREAD=0 enters 0)"
        )
    if filled.without_score:
        lines.append(f"{file}: left as they were: {len(filled.without_score)} rows")
    return lines


def in_one_line(text: str) -> str:
    """Return text for a terminal in one line; names may contain line breaks."""
    return escape.terminal(text.replace("\n", "�"))
