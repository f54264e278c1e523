"""Write an annotation for GitHub: an error at the top of the page of a run."""

from grader.escape import one_line
from grader.report.formats.words import not_graded
from grader.report.model import Report

LONGEST = 500


def render(report: Report | None) -> str:
    """Return a GitHub workflow command that says why the hand-in was not graded.

    It is returned if there is no score, or if the hand-in was not read or not imported.
    Otherwise the result is "".

    Args:
        report: the report, or None if the grading ended without a report.
    """
    if why := not_graded(report):
        title = "Not graded"
    elif report and (why := report.problem):
        title = "No points"
    else:
        return ""
    # GitHub reads %0A in a message as a line break: actions/runner,
    # src/Runner.Common/ActionCommand.cs.
    message = one_line(why, LONGEST).replace("%", "%25")
    return f"::error title={title}::{message}\n"
