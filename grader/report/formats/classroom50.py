"""Write Classroom 50's `result.json`: a test for each exercise.

Description: https://github.com/foundation50/classroom50/wiki/Advanced-Autograding
"""

import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from grader.contract.outcomes import UsageError
from grader.escape import json_text, one_line
from grader.report.formats.words import not_graded
from grader.report.model import Exercise, Report

TOTAL = 100  # the maximum if there is no report
# For each field of the file, the environment variables that can give its value. The
# first variable that is set counts.
FIELDS = {
    "classroom": ("CLASSROOM",),
    "assignment": ("ASSIGNMENT",),
    "owner": ("OWNER", "USERNAME", "GITHUB_REPOSITORY_OWNER"),
    "submission": ("SUBMISSION_TAG",),
    "commit": ("COMMIT_URL",),
    "release": ("RELEASE_URL",),
    "review": ("REVIEW_URL", "COMMIT_URL"),
}


def render(report: Report | None, environment: Mapping[str, str] = os.environ) -> str:
    """Return the text of `result.json`.

    If there is no report, or the grader itself failed, the file has a single test,
    with 0 of TOTAL points.

    Args:
        report: the report, or None if the grading ended without a report.
        environment: the environment variables, which Classroom 50 sets.

    Raises:
        UsageError: for a field in `FIELDS`, none of its environment variables is set,
            or SUBMISSION_TAG does not begin with "submit/".
    """
    values = fields_of(environment)
    if report is None or not_graded(report):
        tests = [as_test("not graded: the grader did not finish", 0, TOTAL)]
    else:
        tests = as_tests(report.exercises)
        if report.problem:  # as the name of a test, because only names are shown
            first = as_test(one_line(report.problem, 300), 0, 0)
            tests = [{**first, "passed": False}, *tests]
    document = {
        "schema": "classroom50/result/v1",
        **values,
        "assignment_type": environment.get("ASSIGNMENT_TYPE") or "individual",
        "datetime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "score": sum(test["score"] for test in tests),
        "max-score": sum(test["max-score"] for test in tests),
        "tests": tests,
    }
    return json_text(document, indent=1) + "\n"


def fields_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of `result.json` that identify the submission.

    Args:
        environment: the environment variables; `FIELDS` says which of them are used.

    Raises:
        UsageError: for a field in `FIELDS`, none of its environment variables is set,
            or SUBMISSION_TAG does not begin with "submit/".
    """
    values = {
        field: next(filter(None, map(environment.get, names)), "")
        for field, names in FIELDS.items()
    }
    missing = [FIELDS[field][0] for field, value in values.items() if not value]
    if missing:
        raise UsageError(
            f"classroom50: {', '.join(missing)} not set, as its runner does"
        )
    if not values["submission"].startswith("submit/"):
        raise UsageError("classroom50: SUBMISSION_TAG has to begin with submit/")
    return values


def as_tests(exercises: list[Exercise]) -> list[dict[str, Any]]:
    """Return a test in Classroom 50's format for each exercise, with whole points.

    The points of a test are the rounded total score after its exercise, minus the
    rounded total score before it. A half is rounded up. So the points of all tests add
    up to the rounded total score. An exercise with full points keeps them, because its
    maximum is a whole number.
    """
    tests = []
    exact, whole = 0.0, 0
    for exercise in exercises:
        exact += exercise.score
        score = math.floor(exact + 0.5) - whole
        whole += score
        full = math.floor(exercise.max_score + 0.5)
        test = as_test(f"{exercise.number} {exercise.name}", score, full)
        tests.append({**test, "passed": exercise.is_complete})
    return tests


def as_test(name: str, score: int, full: int) -> dict[str, Any]:
    """Return a test in Classroom 50's format; "passed" is true for full points only.

    Args:
        name: the test's name.
        score: the points earned.
        full: the points that the test pays.
    """
    return {
        "test-name": name,
        "passed": score == full,
        "score": score,
        "max-score": full,
    }
