"""A candidate calls parts that cannot be traced, or that are not to be traced."""

import functools
from types import SimpleNamespace

import numpy as np
import pytest

from grader.contract.case import Case
from grader.contract.cases import fresh_network
from grader.contract.outcomes import Killed, Raised, Stopped, TimedOut, Wrong
from grader.oracle.budget import Budget
from grader.oracle.candidate import Candidate
from grader.oracle.worker_client import Reply
from grader.sandbox.output import Output

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


SLOW = "it was called, which is much slower than traced code: "
ALL_KEYS = np.arange(6, dtype=np.uint32).reshape(3, 2)
KEYED = Case("epsilon_greedy", {}, {"key": ALL_KEYS[0], "q_values": np.zeros((4, 2))})


@pytest.mark.parametrize("by_keys", [False, True], ids=["one answer", "many keys"])
@pytest.mark.parametrize(("kind", "slow"), [(TimedOut, SLOW), (Killed, "")])
def test_the_exception_of_the_trace_is_not_lost(kind, slow, by_keys):
    """The message has both: why the call gave no answer, and what the trace raises.

    That a call is slow is told only if it took too long.
    """
    runner = SimpleNamespace(budget=Budget(), device="cpu", programs={})
    candidate = Candidate(Worker(kind("discounted_returns: no answer")), runner)
    answer = candidate.answer
    if by_keys:
        answer = functools.partial(candidate.answer_keys, keys=ALL_KEYS, name="actions")
    with pytest.raises(kind) as told:
        answer(KEYED if by_keys else CASE)
    assert str(told.value) == (
        "discounted_returns: no answer\n"
        f"{slow}traced by `jax.jit`, it gives no program: ValueError: no params"
    )
    assert candidate.stopped == (set() if by_keys else {"discounted_returns"})


def test_a_debugger_meets_no_tracer():
    """An eager candidate calls the part for each key, and exports nothing."""
    asked = []

    def ask(request, what, look=None):
        asked.append((request["do"], request["args"]["key"].tolist()))
        return Reply({"actions": np.zeros(4)}, Output())

    runner = SimpleNamespace(budget=Budget(), device="cpu", programs={})
    candidate = Candidate(SimpleNamespace(ask=ask), runner, eager=True)
    assert candidate.answer_keys(KEYED, ALL_KEYS, "actions").shape == (3, 4)
    candidate.traced(KEYED)
    assert asked == [("call", key) for key in ([0, 1], [2, 3], [4, 5], [0, 1])]


def refused(name: str, case: Case) -> None:
    """Refuse a program, as the runner does for some operations."""
    raise Wrong("the program calls lapack_sgesdd_ffi, which is not allowed")


def test_a_part_that_need_not_be_a_program_is_called_if_its_program_is_refused():
    """A refused program of `q_network` costs nothing, one of `epsilon_greedy` does.

    The program is exported and loaded only once.
    """
    asked = []

    def ask(request, what, look=None):
        asked.append(request["do"])
        return Reply({"program": np.zeros(1, np.uint8), "theta": []}, Output())

    def candidate() -> Candidate:
        budget = Budget()
        worker = SimpleNamespace(ask=ask, book=lambda *_: None, budget=budget)
        runner = SimpleNamespace(budget=budget, device="cpu", programs={}, load=refused)
        return Candidate(worker, runner)

    student, case = candidate(), fresh_network(1, 4, 2)
    assert student.answer(case).leaves("theta") == []
    student.answer(fresh_network(2, 4, 2))
    assert student.is_called(case)
    assert asked == ["export", "call", "call"]
    with pytest.raises(Wrong, match="lapack_sgesdd_ffi"):
        candidate().answer(KEYED)
