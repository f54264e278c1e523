"""Hours of grading leave nothing behind: `make soak`, here for a moment only."""

import os
import subprocess
import sys

import pytest

from grader.sandbox import tiers
from tests.support.edits import ROOT
from tests.support.grading import require

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"N": "3"}, "1 hostile one exercise"),
        ({"KILL": "2"}, "2 graders killed"),
    ],
    ids=str,
)
def test_soak(given, told):
    """A few gradings in a row, and a few graders killed: all as it should be."""
    if tiers.choose_tier("") not in tiers.ISOLATING:
        require("landlock")
    environment = {**os.environ, "SEED": "3", **given}
    words = [sys.executable, "-m", "tests.tools.soak"]
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert told in done.stdout
    assert "0 temporary files" in done.stdout


def test_gradings_in_a_row_leave_no_folder(tmp_path):
    """Where one process grades again and again, its temporary files go each time."""
    script = """
import sys
from grader.grading import pipeline
from grader.intake.take import take

for only in ("sync_target", "td_loss"):
    options = pipeline.Options(seed="1", only=(only,))
    pipeline.grade(take("solution"), options, pipeline.Progress())
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", script]
    subprocess.run(words, cwd=ROOT, env=environment, check=True)
    assert list(tmp_path.iterdir()) == []
