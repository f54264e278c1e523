"""Grade one hand-in of a class anew, and keep its older report."""

import itertools
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from grader.classroom import pool
from grader.classroom.after.who import Known
from grader.classroom.entries import id_of
from grader.classroom.grade_all import Grading, grade_all
from grader.contract.outcomes import UsageError
from grader.grading.pipeline import Options
from grader.intake.submission import Submission
from grader.report.model import Report, plain_number, write_whole


def options_of_others(
    options: Options,
    submissions: Mapping[str, Submission],
    code: str,
    kept: pool.Kept,
) -> Options:
    """Return the options with which the class was graded before.

    These are `options`, if a hand-in has a kept report that was made with them. If none
    has, they are `options` without the seed, which is then for the new grading only.

    Args:
        options: the options for the hand-in that is graded anew.
        submissions: the hand-ins that were read.
        code: the result of `pool.code_hash`.
        kept: the reports of earlier runs.

    Raises:
        UsageError: no kept report was made with `options`, with or without the seed.
    """
    for usual in (options, replace(options, seed="")):
        names = (pool.name_of(one, usual, code) for one in submissions.values())
        if any(kept.get(name) for name in names):
            return usual
    raise UsageError(
        "REGRADE: no other hand-in has a result of this grader with these options. "
        "Grade the class first, without REGRADE; if it was graded with SEED=text, "
        "give the same SEED"
    )


def chosen_by(who: str, known: Known, submissions: Mapping[str, Submission]) -> str:
    """Return the name, in the download, of the hand-in to grade anew.

    Args:
        who: the argument REGRADE, as `Known.find` understands it. If it is "", the
            result is "".
        known: the hand-ins of the class.
        submissions: the hand-ins that were read, by their names in the download.

    Raises:
        UsageError: `who` means no hand-in, or several, or one that cannot be read.
    """
    if not who:
        return ""
    try:
        entry = known.hand_ins[known.find(who)].entry
    except UsageError as error:
        raise UsageError(f"REGRADE: {error}") from None
    submission = submissions.get(entry)
    if submission is None or submission.problem:
        why = f": {submission.problem}" if submission else ""
        raise UsageError(f"REGRADE: {entry} cannot be read{why}")
    return entry


def grade_anew(
    start: Grading,
    entry: str,
    submissions: Mapping[str, Submission],
    names: Mapping[str, str],
    kept: pool.Kept,
    reports: Path,
    console: Console,
) -> tuple[list[str], str]:
    """Grade a hand-in, although its report is kept; put the new report in its place.

    The older report is saved first. If there is no new report, the older one stays.

    Args:
        start: a function that grades hand-ins.
        entry: the hand-in's name in the download.
        submissions: the hand-ins that were read, by their names in the download.
        names: the names of the reports (see `pool.name_of`), by the hand-ins' names in
            the download.
        kept: the reports of the class.
        reports: the folder in the results to which the older report is saved.
        console: the console for the progress bar.

    Returns:
        Lines on what changed; and why the hand-in was not graded, "" if it was.
    """
    submission, name = submissions[entry], names[entry]
    before = kept.get(name)
    with tempfile.TemporaryDirectory() as folder:
        fresh = pool.Kept(Path(folder))
        failed = grade_all(start, {name: submission}, fresh, console)
        now = fresh.get(name)
        if now is None:
            why_not = failed.get(name) or "its report cannot be read"
            stays = ", the older result stays" if before else ""
            return [f"{entry}: not graded anew{stays}: {why_not}"], why_not
        told = ["it was not graded before"]
        if before is not None:
            before.submission["name"] = submission.name
            path = free_name(reports, id_of(entry, submission))
            reports.mkdir(parents=True, exist_ok=True)
            write_whole(path, before.as_json())
            told = [*differences(before, now), f"the older report is {path}"]
        text = (fresh.folder / f"{name}.json").read_text(encoding="utf-8")
        kept.put(name, text, alone=True)
    same = [other for other, its in names.items() if its == name and other != entry]
    if same:
        told.append(f"the same holds for equal hand-ins: {', '.join(same)}")
    return [f"graded anew: {entry}: {line}" for line in told], ""


def free_name(folder: Path, id_: str) -> Path:
    """Return the first path of "ID.before-1.json" and so on that is not taken."""
    paths = (folder / f"{id_}.before-{n}.json" for n in itertools.count(1))
    return next(path for path in paths if not path.exists())


def differences(before: Report, now: Report) -> Iterator[str]:
    """Yield lines on the differences between two reports on one hand-in.

    One line has both scores; it comes even if they are equal.
    """
    most = plain_number(now.max_score)
    old, new = plain_number(before.score), plain_number(now.score)
    if before.problem != now.problem:
        yield f"before: {before.problem or 'graded'}; now: {now.problem or 'graded'}"
    yield (
        f"{old} of {most} before, {new} now" if old != new else f"{new} of {most} again"
    )
    points = {exercise.name: exercise.score for exercise in before.exercises}
    for exercise in now.exercises:
        was, points_now = points.get(exercise.name, 0.0), exercise.score
        if plain_number(was) != plain_number(points_now):
            told = f"{plain_number(was)} → {plain_number(points_now)}"
            yield f"{exercise.number} {exercise.name}: {told}"
