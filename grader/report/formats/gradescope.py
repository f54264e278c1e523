"""Write Gradescope's `results.json`: a test for each check.

Description: https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

from typing import Any

from grader.contract.outcomes import Outcome
from grader.escape import json_text, terminal
from grader.report.formats.words import (
    NOT_RUN,
    about_check,
    about_hand_in,
    about_printed,
    about_run,
    not_graded,
)
from grader.report.model import Check, Exercise, Report, plain_number


def render(report: Report | None) -> str:
    """Return the text of `results.json`.

    Gradescope needs a score in any case. If nothing was graded, the score is 0, and the
    output says why there is no grade. For the staff, `extra_data` then holds `"graded":
    false`.

    Args:
        report: the report, or None if the grading ended without a report.
    """
    problem = not_graded(report)
    document = {
        "score": 0,
        "output": terminal(problem),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"graded": not problem},
        "tests": [],
    }
    if report and not problem:
        document |= {
            "score": plain_number(report.score),
            "output": terminal("\n\n".join(filter(None, about_all(report)))),
            "extra_data": {"graded": True, "seed": report.seed, **report.submission},
            "execution_time": round(report.duration, 1),
            "tests": [
                test
                for exercise in report.exercises
                for test in as_tests(exercise, report.problem)
            ],
        }
    return json_text(document, indent=1) + "\n"


def about_all(report: Report) -> list[str]:
    """Return three texts: on the hand-in, on the run, and on the hand-in's output.

    A text is "" if there is nothing to say. `about_run` makes the text on the run.
    """
    hand_in = "\n".join(about_hand_in(report))
    return [hand_in, about_run(report), about_printed(report)]


def as_tests(exercise: Exercise, problem: str) -> list[dict[str, Any]]:
    """Return a test in Gradescope's format for each check of an exercise.

    Args:
        exercise: the results of the exercise.
        problem: why the hand-in was not read or imported; "" if it was imported. With a
            problem, the result is a single test, which says that nothing was run.
    """
    if not problem:
        return [as_test(exercise, i, c) for i, c in enumerate(exercise.checks, 1)]
    whole = Check("", NOT_RUN, Outcome.SKIPPED, 0, exercise.max_score)
    return [{**as_test(exercise, 1, whole), "number": f"{exercise.number}"}]


def as_test(exercise: Exercise, number: int, check: Check) -> dict[str, Any]:
    """Return a check as a test in Gradescope's format.

    The format of all texts is "text", so that Gradescope shows them without markup.

    Args:
        exercise: the check's exercise.
        number: the check's number in the exercise, from 1.
        check: the check.
    """
    passed = check.score == check.max_score
    return {
        "name": terminal(f"{exercise.name}: {check.description}"),
        "name_format": "text",
        "number": f"{exercise.number}.{number}",
        "score": plain_number(check.score),
        "max_score": plain_number(check.max_score),
        "status": "passed" if passed else "failed",
        "output": terminal(about_check(check)),
        "output_format": "text",
        "tags": [exercise.name],
        "visibility": "visible",
        "extra_data": {"outcome": str(check.outcome), "diagnosis": check.diagnosis},
    }
