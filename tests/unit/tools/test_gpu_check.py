"""The comparison of a GPU with the CPU finds each problem; no result is from a GPU."""

import numpy as np
import pytest

from grader.contract import compare
from grader.contract.exercises import UNITS
from tests.tools import gpu_check
from tests.tools.gpu_check import LEARNS, MISTAKES, Result, Side

PASSED, FAILED = ("passed", 2.0, 2.0, ""), ("failed", 0.0, 2.0, "a-name")


def sides() -> list[Side]:
    """Return fake results of a GPU and of a CPU, in this order, without any problem."""
    both = []
    for label in ("gpu", "cpu"):
        side = Side(label, start=3.0, shares={"td_loss": (2, 0.25)})
        for hand_in in gpu_check.chosen():
            exercises = {f"{name}.one": PASSED for name in hand_in.exercises}
            if hand_in.name in MISTAKES:
                exercises[f"{hand_in.exercises[0]}.one"] = FAILED
            side.results[hand_in.name] = Result(hand_in.name, exercises, 1.5)
        side.results[LEARNS] = Result(LEARNS, {"learning.one": PASSED}, 9.0)
        both.append(side)
    return both


def give(side: Side, name: str, **verdicts: tuple) -> None:
    """Replace the result of one hand-in on a device.

    Args:
        side: the results on the device.
        name: name of the hand-in.
        verdicts: for each check, the tuple (outcome, points, largest points,
            diagnosis). The key is the names of exercise and check, joined by `__`.
    """
    named = {check.replace("__", "."): verdict for check, verdict in verdicts.items()}
    side.results[name] = Result(name, named, 1.5)


def test_chosen_hand_ins():
    """`chosen` returns 21 hand-ins, with a mistake in each of the exercises 1–8."""
    hand_ins = {hand_in.name: hand_in for hand_in in gpu_check.chosen()}
    assert len(hand_ins) == 21
    assert {hand_ins[name].exercises[0] for name in MISTAKES} == {*UNITS}
    assert hand_ins[gpu_check.THE_SOLUTION].exercises == tuple(UNITS)
    assert {"td_loss", "td_update"} <= {*hand_ins["td-huber"].exercises}
    assert hand_ins["float64"].fresh


@pytest.mark.parametrize("scale", [0.0, 1.0, 300.0])
def test_share_of_the_tolerance(scale):
    """`share` returns a deviation divided by the tolerance of the checks.

    The checks accept 0.999 tolerances and refuse 1.1.
    """
    recorded = np.array([scale, 0.0])
    allowed = compare.ATOL + compare.RTOL * scale
    for times, accepted in ((0.999, True), (1.1, False)):
        obtained = recorded + np.array([0.0, times * allowed])
        assert gpu_check.share(obtained, recorded) == pytest.approx(times)
        found = compare.value_problem("x", obtained, recorded)
        assert (found is None) == accepted


def test_share_of_other_shapes_and_nan():
    """`share` is infinite for another shape, or for NaN in place of a number.

    It is 0 for two NaN at the same place, and large for different bools.
    """
    one = np.ones(3)
    assert gpu_check.share(np.ones(4), one) == np.inf
    assert gpu_check.share(np.array([1, 1, np.nan]), one) == np.inf
    nan = np.array([1, np.nan, 1])
    assert gpu_check.share(nan, nan) == 0
    assert gpu_check.share(np.array([True, False]), np.array([True, True])) > 1e3


def test_shares_by_part():
    """`shares` returns, by part, the number of arrays and the largest `share` of one.

    An array counts only if it is among both the recorded and the computed answers.
    """
    obtained = {"td_loss/1/loss": np.ones(1), "td_loss/2/loss": np.full(1, 1.00011)}
    recorded = {name: np.ones(1) for name in obtained}
    found = gpu_check.shares(
        {**obtained, "td_loss/3/loss": np.ones(1)}, {**recorded, "mc/1/x": np.ones(1)}
    )
    assert found == {"td_loss": (2, pytest.approx(1.0, rel=1e-6))}


def test_no_problem():
    """No problem is found if both devices agree and tell right from wrong hand-ins."""
    assert gpu_check.problems(sides()) == []
    text = gpu_check.page(sides(), "a card", 100.0)
    assert "- a card\n" in text
    assert "- no problem was found" in text
    assert "| td-huber | td_loss.one | yes | 1.5 | 1.5 |" in text
    assert "| td_loss | 2 | 25.00% | 25.00% |" in text


@pytest.mark.parametrize(
    "verdict", [FAILED, ("timeout", 0.0, 2.0, ""), ("passed", 1.0, 2.0, "")]
)
def test_a_right_hand_in_that_loses(verdict):
    """It is a problem if a right hand-in loses points on a device.

    It is another problem if its results differ between the devices.
    """
    both = sides()
    give(both[0], "monte_carlo-convolution", monte_carlo__one=verdict)
    told = "\n".join(gpu_check.problems(both))
    assert "monte_carlo-convolution on gpu loses points in monte_carlo.one" in told
    assert "monte_carlo-convolution: monte_carlo.one differs" in told
    assert "| monte_carlo-convolution | monte_carlo.one | NO |" in gpu_check.page(
        both, "a card", 100.0
    )


def test_mistakes_that_are_missed_or_named_otherwise():
    """It is a problem if a wrong hand-in keeps all points, or loses points elsewhere.

    Elsewhere means in another exercise than that of its mistake. It is also a problem
    if the devices give different diagnoses.
    """
    both = sides()
    give(both[0], "mc-rmse", monte_carlo__one=PASSED)
    give(both[0], "td-huber", td_loss__one=FAILED, td_update__one=FAILED)
    give(both[0], "out-tanh", q_network__one=("failed", 0.0, 2.0, "another"))
    told = "\n".join(gpu_check.problems(both))
    assert "mc-rmse on gpu loses points in nowhere" in told
    assert "td-huber on gpu loses points in td_loss.one, td_update.one" in told
    assert "out-tanh: q_network.one differs" in told
    assert "out-tanh on" not in told


def test_what_was_left_out_is_told():
    """Missing gradings, missing or large deviations, and an early end are problems."""
    both = sides()
    del both[1].results[LEARNS]
    both[1].shares, both[0].problem = None, "GraderError: no card"
    both[0].shares = {"td_loss": (2, 1.5)}
    assert gpu_check.problems(both) == [
        "gpu: GraderError: no card",
        f"left out for lack of time: {LEARNS}",
        "td_loss on gpu deviates by 1.5 tolerances",
        "on cpu no deviations were measured",
    ]


def test_a_grader_error_is_told():
    """A grader error on one of the devices is a problem."""
    both = sides()
    both[0].results["out-tanh"] = Result("out-tanh", {}, 1.0, "grader error: no memory")
    told = gpu_check.problems(both)
    assert "out-tanh on gpu: grader error: no memory" in told
