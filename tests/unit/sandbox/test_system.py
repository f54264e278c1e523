"""A grader finds the folders of graders that were killed, and no others."""

import os

import pytest

from grader.sandbox import system

NO_PROCESS = 1 << 22  # larger than any process number on Linux

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows keeps no folders")


def test_folders_of_dead_graders_of_this_machine_are_found(tmp_path):
    """Only these may be removed: a process number says nothing of another machine."""
    own = f"{system.FOLDER}{system.machine()}-"
    names = {
        "dead": f"{own}{NO_PROCESS}-abc",
        "alive": f"{own}{os.getpid()}-abc",
        "of another machine": f"{system.FOLDER}0123abcd4026531836-{NO_PROCESS}-abc",
        "of no grader": f"other-{NO_PROCESS}-abc",
    }
    for name in names.values():
        (tmp_path / name).mkdir()
    assert [*system.left_behind(tmp_path)] == [tmp_path / names["dead"]]


def test_own_folders_have_the_own_prefix(tmp_path):
    """The number of the process stands where `left_behind` looks for it."""
    dead = system.own_prefix().replace(f"-{os.getpid()}-", f"-{NO_PROCESS}-")
    (tmp_path / f"{dead}abc").mkdir()
    assert [path.name for path in system.left_behind(tmp_path)] == [f"{dead}abc"]
