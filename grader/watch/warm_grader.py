"""Grade one exercise of one text after another, with helper processes kept ready.

A text is what the student's file held at one save. Each text gets a fresh worker, so
nothing of an older text is left in its process. The worker is started in advance, while
the student still writes. The runner serves many texts: it sees programs only, and those
of an older text are never run again.
"""

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from grader.contract import fixed_cases
from grader.contract.case import Answer
from grader.contract.outcomes import GraderError
from grader.grading.diagnoses import diagnose_exercise
from grader.grading.passes import Graded, Pass
from grader.grading.pipeline import (
    Options,
    check_device,
    not_imported,
    why_not_imported,
)
from grader.grading.plugin import Checks
from grader.intake.submission import Submission
from grader.oracle.budget import Budget
from grader.oracle.candidate import Candidate
from grader.oracle.reference import Reference, load_known, load_programs
from grader.oracle.starting import no_start
from grader.oracle.warm import RENEWED_AFTER, WarmRunner, WarmWorker
from grader.report.model import Exercise
from grader.sandbox import helper, launch, tiers

# The question that a new worker is asked before it gets a hand-in. JAX then loads and
# compiles what most hand-ins need. The grader's stand-in answers the question.
WARM_UP = fixed_cases.TD_MIXED.fixed[0].replace(
    spec={"stand_in": True, "gradient": False}
)
GRACE_SECONDS = 2.0  # for the runner to end its request after an interruption


@dataclass
class Verdict:
    """The results of grading one exercise for one saved text of the hand-in.

    Attributes:
        exercise: the results of the checks that have run.
        whole: whether all checks of the exercise have run.
        problem: why the text was not read or not imported; "" if it was.
        notes: sentences on which file was read, and on what was left out.
        printed: what the hand-in printed, as in `Report.printed`.
    """

    exercise: Exercise
    whole: bool = False
    problem: str = ""
    notes: list[str] = field(default_factory=list)
    printed: list[dict[str, Any]] = field(default_factory=list)


class WarmGrader:
    """Grades texts in helper processes, which the end of its `with` block stops.

    Args:
        options: the options of the gradings; `only` is ignored.

    Attributes:
        look: function to call whenever a check starts. If a check has failed by then,
            it calls the argument `on_failure` of `grade`, once in each grading.
        budget: the time that the current text may take.

    Raises:
        GraderError: the tier in `options` does not work on this machine, or the runner
            or the first worker does not start.
        UsageError: the device is "gpu", and JAX with CUDA is not installed.
    """

    def __init__(self, options: Options) -> None:
        check_device(options.device)
        launch.remove_leftovers()
        self.options, self.tier = options, tiers.choose_tier(options.tier)
        self.programs, self.known = load_programs(), load_known()
        self.answers: dict[str, Answer] = {}  # the right answers, by `Case.digest`
        self.texts = 0
        self.idle = threading.Event()
        self.idle.set()
        self.budget = Budget(options.limits)
        self.look: Callable[[], None] = nothing  # called when a check starts
        device = options.device
        self.runner = WarmRunner("runner", self.tier, self.budget, {}, device=device)
        self.worker: WarmWorker | None = None
        self.used = False  # whether the worker has got a text
        try:
            self.prepare()
            self.runner.ready()
        except BaseException:
            self.stop()
            raise

    def prepare(self) -> None:
        """Start a worker for the next text, and wait until it has loaded JAX.

        After many texts, the runner starts anew, because each text leaves compiled
        programs in its memory.

        Raises:
            GraderError: the worker does not start.
        """
        if self.texts >= RENEWED_AFTER:
            self.runner.stop()
            self.answers.clear()
            self.texts = 0
        child = self.runner.child
        if child and child.process.poll() is not None:
            self.runner.stop()  # `interrupt` has killed it
        if self.runner.child is None:
            with contextlib.suppress(helper.Failure):  # the next request tries again
                self.runner.child = self.runner.start()
        if self.used and self.worker:
            self.worker.stop()
            self.worker, self.used = None, False
        if self.worker is None:
            self.worker = WarmWorker(Submission("", b""), self.tier, self.budget)
            self.worker.ready()
            warm_up(self.worker)

    def grade(
        self,
        checks: Checks,
        submission: Submission,
        name: str,
        on_failure: Callable[[Verdict], None],
    ) -> Verdict | None:
        """Grade one exercise of a text, as `make grade ONLY=…` does.

        Args:
            checks: the collected checks of exercises 1–8.
            submission: the hand-in; it has no `problem`.
            name: the exercise's name.
            on_failure: called once, with the first failure and its diagnosis, while
                further checks are still to run.

        Returns:
            The verdict; None if `interrupt` was called meanwhile.

        Raises:
            GraderError: the grader itself failed.
        """
        self.prepare()
        worker, self.texts = self.worker, self.texts + 1
        assert worker
        self.budget = Budget(self.options.limits)
        worker.take(submission, self.budget)
        self.runner.take(self.budget)
        self.idle.clear()
        try:
            graded = self.graded(worker)
            now = Pass(graded)
            if not graded.problem:
                self.look = lambda: self.tell_first(now, name, on_failure)
                checks.run(now, [name])
                self.look = nothing
                diagnose_exercise(now, name)
        finally:
            self.look = nothing
            self.used = True  # the worker ends in `prepare`, when the verdict is drawn
            self.idle.set()
        if self.interrupted:
            return None
        return Verdict(
            exercise=now.exercises.get(name, Exercise(name)),
            whole=not graded.problem,
            problem=not_imported(graded.problem) or "",
            notes=[*submission.notes, *worker.left_out, *graded.faults],
            printed=[each.as_dict(stage) for stage, each in worker.printed.items()],
        )

    def graded(self, worker: WarmWorker) -> Graded:
        """Let a worker import its hand-in; return the objects that the checks use.

        If the import fails, the attribute `problem` of the result is the exception.
        """
        return Graded(
            student=Candidate(worker, self.runner),
            reference=Reference(self.runner, self.programs, self.answers),
            runner=self.runner,
            budget=self.budget,
            seed=self.options.seed,
            problem=why_not_imported(worker),
            known=self.known,
        )

    def tell_first(
        self, now: Pass, name: str, on_failure: Callable[[Verdict], None]
    ) -> None:
        """Diagnose the first failure of a pass, if there is one, and call `on_failure`.

        The diagnosis is then removed from the pass again: if a later check gets no
        answer, the exercise must have no diagnosis.

        Args:
            now: the pass, with the checks that have run so far.
            name: the exercise's name.
            on_failure: the function to call, see `grade`.
        """
        if not now.failed.get(name):
            return
        self.look = nothing
        checks, spent = now.exercises[name].checks, dict(self.budget.spent)
        undiagnosed = [replace(check) for check in checks]
        diagnose_exercise(now, name)
        told = Verdict(Exercise(name, [replace(check) for check in checks]))
        for check, before in zip(checks, undiagnosed, strict=True):
            vars(check).update(vars(before))
        self.budget.spent = spent
        if not self.interrupted:
            on_failure(told)

    @property
    def interrupted(self) -> bool:
        """Return whether the grading of the current text was interrupted."""
        return self.budget.started < 0

    def interrupt(self) -> None:
        """End the running grading, if any; any thread may call this."""
        if self.idle.is_set():
            return
        self.budget.end()
        if self.worker and (child := self.worker.child):
            child.kill()
        # Only a program that hangs keeps the runner busy for longer.
        if not self.idle.wait(GRACE_SECONDS) and (child := self.runner.child):
            child.kill()

    def stop(self) -> None:
        """End all processes."""
        if self.worker:
            self.worker.stop()
        self.runner.stop()

    def __enter__(self) -> "WarmGrader":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def nothing() -> None:
    """Do nothing.

    `WarmGrader.look` is this function between gradings, and after the first failure.
    """


def warm_up(worker: WarmWorker) -> None:
    """Have a worker load JAX before it gets a hand-in, by asking it a question.

    The question is `WARM_UP`. The answers are not used.

    Raises:
        GraderError: the worker gave no answer.
    """
    question = {"part": WARM_UP.part, "spec": WARM_UP.spec, "args": WARM_UP.args}
    export = {"do": "export", **question, "platforms": ["cpu"]}
    call = {"do": "call", **question, "watched": "jax"}
    seconds, child = worker.limits.start_seconds, worker.child
    assert child
    try:
        for request in (export, call):
            child.ask({**request, "seconds": seconds}, seconds)
    except helper.Failure as failure:
        raise GraderError(no_start("worker", child, failure)) from None
