"""`make soak` repeats gradings to see that none leaves a process or a file behind."""

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
    """`make soak` finds no problem in a few gradings.

    With N=3 it makes three gradings. With KILL=2 it kills the grader of two gradings.
    """
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
    """Two gradings in one process leave no file in the folder for temporary files."""
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
