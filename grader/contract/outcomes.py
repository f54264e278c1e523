"""The outcomes of a check, and the exceptions that end a check with an outcome.

A check that returns without an exception has passed.
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


# Outcomes without an answer: the hand-in took too long, or its process died.
UNANSWERED = (Outcome.TIMEOUT, Outcome.KILLED)

NOT_IMPLEMENTED = "not implemented yet"
# Part of the message if a hand-in's part calls a program of `jax.export`.
CALLS_EXPORTED = "calls an exported program"
RUN_USED_UP = "the hand-in used up the time of the whole run"
WAITS_FOR_ABOVE = "waits until the checks above pass"


class Wrong(Exception):
    """Raised for a wrong answer; the message says what was obtained and expected.

    Args:
        message: what is wrong.
        hint: advice for the student, if the check can give any.
    """

    outcome = Outcome.FAILED

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class NotImplementedYet(Wrong):
    """Raised if a part is still a stub.

    Args:
        part: name of the part.
    """

    def __init__(self, part: str) -> None:
        super().__init__(NOT_IMPLEMENTED)
        self.part = part


class Raised(Exception):
    """Raised if a part of the hand-in has raised an exception or has no program."""

    outcome = Outcome.ERROR


class OutOfMemory(Raised):
    """Raised if a part of the hand-in found too little memory."""


class Waiting(Exception):
    """Raised if a check cannot judge, for example because another part is a stub.

    The message says what is missing: a part, or other checks that have to pass first.
    """

    outcome = Outcome.SKIPPED


class Stopped(BaseException):
    """Raised if the hand-in took too long or its process ended.

    This class is no `Exception`, because hypothesis runs a case again after an
    `Exception`. The hand-in would then hang or end its process once more.
    """


class TimedOut(Stopped):
    """Raised if the hand-in gave no answer before the deadline.

    Args:
        message: what took too long.
        hint: advice for the student, if the check can give any.
    """

    outcome = Outcome.TIMEOUT

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UsedUp(TimedOut):
    """Raised if no time is left for the part or for the whole run."""


class Killed(Stopped):
    """Raised if the hand-in's process ended, for example because it crashed."""

    outcome = Outcome.KILLED


class GraderError(Exception):
    """Raised if the grader itself fails; this is never the student's fault."""

    outcome = Outcome.GRADER_ERROR


class UsageError(Exception):
    """Raised for a mistake of whoever runs the grader, such as a wrong option.

    The message says what is wrong.
    """


# The exceptions that a hand-in can cause.
BY_HAND_IN = (Raised, Stopped, Waiting, Wrong)
