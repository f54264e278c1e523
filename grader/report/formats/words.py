"""Texts that all formats share."""

from grader.report.model import Check, Report
from grader.report.terminal import about_cartpole, sparkline

NOT_FINISHED = (
    "Not graded: the grader did not finish. This says nothing about your work. Hand it "
    "in again; where that does not help, please tell the course staff."
)


def not_graded(report: Report | None) -> str:
    """Return why there is no score, in words for the student; "" if there is one."""
    if report is None:
        return NOT_FINISHED
    if report.grader_error:
        return (
            "Not graded: the grader could not do its work, and yours is not at fault. "
            f"Please tell the course staff: {report.grader_error}"
        )
    return ""


def about_check(check: Check) -> str:
    """Return a check's message with its hint."""
    hints = [f"→ {line}" for line in (check.hint or "").splitlines()]
    return "\n".join(filter(None, [check.message, *hints]))


def about_run(report: Report) -> str:
    """Return how learning went, and how the run can be repeated."""
    lines = []
    if cartpole := report.learning.get("cartpole"):
        lines.append(about_cartpole(cartpole))
        lines.append(sparkline(cartpole["curve"]))
    lines.append(f"seed {report.seed} · sandbox {report.sandbox} · {report.device}")
    return "\n".join(filter(None, lines))


def about_printed(report: Report) -> str:
    """Return what the hand-in printed, each line with a mark; "" if nothing."""
    parts = []
    for printed in report.printed:
        lines = [f"Printed by your code ({printed['exercise']}):"]
        lines += [f"│ {line}" for line in printed["text"].rstrip("\n").split("\n")]
        if printed["dropped"]:
            lines.append(f"│ … {printed['dropped']} bytes more were not kept")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)
