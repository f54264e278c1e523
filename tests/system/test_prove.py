"""`make prove` on a few hand-ins; it grades the whole corpus in CI."""

import sys

import pytest

from tests.tools import prove

MUTANTS = ("td-half", "sync-never", "ties-by-index")
CHEAT = "rows-invented"
VARIANT = "learning-td_loss-a-short-cut-where-gamma-is-0"
NARROW = "example-sync_target"


def test_some(monkeypatch, capsys):
    """Mutants are caught and told, a cheat gets nothing, a variant loses nothing."""
    monkeypatch.setattr(sys, "argv", ["prove", *MUTANTS, VARIANT, NARROW])
    assert prove.main() == 0
    out = capsys.readouterr().out
    assert "3 of 3" in out
    for id in MUTANTS:
        assert f"{id}  caught  " in out
    assert "td-half  caught  rightly" in out
    assert "→ " in out  # what a student reads
    assert f"right {VARIANT}  loses nothing" in out
    assert f"narrow {NARROW}  fails example" in out


@pytest.mark.parametrize("ids", [["no-such-mutant"], ["q_network-no*such"]])
def test_unknown_ids(monkeypatch, capsys, ids):
    """What names nothing proves nothing."""
    monkeypatch.setattr(sys, "argv", ["prove", *ids])
    assert prove.main() == 1
    assert "no mutant, variant or cheat has such an id" in capsys.readouterr().out


def test_cheat(monkeypatch, capsys):
    """A cheat is graded on learning, and gets nothing."""
    monkeypatch.setattr(sys, "argv", ["prove", CHEAT])
    assert prove.main() == 0
    assert f"cheat {CHEAT}  gets nothing" in capsys.readouterr().out
