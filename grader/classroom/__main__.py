"""The command line of a class: arguments, exit codes, a list of steps.

Exit codes: 0 when every hand-in was graded, whatever the scores; 2 when some could not
be read or graded, with a list of them.
"""

import argparse
import contextlib
import datetime
import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from grader import escape
from grader.classroom import gradebooks, layouts, pages, pool, similar
from grader.classroom.gradebooks import Entry
from grader.classroom.layouts import HandIn
from grader.cli import check_choice, check_seed, exercise_named, guarded
from grader.contract.outcomes import GraderError, UsageError
from grader.grading import pipeline
from grader.intake.submission import Submission
from grader.intake.take import take
from grader.report.model import Report, write_whole
from grader.report.terminal import make_console
from grader.sandbox import self_test
from grader.sandbox.tiers import TIERS


def main() -> int:
    """Run the command; the exit code."""
    arguments = parse(sys.argv[1:])
    return guarded(lambda: run(arguments))


def parse(arguments: list[str]) -> argparse.Namespace:
    """The arguments; a wrong one ends the program with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m grader.classroom", description="Grade a whole class."
    )
    parser.add_argument("submissions", help="the folder of all hand-ins")
    parser.add_argument("--out", default="class-results", help="folder of the results")
    parser.add_argument(
        "--seed", default="", help="any text, for all; else a secret one each"
    )
    parser.add_argument("--jobs", default="", help="so many at once; one for each core")
    parser.add_argument("--names", default="", help="1: names on the class page")
    parser.add_argument("--canvas", default="", help="an export of Canvas' gradebook")
    parser.add_argument("--moodle", default="", help="an export or worksheet of Moodle")
    parser.add_argument("--assignment", default="", help="its column in the exports")
    parser.add_argument(
        "--only", default="", help="one exercise; for trying things out"
    )
    parser.add_argument(
        "--unread",
        default="",
        help="0: enter that in the exports for what was not read or not imported",
    )
    parser.add_argument("--sandbox", default="", help="bwrap, landlock or process")
    parser.add_argument("--reference", default="", help="live or recorded")
    parser.add_argument("--device", default="cpu", help="cpu or gpu")
    parser.add_argument("--cluster", default="", help="tcp://… of Dask's scheduler")
    return parser.parse_args(arguments)


def run(arguments: argparse.Namespace) -> int:
    """Grade the class, write everything."""
    jobs, exports = checked(arguments)
    out = Path(arguments.out)
    found = layouts.find(Path(arguments.submissions))
    options = options_of(arguments)
    console = make_console()
    submissions, unread = taken(found.hand_ins)
    code = pool.code_hash()
    names = {entry: pool.name_of(s, options, code) for entry, s in submissions.items()}
    try:
        kept = pool.Kept(out / "kept")
    except OSError as error:
        raise UsageError(f"OUT={arguments.out!r}: {error.strerror}") from None
    tasks = {
        name: submissions[entry]
        for entry, name in names.items()
        if kept.get(name) is None
    }
    console.print(f"{len(submissions)} hand-ins, {len(tasks)} to grade", markup=False)
    failed: dict[str, str] = {}
    if tasks:
        with grader_of(arguments.cluster, options, code, jobs, console) as start:
            failed = grade(start, tasks, kept, console)
    entries = []
    for hand_in in found.hand_ins:
        name = names.get(hand_in.entry, "")
        report = kept.get(name) if name else None
        why_not = unread.get(hand_in.entry) or failed.get(name) or ""
        if report is None and not why_not:
            why_not = "its report cannot be read"
        entries.append(
            entry_of(hand_in, submissions.get(hand_in.entry), report, why_not)
        )
    pairs = near_ones(entries, submissions)
    write_all(out, entries, pairs, found.ignored, names=arguments.names == "1")
    lines = []
    for kind, (path, fill) in exports.items():
        text = read_export(path)
        filled = fill(text, arguments.assignment, entries, unread=arguments.unread)
        write_whole(out / f"{kind}.csv", filled.text)
        lines += told_of(kind, filled)
    return summary(out, entries, found.ignored, lines, console)


def checked(arguments: argparse.Namespace) -> tuple[int, dict]:
    """How many at once, 0 where it is not told; by kind exports and what fills them.

    Raises:
        UsageError: an argument makes no sense.
    """
    for name, value, allowed in (
        ("NAMES", arguments.names, ["", "0", "1"]),
        ("UNREAD", arguments.unread, ["", "0"]),
        ("DEVICE", arguments.device, ["cpu", "gpu"]),
        ("REFERENCE", arguments.reference, ["", "live", "recorded"]),
        ("SANDBOX", arguments.sandbox, ["", *TIERS]),
    ):
        check_choice(name, value, allowed)
    if not arguments.submissions:
        raise UsageError("SUBMISSIONS=folder is missing: the folder of all hand-ins")
    arguments.only = exercise_named(arguments.only)
    check_seed(arguments.seed)
    jobs = arguments.jobs or "0"
    if not jobs.isdecimal() or int(jobs) > 999 or jobs == arguments.jobs == "0":
        raise UsageError(f"JOBS={jobs!r}: use a number, one for each core or fewer")
    exports = {
        kind: (path, fill)
        for kind, path, fill in (
            ("canvas", arguments.canvas, gradebooks.fill_canvas),
            ("moodle", arguments.moodle, gradebooks.fill_moodle),
        )
        if path
    }
    if exports and arguments.only:
        raise UsageError("ONLY: points of one exercise are no score to be entered")
    for path, fill in exports.values():  # rather told now than after hours
        fill(read_export(path), arguments.assignment, [])
    return int(jobs), exports


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_export(path: str) -> str:
    """The text of an export.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return Path(path).read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text: export it as CSV UTF-8") from None


def options_of(arguments: argparse.Namespace) -> pipeline.Options:
    """How to grade each. The sandbox is tried once: a class is strangers' code.

    Raises:
        GraderError: no sandbox isolates here, and SANDBOX=process was not asked for.
    """
    tier = arguments.sandbox
    if not arguments.cluster:  # whose nodes try their own
        pipeline.check_device(arguments.device)
        tier = self_test.choose_official_tier(tier)
    return pipeline.Options(
        seed=arguments.seed,  # or each its own
        only=(arguments.only,) if arguments.only else (),
        tier=tier,
        device=arguments.device,
        mode=pipeline.choose_mode(arguments.reference),
    )


def taken(hand_ins: list[HandIn]) -> tuple[dict[str, Submission], dict[str, str]]:
    """By entry the hand-ins as they were read, and why some could not be."""
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
        except Exception as error:  # costs its own hand-in alone
            unread[hand_in.entry] = f"cannot be read: {type(error).__name__}"
    return submissions, unread


# Of hand-ins by name; alone: one at a time.
Grading = Callable[[Mapping[str, Submission], bool], pool.Gradings]


@contextlib.contextmanager
def grader_of(
    cluster: str, options: pipeline.Options, code: str, jobs: int, console: Console
) -> Iterator[Grading]:
    """What grades: this machine, or a cluster whose nodes are checked first.

    Raises:
        UsageError: there is no such cluster.
        GraderError: none of its nodes can grade.
    """
    if not cluster:
        together = jobs or cores()
        yield lambda tasks, alone: pool.grade_here(
            tasks, options, 1 if alone else together
        )
        return
    try:
        from grader.classroom.cluster import Cluster
    except ImportError:
        raise UsageError(
            "CLUSTER: Dask is not installed (`make grade-class CLUSTER=…` installs it)"
        ) from None
    with Cluster(cluster, code, options.tier, jobs) as nodes:
        problems = nodes.problems()
        for address, problem in problems.items():
            if problem:
                words = f"{address} takes no work: {problem}"
                print(escape.terminal(words), file=sys.stderr)
        ready = sum(not problem for problem in problems.values())
        if problems and not ready:
            raise GraderError("no node of the cluster can grade")
        console.print(f"nodes that are ready: {ready}", markup=False)
        yield lambda tasks, alone: nodes.grade(tasks, options)


def grade(
    start: Grading,
    tasks: Mapping[str, Submission],
    kept: pool.Kept,
    console: Console,
) -> dict[str, str]:
    """Grade all, and what ran out of time once more; by name, why some could not be.

    Args:
        start: grades.
        tasks: hand-ins by name.
        kept: where reports are kept.
        console: for the progress.
    """
    why_not: dict[str, str] = {}

    def keep(chosen: Mapping[str, Submission], *, alone: bool) -> None:
        done = start(chosen, alone)
        with progress(console, len(chosen)) as advance, contextlib.closing(done):
            for name, graded in done:
                if graded.text:
                    kept.put(name, graded.text, alone=alone)
                else:
                    why_not[name] = graded.why_not
                advance()

    keep({n: s for n, s in tasks.items() if not kept.is_open(n)}, alone=False)
    late = {name: s for name, s in tasks.items() if kept.is_open(name)}
    if late:
        words = f"{len(late)} ran out of time: once more, without the others"
        console.print(words, markup=False)
        keep(late, alone=True)
    return why_not


class Left(ProgressColumn):
    """How long the rest takes, when it goes on as so far; gradings end in bursts."""

    def render(self, task: Task) -> Text:
        """The column of a task that says how long the `whole` of it takes."""
        whole = task.fields["whole"]
        if whole is None:
            return Text("left -:--:--")
        seconds = max(int(whole - (task.elapsed or 0)), 0)
        return Text(f"left {datetime.timedelta(seconds=seconds)}")


@contextlib.contextmanager
def progress(console: Console, total: int) -> Iterator[Callable[[], None]]:
    """What to call when one more is done; a bar on a terminal, nothing in a log."""
    columns = (
        *(TextColumn("Grading"), BarColumn(), MofNCompleteColumn()),
        *(TimeElapsedColumn(), Left()),
    )
    bar = Progress(
        *columns, console=console, disable=not console.is_terminal or not total
    )
    with bar:
        bar.add_task("", total=total, whole=None)
        (task,) = bar.tasks

        def advance() -> None:
            done = task.completed + 1
            bar.update(task.id, advance=1, whole=(task.elapsed or 0) / done * total)

        yield advance


def entry_of(
    hand_in: HandIn, submission: Submission | None, report: Report | None, why_not: str
) -> Entry:
    """A hand-in with its result, whichever way it came to it."""
    hashed = hashlib.sha256(os.fsencode(hand_in.entry))
    if submission is not None:
        # With the contents, so that nobody can tell from a name which one it is.
        hashed.update(f"\0{submission.sha256}".encode())
        if report is not None:  # of what has the same contents, by whatever name
            report.submission["name"] = submission.name
    return Entry(hashed.hexdigest(), hand_in, report, why_not)


def near_ones(
    entries: list[Entry], submissions: Mapping[str, Submission]
) -> list[similar.Pair] | None:
    """The pairs of hand-ins that are nearly the same, by id; None: not looked for."""
    if not similar.available():
        return None
    sources = {
        entry.id: submissions[entry.hand_in.entry].source
        for entry in entries
        if entry.hand_in.entry in submissions
    }
    return similar.find_pairs(sources)


def write_all(
    out: Path,
    entries: list[Entry],
    pairs: list[similar.Pair] | None,
    left_out: list[tuple[str, str]],
    *,
    names: bool,
) -> None:
    """Everything but the exports; what an earlier run left of others goes."""
    for folder in ("reports", "students"):
        (out / folder).mkdir(exist_ok=True)
    write_whole(out / "grades.csv", gradebooks.table(entries))
    for entry in entries:
        if entry.report is not None:
            write_whole(out / "reports" / f"{entry.id}.json", entry.report.as_json())
            write_whole(out / "students" / f"{entry.id}.html", pages.student(entry))
    page = pages.classroom(entries, pairs, names=names, left_out=left_out)
    write_whole(out / "class.html", page)
    there = {entry.id for entry in entries if entry.report is not None}
    for path in [*(out / "reports").iterdir(), *(out / "students").iterdir()]:
        if path.stem not in there:
            path.unlink()
    # What a killed run has half written.
    for path in [*out.glob(".*-*"), *(out / "kept").glob(".*-*")]:
        path.unlink()


def in_one_line(text: str) -> str:
    """A line as it is printed; names may hold ends of lines."""
    return escape.terminal(text.replace("\n", "�"))


def told_of(kind: str, filled: gradebooks.Filled) -> list[str]:
    """Lines on an export that was filled."""
    lines = [f"{kind}.csv: {dispute}" for dispute in filled.disputes]
    if filled.without_row:
        who = ", ".join(filled.without_row)
        lines.append(f"{kind}.csv: no row found for {who}")
    if filled.with_problem:
        who = ", ".join(filled.with_problem)
        lines.append(
            f"{kind}.csv: left alone, for they were not read or not imported: {who} "
            "(UNREAD=0 enters 0)"
        )
    if filled.without_score:
        lines.append(f"{kind}.csv: left as they were: {len(filled.without_score)} rows")
    return lines


def summary(
    out: Path,
    entries: list[Entry],
    ignored: list[tuple[str, str]],
    lines: list[str],
    console: Console,
) -> int:
    """Say what came of it, what to look at first; the exit code."""
    found = [(e, *trouble) for e in entries for trouble in pages.troubles(e)]
    found.sort(key=lambda one: list(pages.TROUBLES).index(one[1]))
    for entry, kind, why in found:
        words = f"{kind}: {entry.hand_in.entry}: {why}"
        print(in_one_line(words), file=sys.stderr)
    unread = sum(not entry.graded and entry.report is not None for entry in entries)
    failed = sum(entry.report is None for entry in entries)
    if unread:
        print(f"{unread} of {len(entries)} could not be read", file=sys.stderr)
    if failed:
        print(f"{failed} of {len(entries)} could not be graded", file=sys.stderr)
    scores = sorted(entry.score for entry in entries if entry.score is not None)
    if scores:
        middle = scores[len(scores) // 2]
        lines = [f"{len(scores)} graded, the middle score is {middle:g}", *lines]
    lines += [f"left out: {name} ({why})" for name, why in ignored]
    lines.append(f"Results: {out / 'class.html'}, {out / 'grades.csv'}")
    for line in lines:
        console.print(Text(in_one_line(line)), soft_wrap=True)
    return 2 if unread or failed else 0


if __name__ == "__main__":
    sys.exit(main())
