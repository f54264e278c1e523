"""The fuzzing targets without JAX, used by hypothesis and by `make fuzz`.

A target is a function of bytes that a hostile helper could send. The grader must accept
the bytes as a valid message, or refuse them with one of its own exceptions. In all
other cases the target raises an exception, and the fuzzer reports a failure.
"""

import contextlib
import io
import struct
from typing import Any, cast

import numpy as np

from grader.contract import case
from grader.contract.outcomes import Raised, Waiting, Wrong
from grader.inside import protocol
from grader.oracle import candidate, faults, looks
from grader.sandbox import helper

NONCE = b"0123456789abcdef"
DTYPES = {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"}
DTYPES |= {"uint64", "float16", "float32", "float64"}
PLAIN = (type(None), bool, int, float, str, bytes)


def frames(data: bytes) -> None:
    """Read the bytes as a stream of frames; fail if a forbidden message is accepted.

    The bytes may be refused with `ProtocolError` only. If an accepted message is
    encoded and read again, it must be unchanged.
    """
    stream = protocol.Capped(cast(Any, io.BytesIO(data)))
    try:
        while (message := protocol.receive(stream)) is not None:
            require_plain(message)
            again = protocol.receive(io.BytesIO(protocol.encode(message)))
            assert same(message, again), f"{message!r} became {again!r}"
    except protocol.ProtocolError:
        return
    assert stream.left == protocol.MAX_SESSION - len(data)


def conversation(data: bytes) -> None:
    """Ask a helper that replies with these bytes; fail if a wrong reply is accepted.

    The grader must get an answer or an error, or stop the helper. A reply must repeat
    the random nonce of the question. Callers make the grader use `NONCE` instead, so
    that the bytes can hold the right nonce.
    """
    child = Scripted(data)
    asked = []
    try:
        message = child.ask({"do": "call"}, 1.0, lambda q: asked.append(q) or {})
    except helper.Failure:
        message = None
    assert child.stopped == (message is None)
    if message is None:
        return
    assert [*message] in (["answer"], ["error"])
    if "error" in message:
        reason = faults.reason_of(message["error"], "td_loss")
        assert isinstance(reason, Wrong | Raised | Waiting)
        str(reason).encode()
        return
    answer = case.Answer(message["answer"])
    for name in (*answer, "theta"):
        for look in (answer.array, answer.leaves, answer.numbers):
            with contextlib.suppress(Wrong):
                look(name)
    for look in (looks.nothing, takes_program):
        with contextlib.suppress(Wrong):
            look(answer)


def takes_program(answer: case.Answer) -> None:
    """Read an answer as the reply to a request for the program of `td_loss`.

    Raises:
        Wrong: the answer holds no program, or a program that is too large.
    """
    candidate.one_program("td_loss", answer)


class Scripted(helper.Child):
    """A `Child` without a process, which gets all its replies from given bytes.

    Args:
        data: the bytes of all replies, one after the other.
    """

    def __init__(self, data: bytes) -> None:
        self.socket = None
        self.requests = io.BytesIO()
        self.answers = protocol.Capped(cast(Any, io.BytesIO(data)))
        self.hello = {"ready": True}
        self.overdue = self.stopped = False

    def kill(self) -> None:
        """Do nothing, because there is no process."""

    def stop(self) -> None:
        """Record that the helper was stopped."""
        self.stopped = True

    def _failure(self) -> helper.Failure:
        self.stop()
        return helper.Died("closed its pipe")


def require_plain(value: object, depth: int = 0) -> None:
    """Check that a value is allowed in a message.

    All values must have allowed types, and each array must own its memory.

    Args:
        value: the message, or a value inside of it.
        depth: how many dicts and lists are around the value.

    Raises:
        AssertionError: the value is not allowed.
    """
    assert depth <= protocol.MAX_DEPTH + 1
    if isinstance(value, dict):
        for key, inner in value.items():
            assert type(key) is str
            require_plain(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            require_plain(inner, depth + 1)
    elif isinstance(value, np.ndarray):
        assert type(value) is np.ndarray
        assert value.dtype.name in DTYPES
        assert value.flags.writeable
        assert value.flags.c_contiguous
        assert value.flags.owndata
        assert value.nbytes <= protocol.MAX_PAYLOAD
        if value.dtype == bool:
            assert set(np.unique(value.view(np.uint8))) <= {0, 1}
    else:
        assert type(value) in PLAIN, type(value)


def same(a: object, b: object) -> bool:
    """Return whether two messages have the same types, order of keys and bits."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        bits = [x.astype(x.dtype.newbyteorder("<")).tobytes() for x in (a, b)]
        return (a.dtype, a.shape) == (b.dtype, b.shape) and bits[0] == bits[1]
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return struct.pack("<d", a) == struct.pack("<d", b)
    return type(a) is type(b) and a == b
