"""Exercise 9's small MDPs: right work comes far closer than asked, wrong work does not.

`SEEDS=200 pytest tests/system/test_chain.py -k far_closer` measures the former at
length; `make prove` looks at all mistakes that the MDPs are there for.
"""

import os

from tests.support import chains

SEEDS = range(int(os.environ.get("SEEDS", "1")))


def test_right_work_comes_far_closer():
    """The solution's error is a twentieth of what is allowed, at most."""
    assert list(chains.right_work(SEEDS)) == []


def test_wrong_work_is_told_where():
    """A mistake that spoils Q fails; the message says in which MDP."""
    assert list(chains.wrong_work(["td-no-mask", "cut is end"], range(1))) == []


def test_what_is_not_as_it_should_be_is_told(monkeypatch):
    """A right hand-in that is taken for a mistake is told of."""
    monkeypatch.setitem(chains.SOURCES, "td-no-mask", chains.SOLUTION)
    (words,) = chains.wrong_work(["td-no-mask"], range(1))
    assert words == "td-no-mask: the small MDPs say ''"
