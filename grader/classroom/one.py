"""Grade one hand-in in a process of its own, for `pool.py`: the code of `make grade`.

The hand-in comes by stdin, the report goes to stdout. stdin stays open as long as the
process that asked lives: when it closes, this process ends, and its helpers with it.
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

APART = ("path", "source")  # the first is for a debugger, and not on every node


def pack(submission: Submission, options: Options) -> bytes:
    """Return the frame that `main` reads."""
    fields = {
        field.name: getattr(submission, field.name)
        for field in dataclasses.fields(submission)
        if field.name not in APART
    }
    # As JSON, for the names of files need not be text that a frame can carry.
    told = json.dumps({"submission": fields, "options": dataclasses.asdict(options)})
    return encode(
        {
            "source": np.frombuffer(submission.source, np.uint8),
            "told": np.frombuffer(told.encode(), np.uint8),
        }
    )


def unpack(file: Readable) -> tuple[Submission, Options]:
    """Return what `pack` was given, but for the path.

    Raises:
        ProtocolError: the file ends before the frame does.
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
    """Return the fields with tuples where JSON has lists."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}


def main() -> int:
    """Grade what comes by stdin; the report goes to stdout, and nothing else does."""
    answers = os.dup(1)  # never closed: its end says that this process has ended
    os.dup2(2, 1)
    try:
        with open(0, "rb", closefd=False) as asked:
            submission, options = unpack(asked)
    except ProtocolError:  # the process that asked has died
        return 2
    threading.Thread(target=end_with_stdin, daemon=True).start()
    graded = grade(submission, options, Progress())
    if graded.grader_error:
        raise GraderError(graded.grader_error)
    with open(answers, "wb", closefd=False) as report:
        report.write(graded.as_json().encode())
    return 0


def end_with_stdin() -> None:
    """End this process when the process that asked has ended."""
    os.read(0, 1)
    os._exit(2)


if __name__ == "__main__":
    sys.exit(guarded(main))
