"""A check's outcome follows from the answers of the hand-in, which is a fake here."""

import contextlib
from collections.abc import Callable, Iterator

import hypothesis
import numpy as np
import pytest

from grader.contract.case import Answer, Case
from grader.contract.limits import Limits
from grader.contract.outcomes import (
    NOT_IMPLEMENTED,
    RUN_USED_UP,
    WAITS_FOR_ABOVE,
    GraderError,
    Killed,
    NotImplementedYet,
    Outcome,
    Raised,
    TimedOut,
    UsedUp,
    Waiting,
    Wrong,
)
from grader.diagnosis.diagnose import Diagnosis
from grader.grading.consistency import DIFFERS
from grader.grading.passes import Graded, Pass, outcome_of
from grader.grading.pipeline import Options, Progress, cut_short, run_passes
from grader.grading.plugin import run_checks
from grader.oracle.budget import Budget
from grader.oracle.known import Known

EXERCISE = "update_Q_TD0"
FIRST = "one_step_continues"
Answering = Callable[[Case], Answer]


class Fake:
    """A fake candidate or reference whose answers come from a function.

    Args:
        answering: function of a case that returns an answer or raises an exception.
        again: the function for the consistency pass; None for the same function.
        is_called: whether no part can be exported.
    """

    eager = False
    runner = None

    def __init__(
        self,
        answering: Answering,
        again: Answering | None = None,
        *,
        is_called: bool = False,
    ) -> None:
        self.answering, self.again = answering, again or answering
        self.is_called = lambda case: is_called
        self.stopped: set[str] = set()

    def answer(self, case: Case) -> Answer:
        """Return the function's answer, as if a program had computed it."""
        return self.answering(case)

    def called(self, case: Case, *, watched: str = "", look: object = None) -> Answer:
        """Return the function's answer, as if a call had computed it."""
        return self.answering(case)

    def changed(self, case: Case, kind: str) -> list[str]:
        """Return an empty list, because no argument was changed."""
        return []

    def export(self, case: Case) -> str:
        """Return a program's name, as if the part were exported."""
        return case.program_name()

    @contextlib.contextmanager
    def in_fresh_process(self) -> Iterator["Fake"]:
        """Yield a candidate that answers by the function `again`."""
        yield Fake(self.again)


def right(case: Case) -> Answer:
    """Return the right answer to a case.

    It is the unchanged table Q, or flags of which only the last is true.
    """
    if case.part == "episode_terminateds":
        steps = case.spec["num_steps"]
        return Answer(terminateds=np.arange(steps) == steps - 1)
    return Answer(Q=case.args["Q"])


def wrong(case: Case) -> Answer:
    """Return a wrong answer to a case: the table Q + 1, or flags that are all true."""
    if case.part == "episode_terminateds":
        return Answer(terminateds=np.ones(case.spec["num_steps"], bool))
    return Answer(Q=case.args["Q"] + 1)


def raising(error: BaseException) -> Answering:
    """Return a function for `Fake` that raises this exception."""

    def answer(case: Case) -> Answer:
        raise error

    return answer


def graded(student: Fake, **others) -> Graded:
    """Return the `Graded` of a candidate; its fake reference answers by `right`.

    Args:
        student: the candidate.
        others: further fields of `Graded`.
    """
    return Graded(
        student=student,
        reference=Fake(right),
        runner=None,
        budget=Budget(),
        seed="1",
        **others,
    )


def checks_of(student: Fake, **others) -> dict:
    """Run the checks of `EXERCISE` once; return the checks by name.

    Args:
        student: the candidate.
        others: further fields of `Graded`.
    """
    (exercise,) = run_checks(Pass(graded(student, **others)), [EXERCISE])
    assert exercise.name == EXERCISE
    return {check.name: check for check in exercise.checks}


OUTCOMES = {
    Outcome.FAILED: Wrong("that is wrong", "look there"),
    Outcome.ERROR: Raised("update_Q_TD0: TypeError: no"),
    Outcome.TIMEOUT: TimedOut("no answer within 15 s"),
    Outcome.KILLED: Killed("the process died"),
    Outcome.SKIPPED: Waiting("waits for another part"),
    Outcome.GRADER_ERROR: ValueError("our mistake"),
}


@pytest.mark.parametrize("outcome", OUTCOMES, ids=str)
def test_exception_becomes_outcome(outcome):
    """A check that raises an exception gets its outcome and message, and 0 points."""
    error = OUTCOMES[outcome]
    check = checks_of(Fake(raising(error)))[FIRST]
    ours = outcome == Outcome.GRADER_ERROR
    assert (check.outcome, check.score, check.max_score) == (outcome, 0.0, 2.0)
    assert check.message == (repr(error) if ours else str(error))
    assert check.hint == getattr(error, "hint", None)
    assert check.diagnosis is None


def test_fewer_cases_are_drawn_for_calls():
    """A check draws 15 cases, but 5 for a part that cannot be exported."""

    def asked(*, is_called: bool) -> int:
        steps = []

        def answer(case: Case) -> Answer:
            if "states" in case.args:
                steps.append(case.args["terminateds"].tolist())
            return right(case)

        assert checks_of(Fake(answer, is_called=is_called))[FIRST].score > 0
        return steps.count([False])  # the questions of `FIRST`

    assert asked(is_called=False) - asked(is_called=True) == 10


def test_a_fault_of_a_diagnosis_is_told(monkeypatch):
    """A fault of ours in a diagnosis changes no outcome, and a note tells it."""

    def diagnosed(*_: object) -> None:
        raise KeyError("slot")

    monkeypatch.setattr("grader.grading.diagnoses.diagnose", diagnosed)
    books = graded(Fake(wrong))
    (exercise,) = run_checks(Pass(books), [EXERCISE])
    assert exercise.checks[0].outcome == Outcome.FAILED
    assert books.faults[0] == (
        "the grader has no diagnosis of update_Q_TD0: KeyError('slot'); please tell "
        "the course staff"
    )


def test_right_answers_pay():
    """A check with right answers passes and pays; checks that wait for it run."""
    checks = checks_of(Fake(right))
    for name in (FIRST, "revisits", "pure", "episode_terminateds"):
        check = checks[name]
        assert (check.outcome, check.message) == (Outcome.PASSED, "")
        assert check.score == check.max_score > 0
    assert checks[FIRST].description.startswith("One step: the target")


def test_wrong_answers_say_what_came_back():
    """A failed check shows the obtained values; checks that wait for it are skipped."""
    checks = checks_of(Fake(wrong))
    assert checks[FIRST].outcome == Outcome.FAILED
    assert "obtained" in checks[FIRST].message
    assert checks["pure"].outcome == Outcome.SKIPPED
    assert checks["pure"].message == WAITS_FOR_ABOVE


def test_stub():
    """If a part is a stub, its check fails with the message "not implemented yet"."""
    check = checks_of(Fake(raising(NotImplementedYet(EXERCISE))))[FIRST]
    assert (check.outcome, check.message) == (Outcome.FAILED, NOT_IMPLEMENTED)


def test_unstable_answers():
    """If two answers to the same case differ, the outcome is failed."""
    outcome, message = outcome_of(hypothesis.errors.Flaky("…"))
    assert outcome == Outcome.FAILED
    assert message == "the answers to identical questions differ"


def test_problem_of_the_hand_in_is_every_checks():
    """If the import fails, each check has the import's outcome and asks no case."""
    checks = checks_of(Fake(raising(AssertionError)), problem=Raised("no import"))
    assert {(c.outcome, c.message) for c in checks.values()} == {
        (Outcome.ERROR, "no import")
    }


def test_trouble_ends_the_run():
    """A GraderError in a check ends the whole run at once."""
    asked = []

    def answer(case: Case) -> Answer:
        asked.append(case)
        raise GraderError("the worker does not start")

    with pytest.raises(GraderError, match="the worker does not start"):
        checks_of(Fake(answer))
    assert len(asked) == 1


def test_interrupt_ends_the_run():
    """Ctrl-C ends the run and is not booked as the outcome of a check."""
    with pytest.raises(KeyboardInterrupt):
        checks_of(Fake(raising(KeyboardInterrupt())))


def test_no_time_left():
    """If no time is left for the whole run, all further checks are timeouts."""
    books = graded(Fake(right))
    books.budget = Budget(Limits(run_seconds=-1.0))
    (exercise,) = run_checks(Pass(books), [EXERCISE])
    assert {check.outcome for check in exercise.checks} == {Outcome.TIMEOUT}
    assert "used up the time of the whole run" in exercise.checks[0].message
    assert cut_short([exercise]) == [
        f"{RUN_USED_UP}: checks not judged: {len(exercise.checks)}"
    ]


def passes(student: Fake, *exercises: str, twice: bool = True) -> tuple[list, list]:
    """Run the first pass and the consistency pass.

    Args:
        student: the candidate.
        exercises: names of the exercises.
        twice: False to leave the consistency pass out.

    Returns:
        The results of the exercises.
        The checks that were run, in order: pairs (name of exercise, name of check).
    """
    turns: list[tuple[str, str]] = []
    options = Options("1", exercises, twice=twice)
    progress = Progress(on_check=lambda *turn: turns.append(turn))
    return run_passes(graded(student), options, progress), turns


def test_collected_once_and_asked_again_backwards(monkeypatch):
    """Pytest is started once; the consistency pass runs the checks in reverse order."""
    runs = []
    main = pytest.main

    def counted(*args, **kwargs):
        runs.append(args)
        return main(*args, **kwargs)

    monkeypatch.setattr(pytest, "main", counted)
    results, turns = passes(Fake(right), EXERCISE, "sync_target")
    assert len(runs) == 1
    assert [exercise.name for exercise in results] == [EXERCISE, "sync_target"]
    half = len(turns) // 2
    assert turns[half:] == turns[:half][::-1]


def test_second_pass_withdraws():
    """A check that passed loses its points if the consistency pass gets wrong answers.

    The consistency pass asks a fresh process.
    """
    ((once,), _) = passes(Fake(right, wrong), EXERCISE, twice=False)
    ((twice,), _) = passes(Fake(right, wrong), EXERCISE)
    assert once.score > 0
    assert twice.score == 0
    was = {check.name for check in once.checks if check.outcome == Outcome.PASSED}
    for check in twice.checks:
        assert check.outcome != Outcome.PASSED
        assert (DIFFERS in check.message) == (check.name in was)


def test_second_pass_without_an_answer():
    """A check without an answer in the consistency pass takes the outcome of this pass.

    The message says that the part was asked again.
    """
    ((exercise,), _) = passes(Fake(right, raising(Killed("it died"))), EXERCISE)
    check = next(c for c in exercise.checks if c.name == FIRST)
    assert check.outcome == Outcome.KILLED
    assert check.message == "asked again by a fresh process:\nit died"


@pytest.mark.parametrize("error", [TimedOut("late"), UsedUp("none left")])
def test_part_that_hangs_is_not_asked_again(error):
    """The consistency pass runs no check that got no answer in the first pass."""
    hangs = Fake(raising(error))
    asked = []
    hangs.again = lambda case: asked.append(case) or Answer(Q=None)
    passes(hangs, EXERCISE)
    assert {case.part for case in asked} <= {"episode_terminateds"}


def test_diagnosis_comes_after_the_second_pass(monkeypatch):
    """A part that has failed a check is diagnosed once, after the consistency pass."""
    events: list[str] = []

    def diagnosed(part: str, *_: object) -> Diagnosis:
        events.append(part)
        return Diagnosis("a-mistake", "look here")

    monkeypatch.setattr("grader.grading.diagnoses.diagnose", diagnosed)
    student = Fake(wrong, lambda case: events.append("again") or wrong(case))
    books = graded(student, known=Known({EXERCISE: {}}, {EXERCISE: []}))
    options = Options("1", (EXERCISE,), twice=True)
    (exercise,) = run_passes(books, options, Progress())
    assert events.index(EXERCISE) > len(events) - 1 - events[::-1].index("again")
    assert events.count(EXERCISE) == 1
    check = next(check for check in exercise.checks if check.name == FIRST)
    assert (check.diagnosis, check.hint) == ("a-mistake", "look here")
