"""Says that frames of gigabytes follow.

Rows: 26
Grade: sync_target
Asserts: S R T
Says: broke the protocol
"""

import struct

from grader.inside import protocol

protocol.encode = lambda message: struct.pack("<II", 2**32 - 1, 2**32 - 1) + b"x" * 99
