"""Sends frames that are none: nested, cut, of odd types, with keys twice.

Rows: 28
Grade: sync_target
Asserts: S R
Says: broke the protocol|not asked
"""

import struct

import msgpack
from grader.inside import protocol

JUNK = [
    b"\x81\xa1a" + b"\x91" * 60_000 + b"\x90",
    b"\xc1",
    b"\x81\xa1a\xa3\xed\xa0\x80",
    b"\x81\x90\x01",
    b"\x82\xa5nonce\xc0\xa5nonce\xc0",
    b"\x81\xa1a\xd6\xff\0\0\0\0",
    msgpack.packb({"a": msgpack.ExtType(1, msgpack.packb(["f4", [-1]]))}),
]


def sync_target(theta_Q, theta_T, step, period):
    header = JUNK[step % len(JUNK)]
    protocol.encode = lambda message: struct.pack("<II", len(header), 0) + header
