"""Hands over objects that run code when they are unpickled.

Rows: 22
Grade: sync_target
Asserts: S R L
Says: theta_T|sync_target|protocol
"""

import os
import pickle

import msgpack
from grader.inside import protocol

TRACE = os.path.join(PLACES["temporary"], "unpickled-" + "x" * 9)


class Bomb:
    def __reduce__(self):
        return os.system, (f"touch {TRACE}",)


BYTES = pickle.dumps(Bomb())


def encode(message):
    if os.path.exists(TRACE):
        tell("unpickled")
    answer = {"nonce": message["nonce"], "answer": {"theta_T": BYTES}}
    header = msgpack.packb({**answer, "x": msgpack.ExtType(1, BYTES)})
    return protocol._PREFIX.pack(len(header), 0) + header


protocol.encode = encode
