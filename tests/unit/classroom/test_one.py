"""A hand-in and its options arrive unchanged in the process that grades it."""

import io
from dataclasses import replace
from pathlib import Path

import pytest

from grader.classroom import one
from grader.contract.limits import LIMITS
from grader.grading.pipeline import Options
from grader.inside.protocol import ProtocolError
from grader.intake.submission import Submission

SUBMISSION = Submission(
    name="caf\udce9 \ud800.py",
    source=b"\xff\x00" * (1 << 19),  # 1 MiB: the largest allowed hand-in
    problem="\udcff cannot be read",
    cells=tuple(range(50_000)),
    notes=("\udce9.py was taken",),
    exported=True,
    cell_names=("In[7]", "cell 2"),
)
OPTIONS = Options(
    seed="ß",
    only=("td_loss", "sync_target"),
    tier="bwrap",
    limits=replace(LIMITS, call_seconds=0.5),
    twice=True,
)


def test_round_trip():
    """Packing and unpacking change neither a hand-in nor the options of its grading.

    Only the path of the hand-in is lost.
    """
    sent = replace(SUBMISSION, path=Path("dqn.py"))
    frame = one.pack(sent, OPTIONS)
    assert one.unpack(io.BytesIO(frame)) == (SUBMISSION, OPTIONS)


@pytest.mark.parametrize("kept", [0, 3, 8, 100, -1])
def test_a_frame_that_is_cut_short(kept):
    """A packed hand-in that is cut short is refused."""
    frame = one.pack(SUBMISSION, OPTIONS)[:kept]
    with pytest.raises(ProtocolError):
        one.unpack(io.BytesIO(frame))
