"""Make frames: the good ones from which the fuzzers start, and frames for tests.

A frame is one message between grader and helper.
"""

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
    """Return the bytes of a frame.

    Args:
        header: the packed header as bytes, or an object to pack.
        payload: the bytes after the header.
    """
    packed = header if isinstance(header, bytes) else msgpack.packb(header)
    return struct.pack("<II", len(packed), len(payload)) + packed + payload


def array_item(dtype: object, shape: object, code: int = 1) -> msgpack.ExtType:
    """Return the msgpack item that represents an array in the header of a frame.

    An argument of a wrong type makes an invalid item.

    Args:
        dtype: the name of the dtype.
        shape: a list of sizes.
        code: the code of the msgpack extension type; 1 is the code of arrays.
    """
    return msgpack.ExtType(code, msgpack.packb([dtype, shape]))


def seeds(target: str) -> list[bytes]:
    """Return byte strings from which fuzzing starts: good frames, single and joined.

    Args:
        target: not used; `reading.seeds` has the same argument.
    """
    good = [encode(message) for message in MESSAGES]
    question = good[-1]
    return [*good, b"".join(good), question * 3 + good[0], good[0] * 2]
