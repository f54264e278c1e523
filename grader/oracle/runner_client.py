"""The trusted end of the runner: have programs run, keep time, start it again."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.contract.case import Args, Case
from grader.contract.outcomes import (
    GraderError,
    Killed,
    Raised,
    Stopped,
    TimedOut,
    UsedUp,
    Wrong,
)
from grader.escape import plain
from grader.oracle.budget import Budget
from grader.oracle.faults import told
from grader.oracle.starting import ready_first, start_child, start_first
from grader.sandbox import helper
from grader.sandbox.output import Output

# Said where nothing but the hand-in can be the cause: before it ran, all was well.
NOT_IN_TIME = (
    "the grader's own process {}. Before dqn.py ran it worked: does dqn.py start "
    "processes that keep the machine busy, or use up its memory?"
)


@dataclass(frozen=True)
class Program:
    """A part as it was exported, and what the hand-in printed meanwhile."""

    code: np.ndarray
    printed: Output


class RunnerClient:
    """The clean process that runs programs, started again when one killed it.

    Args:
        role: "runner", or "learner" for one with the learning loop.
        tier: of the sandbox.
        budget: of time.
        programs: the hand-in's exported programs by name; may be shared.
        live: whether it holds the solution.
        device: "cpu" or "gpu".
    """

    def __init__(
        self,
        role: str,
        tier: str,
        budget: Budget,
        programs: dict[str, Program],
        *,
        live: bool = False,
        device: str = "cpu",
    ) -> None:
        self.role = role
        self.tier, self.budget, self.live, self.device = tier, budget, live, device
        self.programs = programs
        self.child: helper.Child | None = start_first(role, self.start)
        self.loaded: set[str] = set()

    def start(self) -> helper.Child:
        """Start a new process, no program in it yet.

        Raises:
            helper.Failure: the system does not let us.
        """
        limits = self.budget.limits
        return start_child(
            self.role, self.tier, limits, live=self.live, device=self.device
        )

    def ready(self) -> None:
        """Wait for its first process, before anything of the hand-in has run.

        Raises:
            GraderError: it does not come up.
        """
        if self.child:
            ready_first(self.role, self.child)

    def trusted(self, **request: Any) -> Args:
        """Ask for something in which the hand-in has no part.

        Raises:
            GraderError: it failed, and that is ours.
            TimedOut, Killed: no answer came, and only the hand-in can have kept it.
        """
        used = bool(self.loaded)
        try:
            return self.ask_trusted(request)
        except UsedUp:
            raise
        except (GraderError, Stopped):
            if not used:
                raise
            # Programs of the hand-in have run in there: they may have left no memory.
            return self.ask_trusted(request)

    def ask_trusted(self, request: Args) -> Args:
        """Ask once for something in which the hand-in has no part."""
        child = self.running()
        seconds = min(self.budget.limits.trusted_seconds, self.budget.left_of_run())
        try:
            message = child.ask(request, seconds)
        except helper.DeadlinePassed:
            self.stop()
            self.budget.left_of_run()
            late = f"gave no answer within {seconds:.0f} s"
            raise TimedOut(NOT_IN_TIME.format(late)) from None
        except helper.Died as death:
            self.stop()
            raise Killed(NOT_IN_TIME.format(death)) from None
        if "error" in message:
            self.stop()
            raise GraderError(f"the runner: {message['error'].get('message')}")
        return message["answer"]

    def untrusted(
        self,
        request: Args,
        what: str,
        seconds: float | None = None,
        on_question: helper.Question | None = None,
    ) -> Args:
        """Ask for something that runs the hand-in's programs, already loaded.

        Raises:
            Wrong, Raised, TimedOut, Killed: as the program behaved.
        """
        seconds = seconds or self.budget.limits.call_seconds
        self.budget.left()  # without any no process is started
        child = self.running()
        limit, seconds = seconds, min(seconds, self.budget.left())
        try:
            with self.budget.spending():
                message = child.ask(request, seconds, on_question)
        except helper.DeadlinePassed:
            self.stop()
            raise self.budget.late(what, limit) from None
        except helper.Died as death:
            self.stop()
            raise Killed(f"{what}: the program's process {death}") from None
        except BaseException:
            self.stop()  # a question of its own failed: it still waits for the reply
            raise
        if "error" in message:
            error = message["error"]
            words = plain(error.get("message"), 500)
            kind = Wrong if error.get("kind") == "program" else Raised
            raise kind(f"{what}: {words}")
        return message["answer"]

    def load(self, name: str, case: Case) -> None:
        """Load a program that was exported before, unless it is loaded already."""
        self.running()
        if name not in self.loaded:
            request = {"do": "load", "name": name, "program": self.programs[name].code}
            asked = {"args": case.blank(), "derivative": case.derivative}
            self.untrusted({**request, **asked}, told(case))
            self.loaded.add(name)

    def running(self) -> helper.Child:
        """Return the process, another one where a program has killed it.

        Raises:
            Killed: it does not come up.
        """
        try:
            if self.child is None:  # that takes the hand-in's time
                with self.budget.spending():
                    self.child = self.start()
                    self.child.ready()
            self.child.ready()
        except helper.Failure:
            self.child = None
            raise Killed(NOT_IN_TIME.format("cannot be started again")) from None
        return self.child

    def stop(self) -> None:
        """End the process; the next question starts another."""
        if self.child:
            self.child.stop()
        self.child = None
        self.loaded = set()
