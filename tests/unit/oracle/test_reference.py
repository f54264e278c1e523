"""The reference answers a case by the program for its part, settings and shapes."""

import numpy as np
import pytest

from grader.contract.case import Case
from grader.contract.outcomes import GraderError
from grader.oracle.reference import Reference, program_key

ARGS = {"theta_Q": [np.ones(2, np.float32)], "reward": np.zeros(3, np.float32)}
CASE = Case("td_loss", {"net": "probe", "gamma": 0.5}, ARGS)
PROGRAM = np.array([7, 8], np.uint8)


class Runner:
    """A fake runner that runs nothing and returns what it was asked."""

    def trusted(self, **request):
        """Return the program's name as `loss`, and the argument `reward` unchanged."""
        assert request["do"] == "reference"
        return {"loss": request["program"], "reward": request["args"]["reward"]}


def test_answer_comes_from_the_program_of_the_case():
    """Cases that differ only in their numbers are answered by the same program."""
    reference = Reference(Runner(), {program_key(CASE): PROGRAM})
    other = CASE.replace(args={"reward": np.ones(3, np.float32)})
    answer = reference.answer(other)
    assert answer.array("loss").tolist() == [7, 8]
    assert answer.array("reward").tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "other",
    [
        Case("mc_loss", CASE.spec, ARGS),
        CASE.replace(spec={"net": "table"}),
        CASE.replace(spec={"gamma": 0.7}),
        CASE.replace(args={"reward": np.zeros(3, np.float64)}),
        CASE.replace(args={"reward": np.zeros(4, np.float32)}),
        CASE.replace(args={"theta_Q": [np.ones(3, np.float32)]}),
        CASE.replace(args={"action": np.zeros(3, np.int32)}),
    ],
    ids=["part", "net", "gamma", "dtype", "shape", "parameters", "name"],
)
def test_no_program_for_another_case(other):
    """A case without a program raises a GraderError.

    No program for another part, setting, shape or dtype is used instead.
    """
    reference = Reference(Runner(), {program_key(CASE): PROGRAM})
    with pytest.raises(GraderError, match="make reference"):
        reference.answer(other)


def test_each_case_is_computed_once():
    """The runner is asked only once for each case, even if the case is asked again."""
    runner, asked = Runner(), []
    answer = runner.trusted
    runner.trusted = lambda **request: asked.append(request) or answer(**request)
    reference = Reference(runner, {program_key(CASE): PROGRAM})
    other = CASE.replace(args={"reward": np.ones(3, np.float32)})
    for case in (CASE, other, CASE, other):
        obtained = reference.answer(case).array("reward")
        assert obtained.tolist() == case.args["reward"].tolist()
    assert len(asked) == 2
