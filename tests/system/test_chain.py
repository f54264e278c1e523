"""In the table worlds the solution has tiny errors, and mistakes fail the check.

The table worlds are small MDPs, whose right values are known.
`SEEDS=200 pytest tests/system/test_chain.py -k far_closer` tests the solution with 200
seeds. `make prove` also tests all mistakes that must fail this check.
"""

import os

from tests.support import chains

SEEDS = range(int(os.environ.get("SEEDS", "1")))


def test_right_work_comes_far_closer():
    """The solution's error in Q is less than 1/20 of the largest allowed error."""
    assert list(chains.right_work(SEEDS)) == []


def test_wrong_work_is_told_where():
    """Two mistakes fail the check of the tables with the right message.

    For the mistake `td-no-mask` the message names an MDP. For the mistake "cut is end"
    it says that `sample` returned a transition that is not in the buffer.
    """
    assert list(chains.wrong_work(["td-no-mask", "cut is end"], range(1))) == []


def test_what_is_not_as_it_should_be_is_told(monkeypatch):
    """`wrong_work` yields a sentence if a mutant passes the check of the tables.

    This test gives the mutant the text of the solution, so that it passes.
    """
    monkeypatch.setitem(chains.SOURCES, "td-no-mask", chains.SOLUTION)
    (words,) = chains.wrong_work(["td-no-mask"], range(1))
    assert words == "td-no-mask: the small MDPs say ''"
