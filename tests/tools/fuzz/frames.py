"""Good and bad frames: what the fuzzers start from."""

import struct

import msgpack
import numpy as np

from grader.inside.protocol import encode
from tests.tools.fuzz.targets import NONCE

ERROR = {"kind": "raised", "type": "ValueError", "message": "no", "line": 3}
MESSAGES = [
    {"nonce": NONCE, "answer": {}},
    {"nonce": NONCE, "answer": {"theta": [np.ones((2, 3), np.float32), np.array(1.5)]}},
    {"nonce": NONCE, "answer": {"n": [1, 2], "program": np.arange(9, dtype="u1")}},
    {"nonce": NONCE, "answer": {"a": True, "b": None, "c": "ä", "d": b"x", "e": -1.5}},
    {"nonce": NONCE, "answer": {"d": np.array([True, False]), "f": np.ones(2, "f2")}},
    {"nonce": NONCE, "error": ERROR | {"function": "td_loss", "text": "return x"}},
    {"nonce": NONCE, "question": {"do": "progress", "env_step": 5}},
]


def frame(header: object, payload: bytes = b"") -> bytes:
    """One frame around a header of our making, packed or to be packed."""
    packed = header if isinstance(header, bytes) else msgpack.packb(header)
    return struct.pack("<II", len(packed), len(payload)) + packed + payload


def array_item(dtype: object, shape: object, code: int = 1) -> msgpack.ExtType:
    """Return what stands for an array in a header."""
    return msgpack.ExtType(code, msgpack.packb([dtype, shape]))


def seeds(target: str) -> list[bytes]:
    """Frames, one by one and together."""
    good = [encode(message) for message in MESSAGES]
    question = good[-1]
    return [*good, b"".join(good), question * 3 + good[0], good[0] * 2]
