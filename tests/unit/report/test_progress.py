"""A run with ONLY keeps the other results of the last whole report on the same file."""

import json
from dataclasses import replace

import pytest

from grader.contract.exercises import EXERCISES, LEARNING
from grader.contract.outcomes import Outcome
from grader.report.formats.words import about_run
from grader.report.model import Check, Exercise, Report, load
from grader.report.progress import with_older


def report_on(
    *names: str,
    score: float,
    hand_in: str = "starter",
    seed: str = "1",
    text: str = "a",
) -> Report:
    """Return a report on some exercises; each has one check, with this score."""
    return Report(
        seed=seed,
        sandbox="bwrap",
        device="cpu",
        submission={"name": hand_in, "sha256": text},
        exercises=[
            Exercise(name, [Check(name, "", Outcome.PASSED, score, 5.0)])
            for name in names
        ],
        learning={"maze": {"mean_return": None, "curve": [score]}},
        printed=[{"exercise": n, "text": f"{score}", "dropped": 0} for n in names],
    )


WHOLE = report_on(*EXERCISES, score=1.0)


def test_the_exercise_is_new_and_the_others_are_older(tmp_path):
    """Only the graded exercise is new; the rest is marked, also in report.json.

    What was learned and printed belongs to the run from which the exercise is.
    """
    new = report_on("td_loss", score=4.0, seed="2")
    merged = with_older(new, load(WHOLE.save(str(tmp_path))))
    again = load(merged.save(str(tmp_path)))
    assert again == merged
    assert {e.name: (e.score, e.older) for e in again.exercises} == {
        name: (4.0, False) if name == "td_loss" else (1.0, True) for name in EXERCISES
    }
    assert (again.score, again.seed) == (4.0 + 8.0, "2")
    assert again.learning == WHOLE.learning
    others = ", ".join(name for name in EXERCISES if name != "td_loss")
    assert f"older, from earlier runs: {others}\n" in about_run(again)
    assert {p["exercise"]: p["text"] for p in again.printed} == {
        name: "4.0" if name == "td_loss" else "1.0" for name in EXERCISES
    }
    third = with_older(report_on(LEARNING, score=3.0), again)
    assert [e.name for e in third.exercises if not e.older] == [LEARNING]
    assert third.score == 3.0 + 4.0 + 7.0
    assert third.learning == {"maze": {"mean_return": None, "curve": [3.0]}}


def test_each_exercise_keeps_the_text_on_which_it_was_graded(tmp_path):
    """After several runs with ONLY, each result is known to be of its own text."""
    report = WHOLE
    for name, text in (("td_loss", "b"), ("q_network", "c"), ("sync_target", "b")):
        new = report_on(name, score=4.0, text=text)
        report = with_older(new, load(report.save(str(tmp_path))))
    texts = {e.name: e.sha256 for e in report.exercises if e.older}
    assert texts.pop("td_loss") == "b"
    assert texts.pop("q_network") == "c"
    assert {*texts.values()} == {"a"}
    current = [e.name for e in report.exercises if report.is_of_this_text(e)]
    assert current == ["td_loss", "sync_target"]
    again = with_older(report_on("monte_carlo", score=4.0), report)
    assert {e.name for e in again.exercises if not again.is_of_this_text(e)} == {
        *("td_loss", "q_network", "sync_target")
    }


def test_a_whole_report_has_no_older_results(tmp_path):
    """In the report on a run of all exercises, report.json does not speak of older."""
    assert "older" not in WHOLE.as_json()
    assert not any(e.older for e in load(WHOLE.save(str(tmp_path))).exercises)


FAULT = Check("b", "", Outcome.GRADER_ERROR, 0.0, 1.0, "a fault")


@pytest.mark.parametrize(
    "before",
    [
        None,
        report_on(*EXERCISES, score=1.0, hand_in="other"),
        report_on("sync_target", score=1.0),
        replace(WHOLE, exercises=[*WHOLE.exercises[:-1], Exercise(LEARNING, [FAULT])]),
        replace(WHOLE, submission={**WHOLE.submission, "problem": "not imported: x"}),
    ],
    ids=[
        "none",
        "another file",
        "one exercise",
        "a fault of the grader",
        "not imported",
    ],
)
def test_another_report_is_not_taken(before):
    """A last report without nine results of the same hand-in completes no new one."""
    new = report_on("td_loss", score=4.0)
    assert with_older(new, before) is new


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"score": 1', '"score": "much"'),
        lambda text: text.replace('"name": "starter"', '"way": 1'),
        lambda text: json.dumps([text]),
        lambda text: json.dumps({**json.loads(text), "submission": ["starter"]}),
        lambda text: json.dumps({**json.loads(text), "exercises": 3}),
        lambda text: json.dumps({**json.loads(text), "printed": ["x"]}),
    ],
)
def test_a_damaged_report_is_not_taken(tmp_path, damage):
    """If report.json is damaged, the new report stays as it is."""
    path = WHOLE.save(str(tmp_path))
    path.write_text(damage(path.read_text()))
    new = report_on("td_loss", score=4.0)
    assert with_older(new, load(path)) is new
