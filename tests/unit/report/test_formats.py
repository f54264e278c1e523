"""Reports in the formats of Gradescope, Classroom 50, JUnit and Markdown are valid."""

import io
import json
import re
import xml.etree.ElementTree as ET

import jsonschema
import pytest
from rich.console import Console

from grader import cli
from grader.contract.exercises import EXERCISES
from grader.contract.outcomes import Outcome
from grader.report import terminal
from grader.report.formats import (
    annotation,
    classroom50,
    gradescope,
    junit,
    markdown,
)
from grader.report.model import Check, Exercise, Report, load

TEXT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
SEEN = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
GRADESCOPE = {
    "type": "object",
    "required": ["tests", "score"],
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number", "minimum": 0},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "visibility": SEEN,
        "stdout_visibility": SEEN,
        "output_format": TEXT,
        "test_output_format": TEXT,
        "test_name_format": TEXT,
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["score", "max_score", "name"],
                "properties": {
                    "score": {"type": "number", "minimum": 0},
                    "max_score": {"type": "number", "minimum": 0},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "name_format": TEXT,
                    "output_format": TEXT,
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": {"const": "visible"},
                    "extra_data": {"type": "object"},
                },
            },
        },
    },
}
WORD = {"type": "string", "minLength": 1}
POINTS = {"type": "integer", "minimum": 0}
CLASSROOM50 = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "schema": {"const": "classroom50/result/v1"},
        **dict.fromkeys(("classroom", "assignment", "owner"), WORD),
        **dict.fromkeys(("commit", "release", "review"), WORD),
        "assignment_type": {"enum": ["individual", "group"]},
        "submission": {"type": "string", "pattern": "^submit/"},
        "datetime": {
            "type": "string",
            "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$",
        },
        "score": POINTS,
        "max-score": POINTS,
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["test-name", "passed", "score", "max-score"],
                "properties": {
                    "test-name": WORD,
                    "passed": {"type": "boolean"},
                    "score": POINTS,
                    "max-score": POINTS,
                },
            },
        },
    },
}
CLASSROOM50["required"] = list(CLASSROOM50["properties"])
RUNNER = {
    "CLASSROOM": "rl",
    "ASSIGNMENT": "dqn",
    "ASSIGNMENT_TYPE": "group",
    "OWNER": "alice",
    "SUBMISSION_TAG": "submit/2026-06-01T14-32-05Z-a1b2c3d",
    "COMMIT_URL": "https://example.org/commit/1",
    "RELEASE_URL": "https://example.org/release/1",
    "REVIEW_URL": "https://example.org/compare/1",
}
NASTY = (
    "::error::pwned\n  ##[error]pwned\n</failure>]]><script>alert(1)</script>"
    "\n```\n# Score 100 / 100\n| a | b |\x1b[2J\x00\ud800\ufffe @all\n::stop"
)


def report_of(*scores: float, **more) -> Report:
    """Return a report with one exercise, of 10 points, for each score.

    An exercise has two checks: the first one passes and has all points of the score.

    Args:
        scores: the scores of the exercises, in order.
        more: further fields of the report.
    """
    exercises = []
    for name, earned in zip(EXERCISES, scores, strict=False):
        first = Check("first", "It is right", Outcome.PASSED, earned, earned)
        missing = 10 - earned
        done = Outcome.FAILED if missing else Outcome.PASSED
        words = {"message": "loss: obtained 2, expected 1", "hint": "A hint.\nMore."}
        second = Check("second", "It is fast", done, 0, missing, **words)
        exercises.append(Exercise(name, [first, second]))
    given = {"seed": "1", "sandbox": "bwrap", "device": "cpu"}
    submission = {"name": "alice", "sha256": "0" * 64}
    return Report(**given, submission=submission, exercises=exercises, **more)


def report_with(outcome: Outcome, message: str) -> Report:
    """Return a report whose last check has this outcome.

    Args:
        outcome: the outcome.
        message: text of the check's description, message and hint.
    """
    report = report_of(10, 7.5)
    report.exercises[-1].checks.append(
        Check("last", message, outcome, 0, 1, message, "td-no-mask", message)
    )
    return report


NO_SCORE = {
    "none": None,
    "error": report_with(Outcome.GRADER_ERROR, "the runner died"),
}
LEARNED = {
    "maze": {
        **{"mean_return": -4.6, "curve": [[512, -31.2], [1024, -4.8]], "runs": 1},
        **{"shortest": 4.35, "random_walk": 27.2},
    },
    "cartpole": {
        **{"mean_return": 498.25, "curve": [[1024, 20.5], [2048, 498.0]], "runs": 2},
    },
}
PRINTED = [{"exercise": "td_loss", "text": f"so far\n{NASTY}\n", "dropped": 5}]
REPORTS = {
    "right": report_of(*[10] * 9, learning=LEARNED),
    "halves": report_of(8.5, 0, 2.5, 7.5, 10),
    **{str(outcome): report_with(outcome, "why") for outcome in Outcome},
    **{f"nasty {o}": report_with(o, NASTY) for o in Outcome},
    "nasty printed": report_of(8.5, printed=PRINTED),
    "empty": report_of(),
    "none": None,
}
each_report = pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)


def valid(text: str, schema: dict) -> dict:
    """Return a JSON text as a dict; fail if it does not match the schema."""
    document = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    jsonschema.validate(document, schema)
    return document


@each_report
def test_gradescope_is_valid(report):
    """Gradescope's file matches its schema; the tests' points add up to the score."""
    document = valid(gradescope.render(report), GRADESCOPE)
    earned = sum(test["score"] for test in document["tests"])
    assert earned == document["score"]


def test_what_was_printed_is_shown():
    """Lines that the hand-in printed are shown with a mark; cut bytes are counted."""
    report = REPORTS["nasty printed"]
    for text in (
        json.loads(gradescope.render(report))["output"],
        markdown.render(report),
    ):
        assert "Printed by your code (td_loss):\n│ so far\n" in text
        assert "│ … 5 bytes more were not kept" in text


@each_report
def test_classroom50_is_valid(report):
    """Classroom 50's file matches its schema, and no test has more than its points.

    The scores and the largest scores of the tests add up to those of the file.
    """
    document = valid(classroom50.render(report, RUNNER), CLASSROOM50)
    for key in ("score", "max-score"):
        assert document[key] == sum(test[key] for test in document["tests"])
    assert all(t["score"] <= t["max-score"] for t in document["tests"])
    assert document["owner"] == "alice"
    assert document["assignment_type"] == "group"


@each_report
def test_junit_is_valid(report):
    """JUnit's file is XML, and its counts agree with its elements."""
    root = ET.fromstring(junit.render(report))
    assert root.findall("testsuite") or report == REPORTS["empty"]
    for suite in root:
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        assert int(suite.get("errors")) == len(suite.findall("testcase/error"))


@pytest.mark.parametrize("report", NO_SCORE.values(), ids=NO_SCORE)
def test_no_score_says_so(report):
    """If there is no score, each format says that nothing was graded."""
    document = json.loads(gradescope.render(report))
    assert "Not graded" in document["output"]
    assert document["extra_data"]["graded"] is False
    assert document["tests"] == []
    assert "not graded" in classroom50.render(report, RUNNER)
    assert "## No score" in markdown.render(report)
    assert ET.fromstring(junit.render(report)).find(".//error") is not None
    assert annotation.render(report).startswith("::error title=Not graded::Not graded")


PROBLEM = "not imported: ModuleNotFoundError: No module named 'torch'; dqn.py, line 3"
NOTE = "cell 7 was left out: ZeroDivisionError: division by zero"


def with_problem(problem: str | None) -> Report:
    """Return a report with 0 points and a note.

    Args:
        problem: why the hand-in was not read or not imported; None if it runs.
    """
    report = report_of(*[0] * 9)
    report.submission |= {"problem": problem, "notes": [NOTE]}
    return report


def test_problem_is_said_first():
    """If no check was run, each format begins with the reason.

    Gradescope and Markdown have one entry for each exercise, not for each check.
    """
    report = with_problem(PROBLEM)
    document = valid(gradescope.render(report), GRADESCOPE)
    assert document["output"].startswith(f"{PROBLEM}\nnote: {NOTE}\n\n")
    assert (document["score"], len(document["tests"])) == (0, len(EXERCISES))
    assert sum(test["max_score"] for test in document["tests"]) == 90
    assert markdown.render(report).startswith(
        f"```text\n{PROBLEM}\nnote: {NOTE}\n```\n"
    )
    assert markdown.render(report).count("##") == 1
    first = valid(classroom50.render(report, RUNNER), CLASSROOM50)["tests"][0]
    assert (first["test-name"], first["passed"]) == (PROBLEM, False)
    root = ET.fromstring(junit.render(report))
    assert root.find(".//error").get("message") == PROBLEM
    assert len(root.findall(".//error")) == 1
    assert root.find(".//failure") is None
    assert annotation.render(report) == f"::error title=No points::{PROBLEM}\n"


def test_annotation_is_one_command():
    """An annotation is one line, whatever text of a hand-in it shows.

    There is none if checks were run. GitHub turns %0A into a line break.
    """
    assert annotation.render(REPORTS["halves"]) == ""
    for report in (
        with_problem(f"not read: {NASTY}\r\n::error::%0A%0D::warning::no"),
        report_with(Outcome.GRADER_ERROR, f"{NASTY}%0A"),
    ):
        (line,) = annotation.render(report).splitlines()
        assert re.match("::error title=(No points|Not graded)::", line)
        assert not re.search(r"##\w*\[|%(?!25)|[^ -~\ufffd]", line)


def test_notes_are_said():
    """A note on a cell that was left out is shown even if all checks were run."""
    report = with_problem(None)
    assert gradescope.render(report).count(NOTE) == 2  # for the student and for staff
    assert markdown.render(report).startswith(f"```text\nnote: {NOTE}\n```\n")
    assert len(json.loads(gradescope.render(report))["tests"]) == 2 * len(EXERCISES)


@pytest.mark.parametrize("problem", [PROBLEM, None])
def test_terminal_says_it_first(problem):
    """The terminal's output begins with the problem of the hand-in.

    If there is no problem, the output begins with the note.
    """
    console = Console(width=80, record=True, file=io.StringIO())
    terminal.print_report(with_problem(problem), console, [])
    text = console.export_text()
    lines = [line for line in text.splitlines() if line]
    assert lines[0] == (
        "not imported: ModuleNotFoundError: No module named 'torch'; dqn.py, line 3"
        if problem
        else f"note: {NOTE}"
    )
    assert ("✓" in text) == (not problem)
    assert all(f"{number} {name} " in text for number, name in enumerate(EXERCISES, 1))
    assert ("Next: mend what stands at the top" in text) == bool(problem)


def test_gradescope_tells_what_the_report_does():
    """Gradescope shows each check as a test with number, points, message and hint."""
    document = json.loads(gradescope.render(REPORTS["halves"]))
    assert document["score"] == 28.5
    assert document["extra_data"] == {
        **{"graded": True, "seed": "1", "name": "alice", "sha256": "0" * 64}
    }
    assert document["output"] == "seed 1 · sandbox bwrap · cpu"
    test = document["tests"][5]
    assert (test["number"], test["status"], test["score"]) == ("3.2", "failed", 0)
    assert test["output"] == "loss: obtained 2, expected 1\n→ A hint.\n→ More."
    assert test["max_score"] == 7.5
    assert document["tests"][0]["status"] == "passed"


def test_whole_numbers_for_classroom50():
    """Classroom 50 gets whole points whose sum is the rounded score.

    A check with full points keeps full points, and a check with 0 points keeps 0.
    """
    document = json.loads(classroom50.render(REPORTS["halves"], RUNNER))
    assert document["score"] == 29  # 28.5, rounded
    scores = [test["score"] for test in document["tests"]]
    assert scores[1] == 0
    assert scores[4] == 10
    assert [test["passed"] for test in document["tests"]] == [False] * 4 + [True]


def test_classroom50_takes_what_its_runner_sets():
    """Without OWNER and REVIEW_URL, the variables USERNAME and COMMIT_URL are used."""
    names = {**RUNNER, "OWNER": "", "REVIEW_URL": "", "USERNAME": "bob"}
    document = valid(classroom50.render(REPORTS["halves"], names), CLASSROOM50)
    assert (document["owner"], document["review"]) == ("bob", RUNNER["COMMIT_URL"])


def test_markdown_summary():
    """The Markdown summary has the score, a row per exercise, and hints."""
    text = markdown.render(REPORTS["halves"])
    assert text.startswith("## Score 28.5 / 50\n")
    assert "| 3 | `q_network` | 2.5 / 10 |" in text
    assert text.count("→ A hint.") == 4
    assert "\n### 4 `epsilon_greedy` 7.5 / 10\n" in text
    assert "### 5" not in text


def test_markdown_tells_a_mistake_before_a_stub():
    """In the Markdown summary, a stub is not judged, and a mistake after it is told."""
    report = report_of(2.5)
    stub, wrong = report.exercises[0].checks
    stub.outcome, stub.score, stub.max_score = Outcome.FAILED, 0.0, 2.5
    stub.message = "not implemented yet"
    text = markdown.render(report)
    assert "– It is right (0 / 2.5)" in text
    assert "✗ It is fast (0 / 7.5)" in text
    assert "not implemented" not in text
    assert wrong.message in text
    assert "→ A hint." in text


def test_markdown_wraps_long_lines():
    """GitHub does not wrap the lines of a block, so long ones are wrapped at spaces."""
    report = report_of(2.5)
    report.exercises[0].checks[1].message = "it is  wrong " * 20 + "\n a  table"
    lines = markdown.render(report).split("### 1")[1].splitlines()
    block = lines[lines.index("```text") + 1 : lines.index("```")]
    assert 80 < max(map(len, block)) <= 100
    assert " a  table" in block


@pytest.mark.parametrize(
    "outcome", [outcome for outcome in Outcome if outcome != Outcome.PASSED]
)
def test_text_of_strangers_gives_no_orders(outcome):
    """Text of a hand-in adds no control character, CI command or markup to a report.

    This holds for each format.
    """
    report = report_with(outcome, NASTY)
    told = json.loads(gradescope.render(report))
    texts = [f"{t['name']}\n{t['output']}" for t in told["tests"]] or [told["output"]]
    xml, summary = junit.render(report), markdown.render(report)
    for text in (*texts, xml):
        assert not re.search(r"^\s*::", text, re.M)
    for text in (*texts, xml, summary):
        assert all(c.isprintable() or c == "\n" for c in text)
    parts = re.split(r"^(`{3,})text\n(?:.*\n)*?\1$", summary, flags=re.M)
    outside = "\n".join(parts)
    assert "<script>" not in outside
    assert outside.count("# Score") == (outcome != Outcome.GRADER_ERROR)
    cases = ET.fromstring(xml).iter("testcase")
    assert {e.tag for case in cases for e in case} <= {"failure", "error", "skipped"}


def test_report_is_read_as_it_was_saved(tmp_path):
    """`load` returns the report that `save` has written."""
    for report in filter(None, REPORTS.values()):
        saved = load(report.save(str(tmp_path)))
        assert saved is not None
        assert saved.as_json() == report.as_json()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"schema": 1, "exercises": [{"name": "x"}]}',
        "\x00",
        "1",
    ],
)
def test_no_whole_report_is_none(tmp_path, text):
    """`load` returns None for a file that is missing, cut short, or no report."""
    path = tmp_path / "report.json"
    assert load(path) is None
    path.write_text(text)
    assert load(path) is None
    whole = REPORTS["right"].as_json()
    path.write_text(whole[: len(whole) // 2])
    assert load(path) is None


def convert(monkeypatch, *words: object) -> int:
    """Run `python -m grader convert` with the variables `RUNNER`; return the exit code.

    Args:
        monkeypatch: the fixture.
        words: the arguments of the command.
    """
    for name, value in RUNNER.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["grader", "convert", *map(str, words)])
    monkeypatch.setattr(cli, "hide_memory", lambda: None)
    return cli.main()


@pytest.mark.parametrize("form", cli.FORMATS)
def test_convert(monkeypatch, tmp_path, capsys, form):
    """`convert` writes a report in each format, to a file or to standard output.

    If the report is missing, the written file says "Not graded".
    """
    out = tmp_path / "out"
    report = REPORTS["halves"].save(str(tmp_path))
    assert convert(monkeypatch, tmp_path / "no.json", "--to", form, "--out", out) == 0
    before = out.read_text()
    assert "ot graded" in before
    assert convert(monkeypatch, report, "--to", form, "--out", out) == 0
    if form == "annotation":
        assert out.read_text() == ""
    else:
        assert "q_network" in out.read_text()
    assert convert(monkeypatch, report, "--to", form) == 0
    printed = capsys.readouterr().out
    assert without_time(printed) == without_time(out.read_text())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "report.json"]


def without_time(text: str) -> str:
    """Return the text without dates and times."""
    return re.sub(r"\d+-\d\d-\d\dT[\d:]+Z", "", text)


def test_convert_says_what_is_wrong(monkeypatch, tmp_path, capsys):
    """If --out or a variable is wrong or missing, `convert` ends with exit code 2."""
    out = tmp_path / "no" / "folder"
    assert convert(monkeypatch, tmp_path, "--to", "junit", "--out", out) == 2
    assert "error: --out" in capsys.readouterr().err
    monkeypatch.setitem(RUNNER, "SUBMISSION_TAG", "main")
    assert convert(monkeypatch, tmp_path, "--to", "classroom50") == 2
    assert "SUBMISSION_TAG" in capsys.readouterr().err
    monkeypatch.setitem(RUNNER, "SUBMISSION_TAG", "")
    assert convert(monkeypatch, tmp_path, "--to", "classroom50") == 2
    assert "SUBMISSION_TAG not set" in capsys.readouterr().err
