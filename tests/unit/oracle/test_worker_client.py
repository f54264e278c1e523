"""The client of the worker restarts processes, and says why a part had no answer."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from grader.contract.case import Args
from grader.contract.limits import LIMITS, Limits
from grader.contract.outcomes import Killed, Raised, UsedUp
from grader.intake.submission import Submission
from grader.oracle import worker_client
from grader.oracle.budget import Budget
from grader.sandbox import helper
from grader.sandbox.output import Output

NO_MEMORY = {"type": "MemoryError", "message": "Unable to allocate 64.0 MiB"}
NO_DEVICE_MEMORY = {
    "type": "JaxRuntimeError",
    "message": "RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes",
}
ANOTHER = {"type": "ValueError", "message": "not out of memory: RESOURCE_EXHAUSTED"}


class Process:
    """A fake worker: imports succeed, and calls raise the given exception.

    Args:
        error: the exception that a call raises.
        after: the part that must have been asked before, so that a call of another part
            raises; "" if every call raises.
        refuses: a function that is called while the process starts.
    """

    errors = b""

    def __init__(self, error: dict, after: str, refuses: Callable[[], None]) -> None:
        self.error, self.stopped = {"kind": "raised", "line": 0, **error}, False
        self.after, self.asked = after, [""]
        self.refuses = refuses

    def ready(self, seconds: float = 0.0) -> None:
        """Call the function `refuses`."""
        self.refuses()

    def ask(self, request: dict, *_: object, **__: object) -> dict:
        """Return the reply of a worker to a request."""
        if request["do"] == "load":
            return {"answer": {}}
        self.asked.append(request["part"])
        fails = self.after in self.asked and request["part"] != self.after
        return {"error": self.error} if fails else {"answer": {"part": request["part"]}}

    def take_printed(self) -> Output:
        """Return what the hand-in has printed: nothing."""
        return Output()

    def stop(self) -> None:
        """Note that the process was ended."""
        self.stopped = True


@dataclass
class World:
    """A client, and what its fake processes do; see `Process`."""

    error: dict = field(default_factory=lambda: NO_MEMORY)
    after: str = ""
    refuses: Callable[[], None] = lambda: None
    started: list[Process] = field(default_factory=list)

    def start(self, *_: object, **__: object) -> Process:
        """Start a fake process, as `start_child` and `start_first` do."""
        self.started.append(Process(self.error, self.after, self.refuses))
        return self.started[-1]

    def client(self, limits: Limits = LIMITS) -> worker_client.WorkerClient:
        """Return a client that has started its first process."""
        submission = Submission("dqn.py", b"")
        return worker_client.WorkerClient(submission, "plain", Budget(limits))


@pytest.fixture
def world(monkeypatch) -> World:
    """Return a `World`, whose processes all clients start."""
    made = World()
    monkeypatch.setattr(worker_client, "start_first", made.start)
    monkeypatch.setattr(worker_client, "start_child", made.start)
    return made


def ask(client: worker_client.WorkerClient, part: str) -> Args:
    """Ask a part for an answer, and return it."""
    client.budget.part = part
    return client.ask({"do": "call", "part": part}, part).answer


@pytest.mark.parametrize(
    ("error", "ended"), [(NO_MEMORY, True), (NO_DEVICE_MEMORY, True), (ANOTHER, False)]
)
def test_process_without_memory_is_ended(world, error, ended):
    """If a part runs out of memory, its process is ended; the next part gets a new one.

    In the old process the hand-in may still hold the memory, so a right part would
    fail there. After any other exception the process goes on.
    """
    world.error = error
    client = world.client()
    for part in ("td_loss", "sync_target"):
        with contextlib.suppress(Raised):
            ask(client, part)
    assert world.started[0].stopped == ended
    assert len(world.started) == 1 + ended


def test_memory_that_another_part_keeps(world):
    """A part without memory is asked again if another part may keep the memory."""
    world.after = "epsilon_greedy"
    client = world.client()
    ask(client, "epsilon_greedy")
    assert ask(client, "td_loss") == {"part": "td_loss"}
    assert [process.stopped for process in world.started] == [True, False]


def test_a_process_that_never_died_is_not_called_dead(world):
    """After too many restarts, the message counts restarts, whoever ended them."""
    client = world.client(replace(LIMITS, restarts=2))
    for _ in range(3):
        with pytest.raises(Raised):
            ask(client, "td_loss")
    with pytest.raises(Killed, match="had to be started anew 2 times: given up"):
        ask(client, "td_loss")


@pytest.mark.parametrize("late", [True, False])
def test_a_restart_that_is_cut_off(world, late):
    """A restart without time is a timeout; one that fails in time is no timeout."""
    client = world.client()
    with pytest.raises(Raised):
        ask(client, "td_loss")

    def refuses() -> None:
        if late:
            client.budget.spent["td_loss"] = client.limits.part_seconds
        raise helper.DeadlinePassed

    world.refuses = refuses
    with pytest.raises(UsedUp if late else Killed):
        ask(client, "td_loss")
