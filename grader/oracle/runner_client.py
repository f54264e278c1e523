"""Control a runner from the trusted side: send requests, keep deadlines, restart it."""

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
from grader.oracle.faults import part_name
from grader.oracle.starting import ready_first, start_child, start_first
from grader.sandbox import helper
from grader.sandbox.output import Output

# The message if the runner fails after the hand-in has run. The runner worked before
# the hand-in ran, so the hand-in is the cause.
NOT_IN_TIME = (
    "the grader's own process {}. Before dqn.py ran it worked: does dqn.py start "
    "processes that keep the machine busy, or use up its memory?"
)


@dataclass(frozen=True)
class Program:
    """A program: a part of the hand-in as exported StableHLO.

    Attributes:
        code: the serialised program, uint8 [n].
        printed: what the hand-in printed during the export.
    """

    code: np.ndarray
    printed: Output


class RunnerClient:
    """A client that sends requests to a runner or a learner.

    If the process has ended, the next request starts a new one.

    Args:
        role: "runner" or "learner".
        tier: the tier of the sandbox.
        budget: the time that the hand-in may still take.
        programs: the hand-in's exported programs by name. The runner and the learner
            of one grading share this dict.
        device: "cpu" or "gpu".
    """

    def __init__(
        self,
        role: str,
        tier: str,
        budget: Budget,
        programs: dict[str, Program],
        *,
        device: str = "cpu",
    ) -> None:
        self.role = role
        self.tier, self.budget, self.device = tier, budget, device
        self.programs = programs
        self.child: helper.Child | None = start_first(role, self.start)
        self.loaded: set[str] = set()

    def start(self) -> helper.Child:
        """Start a new process, which has no programs yet, and return it.

        Raises:
            helper.Failure: the system cannot start the process.
        """
        limits = self.budget.limits
        return start_child(self.role, self.tier, limits, device=self.device)

    def ready(self) -> None:
        """Wait until the first process is ready, before the hand-in runs.

        Raises:
            GraderError: the process ended or was too slow.
        """
        if self.child:
            ready_first(self.role, self.child)

    def trusted(self, **request: Any) -> Args:
        """Return the answer to a request that runs no program of the hand-in.

        If the request fails or gets no answer, and the process has loaded programs of
        the hand-in, the request is sent once more, to a new process.

        Args:
            request: `do` is the name of an operation; all other keyword arguments are
                the operation's arguments. See `inside/runner.py`.

        Raises:
            GraderError: the request failed, which is a fault of the grader.
            TimedOut, Killed: no answer came. This counts as a fault of the hand-in,
                because the runner worked before the hand-in ran.
        """
        used = bool(self.loaded)
        try:
            return self.ask_trusted(request)
        except UsedUp:
            raise
        except (GraderError, Stopped):
            if not used:
                raise
            # Programs of the hand-in ran in the old process, and may have used up its
            # memory. So the request is sent again, to a new process.
            return self.ask_trusted(request)

    def ask_trusted(self, request: Args) -> Args:
        """Send a request that runs no program of the hand-in, and return the answer.

        Args:
            request: the operation's name under the key "do", and the operation's
                arguments; see `inside/runner.py`.

        Raises:
            GraderError: the request failed.
            TimedOut, Killed: no answer came.
        """
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
        """Return the answer to a request that runs the hand-in's programs.

        Args:
            request: the operation's name under the key "do", and the operation's
                arguments; see `inside/runner.py`. Programs that the request names must
                be loaded already.
            what: the part that is asked, for messages.
            seconds: the time limit in seconds; None for `call_seconds` of the limits.
            on_question: function that answers a question of a learner; question and
                answer are dicts. A learner asks questions while it works on the
                request. None for a runner, which asks nothing.

        Raises:
            Wrong, Raised, TimedOut, Killed: the program gave no answer.
        """
        seconds = seconds or self.budget.limits.call_seconds
        self.budget.left()  # if no time is left, raises before a process is started
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
            self.stop()  # `on_question` failed, and the process waits for its reply
            raise
        if "error" in message:
            error = message["error"]
            words = plain(error.get("message"), 500)
            kind = Wrong if error.get("kind") == "program" else Raised
            raise kind(f"{what}: {words}")
        return message["answer"]

    def load(self, name: str, case: Case) -> None:
        """Load an exported program into the process, unless it is already loaded there.

        Args:
            name: the program's name in `programs`.
            case: a case that the program can answer.

        Raises:
            Wrong, Raised, TimedOut, Killed: the program cannot be loaded.
        """
        if name not in self.loaded:
            request = {"do": "load", "name": name, "program": self.programs[name].code}
            self.untrusted({**request, "args": case.blank()}, part_name(case))
            self.loaded.add(name)

    def running(self) -> helper.Child:
        """Wait until the process is ready, and return it.

        If no process is running, a new one is started.

        Raises:
            UsedUp: the whole run has no time left for a start.
            Killed: the process does not become ready.
        """
        try:
            if self.child:
                self.child.ready()
                return self.child
            seconds = self.budget.left_of_run()
            with self.budget.spending():  # the restart counts as time of the hand-in
                self.child = self.start()
                self.child.ready(seconds)
        except helper.Failure:
            self.child = None
            self.budget.left_of_run()  # perhaps the start was only cut off
            raise Killed(NOT_IN_TIME.format("cannot be started again")) from None
        return self.child

    def stop(self) -> None:
        """End the process; the next request starts a new one."""
        if self.child:
            self.child.stop()
        self.child = None
        self.loaded = set()
