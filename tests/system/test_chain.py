"""In the table worlds, right work has tiny errors, and mistakes fail the check.

`SEEDS=200 pytest tests/system/test_chain.py -k far_closer` tries the solution with 200
seeds. `make prove` tries all mistakes that the MDPs must find.
"""

import os

from tests.support import chains

SEEDS = range(int(os.environ.get("SEEDS", "1")))


def test_right_work_comes_far_closer():
    """The solution's error in Q is less than 1/20 of the largest error that passes."""
    assert list(chains.right_work(SEEDS)) == []


def test_wrong_work_is_told_where():
    """Two mistakes fail the check of the tables.

    The message for `td-no-mask` names an MDP. The message for "cut is end" says that
    `sample` returned a transition that is not in the buffer.
    """
    assert list(chains.wrong_work(["td-no-mask", "cut is end"], range(1))) == []


def test_what_is_not_as_it_should_be_is_told(monkeypatch):
    """`wrong_work` yields a sentence if a mutant passes the check of the tables.

    To test this, the solution takes the place of the mutant.
    """
    monkeypatch.setitem(chains.SOURCES, "td-no-mask", chains.SOLUTION)
    (words,) = chains.wrong_work(["td-no-mask"], range(1))
    assert words == "td-no-mask: the small MDPs say ''"
