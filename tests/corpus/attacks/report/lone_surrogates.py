"""Raises, names and prints what is no text: lone surrogates, NUL, half characters.

Rows: 64
Grade: sync_target
Asserts: S R
Says: Er.ror: half
"""

import os


def sync_target(*_):
    os.write(2, b"\xff\xfe\xed\xa0\x80\0")
    raise type("Er\x1bror", (Exception,), {})("half \ud83d \udfff \0 \ufffe \x85")
