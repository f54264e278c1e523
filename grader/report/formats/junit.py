"""Write JUnit's XML, which most CI systems read: a test suite for each exercise."""

import xml.etree.ElementTree as ET

from grader.contract.outcomes import Outcome
from grader.escape import terminal
from grader.report.formats.words import NOT_RUN, about_check, not_graded
from grader.report.model import Exercise, Report

KINDS = {Outcome.FAILED: "failure", Outcome.SKIPPED: "skipped"}


def render(report: Report | None) -> str:
    """Return the text of the XML file.

    If there is no report, or the grader itself failed, the file holds one error, which
    says why.

    Args:
        report: the report, or None if the grading ended without a report.
    """
    root = ET.Element("testsuites", name="homework")
    problem = not_graded(report)
    if not report or problem:
        root.append(one_error("grader", "grading", problem))
    else:
        if report.problem:
            root.append(one_error("hand-in", "reading it", report.problem))
        for exercise in report.exercises:
            root.append(as_suite(exercise, NOT_RUN if report.problem else ""))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def one_error(suite: str, case: str, words: str) -> ET.Element:
    """Return a test suite that holds one test with an error.

    Args:
        suite: the suite's name.
        case: the name of the test.
        words: the error's message.
    """
    element = ET.Element("testsuite", name=suite, tests="1", errors="1")
    inner = ET.SubElement(element, "testcase", classname=suite, name=case)
    ET.SubElement(inner, "error", message=terminal(words))
    return element


def as_suite(exercise: Exercise, why_not: str = "") -> ET.Element:
    """Return an exercise as a test suite, with a test for each check.

    Args:
        exercise: the results of the exercise.
        why_not: why the checks were not run; "" if they were run.
    """
    suite = ET.Element("testsuite", name=exercise.name)
    counts = {"tests": len(exercise.checks), "failure": 0, "error": 0, "skipped": 0}
    for check in exercise.checks:
        case = ET.SubElement(
            suite,
            "testcase",
            classname=exercise.name,
            name=check.name,
            time=f"{check.duration:.3f}",
        )
        if check.outcome != Outcome.PASSED:
            kind = "skipped" if why_not else KINDS.get(check.outcome, "error")
            counts[kind] += 1
            text = terminal(why_not or about_check(check))
            found = ET.SubElement(case, kind, message=text.partition("\n")[0])
            found.text = text
    for name, attribute in (
        ("tests", "tests"),
        ("failure", "failures"),
        ("error", "errors"),
        ("skipped", "skipped"),
    ):
        suite.set(attribute, str(counts[name]))
    return suite
