"""How long the hand-in may still take."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from grader.contract.limits import LIMITS, Limits
from grader.contract.outcomes import RUN_USED_UP, TimedOut, UsedUp


@dataclass
class Budget:
    """How long the hand-in may still take.

    There is one for the whole run. Time is booked on the part that is being graded,
    whichever process is asked.

    Attributes:
        limits: of this grading.
        exercise: that is being graded.
        started: when it began, by the monotonic clock.
        spent: by part, in seconds.
        part: of the exercise, that is being graded.
    """

    limits: Limits = LIMITS
    exercise: str = ""
    started: float = field(default_factory=time.monotonic)
    spent: dict[str, float] = field(default_factory=dict)
    part: str = ""

    def left(self) -> float:
        """Return the seconds left now.

        Raises:
            UsedUp: none.
        """
        whole = self.limits.part_seconds
        of_part = whole - self.spent.get(self.part, 0.0)
        of_run = self.left_of_run()
        if of_part <= 0:
            raise UsedUp(f"{self.part} has used up its {whole:.0f} s")
        return min(of_part, of_run)

    def left_of_run(self) -> float:
        """Return the seconds left now of the whole run.

        Raises:
            UsedUp: none.
        """
        seconds = self.started + self.limits.run_seconds - time.monotonic()
        if seconds <= 0:
            raise UsedUp(f"{RUN_USED_UP} ({self.limits.run_seconds:.0f} s)")
        return seconds

    def late(self, what: str, limit: float, place: str = "") -> TimedOut:
        """Return the outcome where an answer was waited for in vain."""
        try:
            self.left()
        except UsedUp as reason:
            return UsedUp(f"{what}: {reason}{place}")
        return TimedOut(f"{what}: no answer within {limit:.0f} s{place}")

    @contextlib.contextmanager
    def spending(self) -> Iterator[None]:
        """Book the time that a block takes on the part that is being graded."""
        part, since = self.part, time.monotonic()
        try:
            yield
        finally:
            seconds = time.monotonic() - since
            self.spent[part] = self.spent.get(part, 0.0) + seconds
