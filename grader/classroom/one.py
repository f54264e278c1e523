"""Grade one hand-in as `make grade` does, in a process that `pool.py` starts.

This process reads the hand-in from stdin and writes the report to stdout. `pool.py`
keeps the other end of stdin open until it has the report. If stdin closes earlier,
`pool.py` has died; then this process ends, and so do its helpers.
"""

import dataclasses
import json
import os
import sys
import threading
from typing import Any

import numpy as np

from grader.cli import guarded
from grader.contract.limits import Limits
from grader.contract.outcomes import GraderError
from grader.grading.pipeline import Options, Progress, grade
from grader.inside.protocol import ProtocolError, Readable, encode, receive
from grader.intake.submission import Submission

# These fields are not sent as JSON: `source` is sent as bytes, and `path` is not sent,
# because it may not exist on a node.
APART = ("path", "source")


def pack(submission: Submission, options: Options) -> bytes:
    """Return a hand-in and the options as the bytes of one frame.

    `unpack` reads this frame.
    """
    fields = {
        field.name: getattr(submission, field.name)
        for field in dataclasses.fields(submission)
        if field.name not in APART
    }
    # As JSON, because names of files may hold characters that a frame cannot carry.
    told = json.dumps({"submission": fields, "options": dataclasses.asdict(options)})
    return encode(
        {
            "source": np.frombuffer(submission.source, np.uint8),
            "told": np.frombuffer(told.encode(), np.uint8),
        }
    )


def unpack(file: Readable) -> tuple[Submission, Options]:
    """Read a frame that `pack` has made; return the hand-in and the options.

    The attribute `path` of the hand-in is not sent and has its default.

    Args:
        file: the file or pipe to read from.

    Raises:
        ProtocolError: the file ends before the frame ends.
    """
    message = receive(file)
    if message is None:
        raise ProtocolError("no frame")
    told = json.loads(message["told"].tobytes())
    options = told["options"]
    limits = Limits(**options.pop("limits"))
    return (
        Submission(
            source=message["source"].tobytes(), **with_tuples(told["submission"])
        ),
        Options(limits=limits, **with_tuples(options)),
    )


def with_tuples(fields: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of the fields in which each list is a tuple; JSON has no tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}


def main() -> int:
    """Grade the hand-in from stdin, write its report to stdout; return the exit code.

    The exit code is 0, or 2 if `pool.py` has died and stdin therefore ends too early.

    Raises:
        GraderError: the grader could not do its work.
    """
    # A copy of stdout for the report. This process never closes the copy, so `pool.py`
    # sees the pipe close only when this process ends. Other output goes to stderr.
    answers = os.dup(1)
    os.dup2(2, 1)
    try:
        with open(0, "rb", closefd=False) as asked:
            submission, options = unpack(asked)
    except ProtocolError:  # the process that started this one has died
        return 2
    threading.Thread(target=end_with_stdin, daemon=True).start()
    graded = grade(submission, options, Progress())
    if graded.grader_error:
        raise GraderError(graded.grader_error)
    with open(answers, "wb", closefd=False) as report:
        report.write(graded.as_json().encode())
    return 0


def end_with_stdin() -> None:
    """Wait until stdin closes, as when `pool.py` dies; then end this process.

    The exit code is 2. `main` calls this function in a thread of its own.
    """
    os.read(0, 1)
    os._exit(2)


if __name__ == "__main__":
    sys.exit(guarded(main))
