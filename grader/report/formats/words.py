"""Put a report into words: the texts that all formats share."""

from grader.report import learning
from grader.report.model import Check, Report
from grader.report.printed import about_tracers, shown_lines

NOT_RUN = "not run: see above"
NOT_FINISHED = (
    "Not graded: the grader did not finish. This says nothing about your work. Hand it "
    "in again; where that does not help, please tell the course staff."
)


def not_graded(report: Report | None) -> str:
    """Return why there is no score, in words for the student; "" if there is a score.

    Args:
        report: the report, or None if the grading ended without a report.
    """
    if report is None:
        return NOT_FINISHED
    if report.grader_error:
        return (
            "Not graded: the grader could not do its work, and yours is not at fault. "
            f"Please tell the course staff: {report.grader_error}"
        )
    return ""


def about_hand_in(report: Report) -> list[str]:
    """Return the first lines of a report: the hand-in's problem, and notes on it.

    The problem is why the hand-in was not read or not imported. The list is empty if
    there is neither a problem nor a note.
    """
    return [*filter(None, [report.problem]), *(f"note: {n}" for n in report.notes)]


def about_check(check: Check) -> str:
    """Return the lines of a check's message, reading and hints, or "" without any."""
    hints = [f"→ {line}" for line in (check.hint or "").splitlines()]
    return "\n".join(filter(None, [check.message, check.reading, *hints]))


def about_run(report: Report) -> str:
    """Return lines of text on the whole run, such as its seed and its sandbox.

    Other lines say what was learned, and which exercises have results of earlier runs.
    """
    lines = [*learning.results(report.learning), *learning.reasons(report.learning)]
    if older := [exercise.name for exercise in report.exercises if exercise.older]:
        lines.append(f"older, from earlier runs: {', '.join(older)}")
    lines.append(f"seed {report.seed} · sandbox {report.sandbox} · {report.device}")
    return "\n".join(lines)


def about_printed(report: Report) -> str:
    """Return the hand-in's output, with "│" before each line; "" without output."""
    parts = []
    for printed in report.printed:
        lines = [f"Printed by your code ({printed['exercise']}):"]
        lines += [f"│ {line}" for line in shown_lines(printed)]
        lines += about_tracers(printed)
        parts.append("\n".join(lines))
    return "\n\n".join(parts)
