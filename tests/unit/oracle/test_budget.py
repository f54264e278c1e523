"""The messages of a budget that is used up."""

import pytest

from grader.contract.limits import Limits
from grader.oracle.budget import Budget


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("td_loss", "td_loss has used up its 45 s"),
        ("the network", "the network: td_loss has used up its 45 s"),
    ],
)
def test_a_part_is_named_once(what, message):
    """The part that was asked is named before the part that has used up its time."""
    budget = Budget(Limits(part_seconds=45.0), part="td_loss", spent={"td_loss": 45.0})
    assert str(budget.late(what, 15.0)) == message
