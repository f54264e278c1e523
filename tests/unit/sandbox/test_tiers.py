"""Which tier is chosen, and when an official run refuses."""

import re

import pytest

from grader.contract.exercises import ROOT
from grader.contract.outcomes import GraderError
from grader.sandbox import launch, self_test, tiers
from grader.sandbox.tiers import ISOLATING


def test_table_of_promises():
    """The stored table shows what is tested here."""
    text = (ROOT / "tests" / "evidence" / "TIERS.md").read_text(encoding="utf-8")
    block = re.search(r"```\n(.*?)```", text, re.S)
    assert block is not None
    assert block[1].splitlines() == self_test.table(self_test.promised())


def test_the_grader_is_out_of_reach(monkeypatch, tmp_path):
    """Landlock can only permit: of a folder that holds the grader, what lies beside."""
    system = tmp_path / "usr"
    grader = system / "src" / "homework"
    for place in (system / "lib", system / "src" / "other", grader / "grader"):
        place.mkdir(parents=True)
    python = grader / ".venv"
    monkeypatch.setattr(launch, "ROOT", grader)
    monkeypatch.setattr(launch, "system_paths", lambda: [str(system), str(python)])
    read = launch.reach(tmp_path / "harness", tmp_path / "home", False)["read"]
    assert {str(system / "lib"), str(system / "src" / "other"), str(python)} <= {*read}
    above = {str(folder) for folder in (grader, *grader.parents)}
    assert not above & {*read}


# ---------------------------------------------------------------- choosing a tier


@pytest.mark.parametrize(
    ("working", "chosen"),
    [
        (("bwrap", "landlock"), "bwrap"),
        (("landlock",), "landlock"),
        (("bwrap",), "bwrap"),
        ((), "process"),
    ],
)
def test_the_strongest_is_chosen(only, working, chosen):
    """Bubblewrap, then Landlock, then a plain process, when nothing is asked."""
    only(*working)
    assert tiers.choose_tier("") == chosen


@pytest.mark.parametrize("tier", ISOLATING)
def test_a_wish_is_never_replaced(only, tier):
    """A tier that was asked for and does not work is an error."""
    only(*(other for other in ISOLATING if other != tier))
    with pytest.raises(GraderError, match=f"SANDBOX={tier} does not work here"):
        tiers.choose_tier(tier)
    with pytest.raises(GraderError, match=f"OFFICIAL=1.*no {tier}"):
        self_test.choose_official_tier(tier)


def test_official_in_so_many_words(only):
    """Without a sandbox an official run needs SANDBOX=process."""
    only()
    assert self_test.choose_official_tier("process") == "process"
    with pytest.raises(GraderError, match=r"bwrap: no bwrap; landlock: no landlock"):
        self_test.choose_official_tier("")
