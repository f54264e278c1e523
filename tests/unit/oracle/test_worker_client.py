"""The client of the worker ends a process that has run out of memory."""

import contextlib

import pytest

from grader.contract.outcomes import Raised
from grader.intake.submission import Submission
from grader.oracle import worker_client
from grader.oracle.budget import Budget
from grader.sandbox.output import Output

NO_MEMORY = {"type": "MemoryError", "message": "Unable to allocate 64.0 MiB"}
NO_DEVICE_MEMORY = {
    "type": "JaxRuntimeError",
    "message": "RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes",
}
ANOTHER = {"type": "ValueError", "message": "not out of memory: RESOURCE_EXHAUSTED"}


class Process:
    """A stand-in for a worker: imports succeed, and calls raise the given exception."""

    errors = b""

    def __init__(self, error: dict) -> None:
        self.error, self.stopped = {"kind": "raised", "line": 0, **error}, False

    def ready(self, seconds: float = 0.0) -> None:
        """Do nothing: the process is ready at once."""

    def ask(self, request: dict, *_: object, **__: object) -> dict:
        """Return the reply of a worker to a request."""
        return {"answer": {}} if request["do"] == "load" else {"error": self.error}

    def take_printed(self) -> Output:
        """Return what the hand-in has printed: nothing."""
        return Output()

    def stop(self) -> None:
        """Note that the process was ended."""
        self.stopped = True


@pytest.mark.parametrize(
    ("error", "ended"), [(NO_MEMORY, True), (NO_DEVICE_MEMORY, True), (ANOTHER, False)]
)
def test_process_without_memory_is_ended(monkeypatch, error, ended):
    """If a part runs out of memory, its process is ended; the next part gets a new one.

    In the old process the hand-in may still hold the memory, so a right part would
    fail there. After any other exception the process goes on.
    """
    started: list[Process] = []

    def start(*_: object, **__: object) -> Process:
        started.append(Process(error))
        return started[-1]

    monkeypatch.setattr(worker_client, "start_first", start)
    monkeypatch.setattr(worker_client, "start_child", start)
    client = worker_client.WorkerClient(Submission("dqn.py", b""), "plain", Budget())
    for part in ("td_loss", "sync_target"):
        client.budget.part = part
        with contextlib.suppress(Raised):
            client.ask({"do": "call"}, part)
    assert started[0].stopped == ended
    assert len(started) == 1 + ended
