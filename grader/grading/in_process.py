"""`INPROCESS=1`: one exercise in this very process, for a student's own debugging.

`breakpoint()` works, printed lines appear, and arrays hold values rather than tracers.
Nothing is confined here, so the result does not count.
"""

import bdb
import math
from typing import Any

from grader.contract.case import Answers, Args, Case
from grader.contract.exercises import SOLUTION
from grader.contract.limits import Limits
from grader.contract.outcomes import UsageError
from grader.grading import pipeline
from grader.grading.plugin import Graded, Plugin, run_checks
from grader.intake.submission import Submission
from grader.oracle.budget import Budget
from grader.oracle.candidate import Candidate, LiveReference
from grader.oracle.faults import IMPORTING, reason_of
from grader.oracle.recorded import RecordedReference
from grader.report.model import Report
from grader.sandbox.helper import Look, Question
from grader.sandbox.output import Output

SANDBOX = "none: in-process, does not count"


class LocalWorker:
    """Answers like `session.Worker`, by plain function calls."""

    budget = Budget(Limits(run_seconds=math.inf))  # a debugger takes its time
    output = Output()  # what is printed is seen

    def __init__(self, submission: Submission) -> None:
        from grader.inside import worker

        self.worker = worker.Worker()
        self.describe_error = worker.describe_error
        worker.prepare_jax()
        if submission.problem:
            raise UsageError(submission.problem)
        if submission.path is None:
            raise UsageError("INPROCESS=1 debugs a file: name your dqn.py itself")
        try:
            self.worker.load_text(submission.text, submission.path.resolve())
        except (Exception, SystemExit) as error:
            reason = reason_of(self.describe_error(error), IMPORTING)
            raise UsageError(str(reason)) from error

    def book(self, stage: str, output: Output) -> None:
        """Keep nothing."""

    def ask(
        self,
        request: Args,
        what: str,
        seconds: float | None = None,
        look: Look | None = None,
    ) -> Args:
        """Answer now; a debugger that is quit ends the run."""
        try:
            return self.worker.handle(**request)
        except bdb.BdbQuit:
            raise KeyboardInterrupt from None
        except (Exception, SystemExit) as error:
            raise reason_of(self.describe_error(error), what) from error


class LocalRunner:
    """Answers like `session.Runner`, by plain function calls."""

    device = "cpu"

    def __init__(self, *, live: bool) -> None:
        from grader.inside import runner

        self.programs: dict[str, Any] = {}
        self.runner = runner.Runner(SOLUTION if live else None)

    def trusted(self, **request: Any) -> Args:
        """Answer now."""
        return self.runner.handle(**request)

    def untrusted(
        self,
        request: Args,
        what: str,
        seconds: float | None = None,
        on_question: Question | None = None,
    ) -> Args:
        """Answer now."""
        return self.runner.handle(**request)

    def load(self, name: str, case: Case) -> None:
        """Load a program that was exported."""
        program = self.programs[name].code
        self.runner.do_load(name, program, case.blank(), case.derivative)


def grade(submission: Submission, options: pipeline.Options) -> Report:
    """Run one exercise's checks in this process.

    Raises:
        UsageError: not one exercise was named, or it cannot be run this way.
    """
    if len(options.only) != 1 or "learning" in options.only:
        raise UsageError(
            "INPROCESS=1 debugs one exercise: add ONLY=td_loss or another "
            "(for learning there is `make train`)"
        )
    mode = pipeline.choose_mode(options.mode)
    worker: Any = LocalWorker(submission)
    runner: Any = LocalRunner(live=mode == "live")
    reference: Answers = (
        LiveReference(runner) if mode == "live" else RecordedReference()
    )
    graded = Graded(
        student=Candidate(worker, runner, eager=True),
        reference=reference,
        runner=runner,
        budget=worker.budget,
        seed=options.seed,
        live=False,
    )
    plugin = Plugin(
        graded, lambda exercise, check: print(f"· {check}"), lambda exercise: None
    )
    results = run_checks(plugin, options.exercises)
    return Report(
        seed=options.seed,
        sandbox=SANDBOX,
        mode=mode,
        device="cpu",
        submission=pipeline.about(submission, None),
        exercises=results,
    )
