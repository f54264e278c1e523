"""What the candidate says if a part that cannot be traced is slow when it is called."""

from types import SimpleNamespace

import numpy as np
import pytest

from grader.contract.case import Case
from grader.contract.outcomes import Killed, Raised, Stopped, TimedOut
from grader.oracle.budget import Budget
from grader.oracle.candidate import Candidate

CASE = Case("discounted_returns", {}, {"reward": np.zeros(2, np.float32)})


class Worker:
    """A stand-in for a worker: an export raises, and a call ends the process.

    Args:
        stopped: the exception by which a call ends.
    """

    def __init__(self, stopped: Stopped) -> None:
        self.stopped = stopped

    def ask(self, request: dict, *_: object, **__: object) -> None:
        """Raise the exception of an export, or that of a call."""
        if request["do"] == "export":
            raise Raised("ValueError: no params")
        raise self.stopped


@pytest.mark.parametrize("kind", [TimedOut, Killed])
def test_the_exception_of_the_trace_is_not_lost(kind):
    """The message has both: why the call gave no answer, and what the trace raises."""
    runner = SimpleNamespace(budget=Budget(), device="cpu", programs={})
    candidate = Candidate(
        Worker(kind("discounted_returns: no answer within 15 s")), runner
    )
    with pytest.raises(kind) as told:
        candidate.answer(CASE)
    assert str(told.value) == (
        "discounted_returns: no answer within 15 s\n"
        "it was called, which is much slower than traced code: traced by `jax.jit`, it "
        "raises ValueError: no params"
    )
    assert candidate.stopped == {"discounted_returns"}
