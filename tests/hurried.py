"""The command line of the grader with short deadlines, for hand-ins that hang."""

import contextlib
import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from grader import cli
from grader.grading import pipeline
from grader.oracle import session

HURRIED = 8.0, 5.0, 12.0, 40.0  # seconds: for the import, a call, a part, a run


@contextlib.contextmanager
def deadlines(load: float, call: float, part: float, run: float) -> Iterator[None]:
    """Other deadlines for the gradings inside, all in seconds."""
    asked, ran = session.Worker.ask, session.Runner.untrusted
    budget = functools.partial(session.Budget, "", part, run)
    with (
        mock.patch.object(session, "IMPORT_SECONDS", load),
        mock.patch.object(
            asked, "__defaults__", (call, *(asked.__defaults__ or ())[1:])
        ),
        mock.patch.object(ran, "__defaults__", (call, *(ran.__defaults__ or ())[1:])),
        mock.patch.object(pipeline, "Budget", budget),
    ):
        yield


if __name__ == "__main__":
    with deadlines(*HURRIED):
        sys.exit(cli.main())
