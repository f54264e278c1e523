"""Under `INPROCESS=1`, a program that cannot be run is no fault of the grader."""

import numpy as np
import pytest

from grader.contract.case import Case
from grader.contract.outcomes import Raised, Wrong
from grader.grading.in_process import LocalRunner
from grader.oracle.runner_client import Program
from grader.sandbox.output import Output

CASE = Case("update_Q_TD0", {}, {})


def test_a_program_that_is_refused_is_wrong():
    """A program that the runner refuses fails the check that needs it."""
    runner = LocalRunner()
    runner.programs["a"] = Program(np.zeros(3, np.uint8), Output())
    with pytest.raises(Wrong, match="update_Q_TD0: "):
        runner.load("a", CASE)


def test_a_program_that_fails_has_raised():
    """An exception while a program runs is an error of the hand-in."""
    request = {"do": "run", "name": "a", "args": {}}
    with pytest.raises(Raised, match="update_Q_TD0: KeyError"):
        LocalRunner().untrusted(request, "update_Q_TD0")
