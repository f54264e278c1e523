"""What can come of a check, and the exceptions by which a check says so.

A check that returns has passed. The texts that a student reads start here.
"""

from enum import StrEnum


class Outcome(StrEnum):
    """The outcomes of a check, as they stand in report.json."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    TIMEOUT = "timeout"
    KILLED = "killed"
    SKIPPED = "skipped"
    GRADER_ERROR = "grader_error"


# No answer came: the hand-in took too long, or its process died.
UNANSWERED = (Outcome.TIMEOUT, Outcome.KILLED)

NOT_IMPLEMENTED = "not implemented yet"
# In the message on a part that hands on to a program of `jax.export`.
CALLS_EXPORTED = "calls an exported program"
RUN_USED_UP = "the hand-in used up the time of the whole run"
WAITS_FOR_ABOVE = "waits until the checks above pass"


class Wrong(Exception):
    """The answer is wrong; the message says what was obtained and expected.

    A check that knows more than that adds a hint.
    """

    outcome = Outcome.FAILED

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class NotImplementedYet(Wrong):
    """A stub is still a stub; `part` is its name in the contract."""

    def __init__(self, part: str) -> None:
        super().__init__(NOT_IMPLEMENTED)
        self.part = part


class Raised(Exception):
    """The hand-in's code raised an exception."""

    outcome = Outcome.ERROR


class Waiting(Exception):
    """The check needs another part first; the message names it."""

    outcome = Outcome.SKIPPED


class Stopped(BaseException):
    """The worker had to be stopped.

    No `Exception`: hypothesis must not ask the same deadly question again to shrink it.
    """


class TimedOut(Stopped):
    """A deadline passed."""

    outcome = Outcome.TIMEOUT


class UsedUp(TimedOut):
    """No time is left, of a part or of the whole run."""


class Killed(Stopped):
    """The process died: memory, a crash, or an exit of its own accord."""

    outcome = Outcome.KILLED


class GraderError(Exception):
    """The grader itself cannot do its work. Never the student's fault."""

    outcome = Outcome.GRADER_ERROR


class UsageError(Exception):
    """What was asked for on the command line does not exist or makes no sense."""
