"""Grade one hand-in in a process of its own, for `pool.py`: the code of `make grade`.

The hand-in comes by stdin, the report goes to stdout. stdin stays open as long as the
one who asked lives: when it closes, this process ends, and its helpers with it.
"""

import dataclasses
import os
import struct
import sys
import threading
from typing import BinaryIO

import msgpack

from grader.cli import guarded
from grader.contract.outcomes import GraderError
from grader.grading.pipeline import Options, Progress, grade
from grader.intake.submission import Submission

MAX_QUESTION = 64 << 20  # bytes; hand-ins are smaller by far
_LENGTH = struct.Struct("<Q")


def pack(submission: Submission, options: Options) -> bytes:
    """What `main` reads."""
    fields = {
        field.name: getattr(submission, field.name)
        for field in dataclasses.fields(submission)
        if field.name != "path"  # which is for a debugger, and not on every node
    }
    told = {"submission": fields, "options": dataclasses.asdict(options)}
    # Names of files need not be text.
    body: bytes = msgpack.packb(told, unicode_errors="surrogatepass")
    return _LENGTH.pack(len(body)) + body


def unpack(file: BinaryIO) -> tuple[Submission, Options]:
    """What `pack` made of them.

    Raises:
        EOFError: not all of it comes.
    """
    head = file.read(_LENGTH.size).ljust(_LENGTH.size, b"\xff")
    (length,) = _LENGTH.unpack(head)
    body = file.read(length) if length < MAX_QUESTION else b""
    if len(body) < length:
        raise EOFError
    told = msgpack.unpackb(body, unicode_errors="surrogatepass", use_list=False)
    return Submission(**told["submission"]), Options(**told["options"])


def main() -> int:
    """Grade what comes by stdin; the report goes to stdout, and nothing else does."""
    answers = os.dup(1)  # never closed: its end says that this process has ended
    os.dup2(2, 1)
    try:
        submission, options = unpack(sys.stdin.buffer)
    except EOFError:  # whoever asks has died
        return 2
    threading.Thread(target=end_with_stdin, daemon=True).start()
    graded = grade(submission, options, Progress())
    if graded.grader_error:
        raise GraderError(graded.grader_error)
    with open(answers, "wb", closefd=False) as report:
        report.write(graded.as_json().encode())
    return 0


def end_with_stdin() -> None:
    """End this process when nobody waits for it any more."""
    os.read(0, 1)
    os._exit(2)


if __name__ == "__main__":
    sys.exit(guarded(main))
