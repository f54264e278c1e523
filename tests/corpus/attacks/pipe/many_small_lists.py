"""Sends a header full of empty lists, each of which takes a hundred bytes.

Rows: 26
Grade: sync_target
Asserts: S R T
Says: came back
"""

import struct

from grader.inside import protocol


def encode(message):
    nonce = b"\xa5nonce\xc4\x10" + message["nonce"]
    lists = b"\xa7theta_T\xdc" + struct.pack(">H", 60_000) + b"\x90" * 60_000
    header = b"\x82" + nonce + b"\xa6answer\x81" + lists
    return struct.pack("<II", len(header), 0) + header


protocol.encode = encode
