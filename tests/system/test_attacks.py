"""Two attacks fail against the real grader; `make attacks` tries all attacks."""

import json
import subprocess
import sys

import pytest

from tests.support.attack_runs import (
    TESTS,
    all_attacks,
    changed_next,
    first_report,
)
from tests.support.grading import require
from tests.tools.attacks import carry_out

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="attacks on Linux' processes; CI runs them"
)

ATTACKS = {one.name: one for one in all_attacks()}


@pytest.mark.parametrize(
    ("name", "tier"), [("says_that_it_passed", "process"), ("forks", "bwrap")]
)
def test_attack(name: str, tier: str) -> None:
    """The attack breaks no promise of the grader.

    A mutant is graded before and after the attack, and both reports are equal.
    """
    one = ATTACKS[name]
    first_report(require(tier))
    _, not_as_told = carry_out([(one, tier)])
    assert not_as_told == []
    assert not changed_next(tier)


def test_survivors_are_found_and_ended() -> None:
    """`supervisor.py` lists and kills a process that its command has left behind.

    The process has left the command's session.
    """
    code = "import os\nif os.fork() == 0:\n    os.setsid()\n    "
    code += "os.fork() or os.execlp('sleep', 'sleep', '6' + '0' * 8)\nprint('ended')"
    supervisor = [
        sys.executable,
        "-I",
        "-S",
        str(TESTS / "support" / "supervisor.py"),
        "600",
        "5",
    ]
    done = subprocess.run(
        [*supervisor, sys.executable, "-c", code], capture_output=True, check=True
    )
    told = json.loads(done.stdout)
    assert told["code"] == 0
    assert told["survivors"] == ["sleep 600000000"]
