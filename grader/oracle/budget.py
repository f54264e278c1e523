"""Keep account of the time that the hand-in has used and may still use."""

import contextlib
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from grader.contract.limits import LIMITS, Limits
from grader.contract.outcomes import RUN_USED_UP, TimedOut, UsedUp


@dataclass
class Budget:
    """The time that the hand-in has used, and the limits on this time.

    The worker and the runner share one budget: the time of both counts for the part
    that is being graded.

    Attributes:
        limits: the limits of this grading.
        exercise: the name of the exercise that is being graded.
        started: the start of the run, in seconds of `time.monotonic`.
        spent: the seconds used so far, by the name of the part.
        part: the name of the part that is being graded.
    """

    limits: Limits = LIMITS
    exercise: str = ""
    started: float = field(default_factory=time.monotonic)
    spent: dict[str, float] = field(default_factory=dict)
    part: str = ""

    def begin(self) -> None:
        """Set the start of the run to now, and the used time of every part to 0."""
        self.started = time.monotonic()
        self.spent.clear()

    def end(self) -> None:
        """Take all remaining time away: each further question raises `UsedUp`."""
        self.started = -math.inf

    def left(self) -> float:
        """Return how many seconds the current part may still take.

        Raises:
            UsedUp: the part, or the whole run, has no time left.
        """
        whole = self.limits.part_seconds
        of_part = whole - self.spent.get(self.part, 0.0)
        of_run = self.left_of_run()
        if of_part <= 0:
            raise UsedUp(f"{self.part} has used up its {whole:.0f} s")
        return min(of_part, of_run)

    def left_of_run(self) -> float:
        """Return how many seconds the whole run may still take.

        Raises:
            UsedUp: the run has no time left.
        """
        seconds = self.started + self.limits.run_seconds - time.monotonic()
        if seconds <= 0:
            raise UsedUp(f"{RUN_USED_UP} ({self.limits.run_seconds:.0f} s)")
        return seconds

    def late(self, what: str, limit: float, place: str = "") -> TimedOut:
        """Return the exception for an answer that did not come in time.

        Args:
            what: the part that was asked, for the message.
            limit: the time limit of the answer in seconds.
            place: text for the end of the message, which names the line of the hand-in
                that was running; "" if the line is unknown.

        Returns:
            `UsedUp` if the part or the run has no time left, else `TimedOut`.
        """
        try:
            self.left()
        except UsedUp as reason:
            known = what == self.part and str(reason).startswith(what)
            return UsedUp(f"{'' if known else f'{what}: '}{reason}{place}")
        return TimedOut(f"{what}: no answer within {limit:.0f} s{place}")

    @contextlib.contextmanager
    def spending(self) -> Iterator[None]:
        """Add the duration of a with block to the time that the current part has used.

        The current part is the value of `part` when the block begins.
        """
        part, since = self.part, time.monotonic()
        try:
            yield
        finally:
            seconds = time.monotonic() - since
            self.spent[part] = self.spent.get(part, 0.0) + seconds
