"""The table worlds of exercise 9: right work has tiny errors, and mistakes are found.

`SEEDS=200 pytest tests/system/test_chain.py -k far_closer` tries the solution with 200
seeds. `make prove` tries all mistakes that the MDPs must find.
"""

import os

from tests.support import chains

SEEDS = range(int(os.environ.get("SEEDS", "1")))


def test_right_work_comes_far_closer():
    """The solution's error is less than 1/20 of the error that the check allows."""
    assert list(chains.right_work(SEEDS)) == []


def test_wrong_work_is_told_where():
    """A mistake that makes Q wrong fails the check; the message names the MDP."""
    assert list(chains.wrong_work(["td-no-mask", "cut is end"], range(1))) == []


def test_what_is_not_as_it_should_be_is_told(monkeypatch):
    """`wrong_work` yields a line for a hand-in that passes the check.

    The solution takes the place of a mistake here, so the check passes.
    """
    monkeypatch.setitem(chains.SOURCES, "td-no-mask", chains.SOLUTION)
    (words,) = chains.wrong_work(["td-no-mask"], range(1))
    assert words == "td-no-mask: the small MDPs say ''"
