"""`make prove` works on a few hand-ins; CI runs `make prove` on the whole corpus."""

import sys

import pytest

from tests.tools import prove

MUTANTS = ("td-half", "sync-never", "ties-by-index")
CHEAT = "rows-invented"
VARIANT = "learning-td_loss-a-short-cut-where-gamma-is-0"
NARROW = "example-sync_target"


def test_some(monkeypatch, capsys):
    """`make prove` accepts three mutants, a variant, and a narrow mistake.

    The mutants lose points, and the variant loses none. The narrow mistake, which few
    cases show, fails the check that must find it.
    """
    monkeypatch.setattr(sys, "argv", ["prove", *MUTANTS, VARIANT, NARROW])
    assert prove.main() == 0
    out = capsys.readouterr().out
    assert "3 of 3" in out
    for id in MUTANTS:
        assert f"{id}  caught  " in out
    assert "td-half  caught  rightly" in out
    assert "→ " in out  # the hint for the student
    assert f"right {VARIANT}  loses nothing" in out
    assert f"narrow {NARROW}  fails example" in out


@pytest.mark.parametrize("ids", [["no-such-mutant"], ["q_network-no*such"]])
def test_unknown_ids(monkeypatch, capsys, ids):
    """An unknown id gives exit code 1 and a message."""
    monkeypatch.setattr(sys, "argv", ["prove", *ids])
    assert prove.main() == 1
    assert "no mutant, variant or cheat has such an id" in capsys.readouterr().out


def test_cheat(monkeypatch, capsys):
    """`make prove` grades a cheat on learning, and the cheat gets no points."""
    monkeypatch.setattr(sys, "argv", ["prove", CHEAT])
    assert prove.main() == 0
    assert f"cheat {CHEAT}  gains nothing" in capsys.readouterr().out
