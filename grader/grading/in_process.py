"""Grade one exercise in the grader's own process, for `INPROCESS=1`.

Students use this for debugging: `breakpoint()` works, printed lines appear, and arrays
hold numbers, not tracers, except in a check whether a part works under `jax.jit`. The
hand-in is not confined, so the result does not count.
"""

import bdb
import contextlib
import math
from collections.abc import Iterator
from typing import Any

from grader.contract.case import Args, Case, Look
from grader.contract.exercises import LEARNING
from grader.contract.limits import Limits
from grader.contract.outcomes import Raised, UsageError, Wrong
from grader.grading import pipeline
from grader.grading.passes import Graded, Pass
from grader.grading.plugin import run_checks
from grader.intake.submission import Submission
from grader.oracle.budget import Budget
from grader.oracle.candidate import Candidate
from grader.oracle.faults import IMPORTING, part_name, reason_of
from grader.oracle.reference import Reference, load_programs
from grader.oracle.runner_client import Program
from grader.oracle.worker_client import Reply
from grader.report.model import Report
from grader.sandbox.helper import Question
from grader.sandbox.output import Output

SANDBOX = "none: in-process, does not count"
UNBOUNDED = Limits(run_seconds=math.inf)  # because a person at a debugger is slow


class LocalWorker:
    """A worker in the grader's own process, with the methods of `WorkerInterface`.

    Args:
        submission: the hand-in, read from a Python file. It is imported at once.

    Raises:
        UsageError: the hand-in was not read, is not a Python file, or its import
            failed.
    """

    def __init__(self, submission: Submission) -> None:
        from grader.inside import worker

        self.budget = Budget(UNBOUNDED)
        self.printed: dict[str, Output] = {}  # empty, because the terminal shows all
        self.loaded = True
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

    def ask(
        self,
        request: Args,
        what: str,
        seconds: float | None = None,
        look: Look | None = None,
    ) -> Reply:
        """Return the hand-in's reply to a request; the reply has no printed output.

        Args:
            request: `do` and its arguments, see `inside/worker.py`.
            what: name of the part that is asked, for messages.
            seconds: ignored, because a person at a debugger needs time.
            look: ignored.

        Raises:
            KeyboardInterrupt: the student has quit the debugger.
            Raised: the hand-in's code has raised an exception.
            Wrong: the part is a stub or missing, or its result has a wrong structure.
            Waiting: the part calls another part that is a stub.
        """
        try:
            return Reply(self.worker.handle(**request), Output())
        except bdb.BdbQuit:
            raise KeyboardInterrupt from None
        except (Exception, SystemExit) as error:
            raise reason_of(self.describe_error(error), what) from error

    def book(self, stage: str, output: Output) -> None:
        """Do nothing: the terminal has already shown what the hand-in printed."""

    def renew(self) -> None:
        """Do nothing: under `INPROCESS=1` the checks run only once."""


class LocalRunner:
    """A runner in the grader's own process, with the methods of `RunnerInterface`."""

    device = "cpu"

    def __init__(self) -> None:
        from grader.inside import runner

        self.budget = Budget(UNBOUNDED)
        self.programs: dict[str, Program] = {}
        self.runner = runner.Runner()

    def trusted(self, **request: Any) -> Args:
        """Return the answer to a request that runs no program of the hand-in.

        Args:
            request: `do` and its arguments, see `inside/runner.py`.
        """
        return self.runner.handle(**request)

    def untrusted(
        self,
        request: Args,
        what: str,
        seconds: float | None = None,
        on_question: Question | None = None,
    ) -> Args:
        """Return the answer to a request that runs the hand-in's programs.

        Args:
            request: `do` and its arguments, see `inside/runner.py`.
            what: name of the part that is asked, for messages.
            seconds: ignored.
            on_question: ignored.

        Raises:
            Wrong: the program is not allowed, or its answer has another form.
            Raised: the program has failed.
        """
        with blamed(what):
            return self.runner.handle(**request)

    def load(self, name: str, case: Case) -> None:
        """Load an exported program of the hand-in into the runner.

        Args:
            name: the program's name in this object's `programs`.
            case: a case that the program can answer.

        Raises:
            Wrong: the program is not allowed.
            Raised: the program cannot be loaded.
        """
        program = self.programs[name].code
        with blamed(part_name(case)):
            self.runner.do_load(name, program, case.blank())


@contextlib.contextmanager
def blamed(what: str) -> Iterator[None]:
    """Turn an exception of a hand-in's program into one that ends a check, in a block.

    Args:
        what: name of the part that is asked, for messages.

    Raises:
        Wrong: the program is not allowed, or its answer has another form.
        Raised: the program has failed.
    """
    from grader.inside import programs, values

    try:
        yield
    except (programs.BadProgram, values.ContractError) as error:
        raise Wrong(f"{what}: {error}") from error
    except Exception as error:
        raise Raised(f"{what}: {type(error).__name__}: {error}") from error


def grade(submission: Submission, options: pipeline.Options) -> Report:
    """Grade one exercise in the grader's own process and return the report.

    Args:
        submission: the hand-in, read from a Python file.
        options: `only` has the exercise's name, and `seed` the run's seed; all other
            options are ignored.

    Raises:
        UsageError: `only` does not have exactly one name, or the name is "learning".
            Or the hand-in was not read, is not a Python file, or its import failed.
        GraderError: the grader itself failed.
    """
    if len(options.only) != 1 or LEARNING in options.only:
        raise UsageError(
            "INPROCESS=1 debugs one exercise: add ONLY=td_loss or another "
            "(for learning there is `make train`)"
        )
    worker, runner = LocalWorker(submission), LocalRunner()
    graded = Graded(
        student=Candidate(worker, runner, eager=True),
        reference=Reference(runner, load_programs()),
        runner=runner,
        budget=worker.budget,
        seed=options.seed,
    )
    results = run_checks(
        Pass(graded), options.exercises, lambda exercise, check: print(f"· {check}")
    )
    return Report(
        seed=options.seed,
        sandbox=SANDBOX,
        device="cpu",
        submission=pipeline.about(submission, None),
        exercises=results,
    )
