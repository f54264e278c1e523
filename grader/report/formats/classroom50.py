"""Classroom 50's `result.json`: a test for each exercise.

Its description: https://github.com/foundation50/classroom50/wiki/Advanced-Autograding
"""

import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from grader.contract.outcomes import UsageError
from grader.escape import json_text, plain
from grader.report.formats.words import not_graded
from grader.report.model import Exercise, Report

TOTAL = 100  # points, of which nothing is known where there is no report
# Its fields, and the variables that its runner sets, of which the first counts.
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
    """The file's text.

    Args:
        report: of a grading, or None.
        environment: with the variables of Classroom 50's runner.

    Raises:
        UsageError: one of these is missing, or no submission's.
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
    if report is None or not_graded(report):
        tests = [as_test("not graded: the grader did not finish", 0, TOTAL)]
    else:
        tests = as_tests(report.exercises)
        if report.problem:  # all that is shown of a test is its name
            first = as_test(plain(report.problem, 300).replace("\n", " "), 0, 0)
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


def as_tests(exercises: list[Exercise]) -> list[dict[str, Any]]:
    """The exercises with whole numbers of points, which add up to the rounded score.

    Rounded is the sum so far: since what an exercise pays is a whole number, full
    points stay full, none stay none, and the sum is off by half a point at most, in
    the student's favour.
    """
    tests = []
    exact, whole = 0.0, 0
    for exercise in exercises:
        exact += exercise.score
        score = math.floor(exact + 0.5) - whole
        whole += score
        full = math.floor(exercise.max_score + 0.5)
        test = as_test(f"{exercise.number} {exercise.name}", score, full)
        tests.append({**test, "passed": exercise.score == exercise.max_score})
    return tests


def as_test(name: str, score: int, full: int) -> dict[str, Any]:
    """A test in Classroom 50's words."""
    return {
        "test-name": name,
        "passed": score == full,
        "score": score,
        "max-score": full,
    }
