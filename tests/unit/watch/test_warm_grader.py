"""The first failure is told with its diagnosis, and the pass goes on unchanged."""

from types import SimpleNamespace

from grader.contract.outcomes import Outcome
from grader.oracle.budget import Budget
from grader.report.model import Check, Exercise
from grader.watch import warm_grader as module
from grader.watch.warm_grader import Verdict, WarmGrader


def test_the_first_failure_leaves_no_trace(monkeypatch):
    """A check that hangs later must leave the exercise without a diagnosis."""
    check = Check("f", "Wrong", Outcome.FAILED, 0, 5, "obtained 1", hint="its own hint")
    now = SimpleNamespace(
        failed={"td_loss": {"td_loss": [check]}},
        exercises={"td_loss": Exercise("td_loss", [check])},
    )
    grader = WarmGrader.__new__(WarmGrader)  # without processes
    grader.budget = Budget()
    grader.budget.spent["td_loss"] = 3.0

    def diagnose(now: SimpleNamespace, name: str) -> None:
        grader.budget.spent["td_loss"] = 40.0
        check.hint, check.reading = "¬d is missing", "Your code computes …"

    monkeypatch.setattr(module, "diagnose_exercise", diagnose)
    told: list[Verdict] = []
    grader.tell_first(now, "td_loss", told.append)
    (first,) = told
    assert not first.whole
    assert first.exercise.checks[0].hint == "¬d is missing"
    assert first.exercise.checks[0].reading == "Your code computes …"
    assert (check.hint, check.reading) == ("its own hint", None)
    assert grader.budget.spent == {"td_loss": 3.0}


def test_a_runner_that_was_killed_is_replaced():
    """The next text gets a new runner if an interruption has killed the last one."""
    grader = WarmGrader.__new__(WarmGrader)
    grader.texts, grader.used = 0, False
    grader.worker = SimpleNamespace()  # one that waits for a text
    grader.runner = Runner(SimpleNamespace(process=SimpleNamespace(poll=lambda: -9)))
    grader.prepare()
    assert grader.runner.child == "new"
    grader.runner = Runner(SimpleNamespace(process=SimpleNamespace(poll=lambda: None)))
    grader.prepare()
    assert grader.runner.child != "new"


class Runner:
    """A runner client that starts no process."""

    def __init__(self, child):
        self.child = child

    def stop(self):
        """End the process."""
        self.child = None

    def start(self):
        """Return a new process."""
        return "new"


def test_nothing_is_told_without_a_failure():
    told: list[Verdict] = []
    grader = WarmGrader.__new__(WarmGrader)
    grader.budget = Budget()
    grader.tell_first(SimpleNamespace(failed={}), "td_loss", told.append)
    assert told == []
