"""A tier has promises, gives a helper certain folders, and is chosen by strength."""

import re

import pytest

from grader.contract.exercises import ROOT
from grader.contract.outcomes import GraderError
from grader.sandbox import launch, self_test, tiers
from grader.sandbox.tiers import ISOLATING


def test_table_of_promises():
    """The stored table TIERS.md agrees with the promises in `self_test.promised`."""
    text = (ROOT / "tests" / "evidence" / "TIERS.md").read_text(encoding="utf-8")
    block = re.search(r"```\n(.*?)```", text, re.S)
    assert block is not None
    assert block[1].splitlines() == self_test.table(self_test.promised())


def test_the_grader_is_out_of_reach(monkeypatch, tmp_path):
    """The folders that a helper may read do not include the grader's folder.

    Landlock cannot forbid a folder inside of a permitted folder. So if a system folder
    holds the grader, all other folders in the system folder are permitted one by one.
    """
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


# ---------------------------------------------------------------- a GPU


def test_variables_for_cuda(monkeypatch):
    """The variables that CUDA reads reach a helper on the GPU, and no other helper."""
    cuda = {"LD_LIBRARY_PATH": "/driver", "CUDA_VISIBLE_DEVICES": "3"}
    for name, value in cuda.items():
        monkeypatch.setenv(name, value)
    on_gpu = launch.environment_for("runner", True)
    assert cuda.items() <= on_gpu.items()
    assert on_gpu["JAX_PLATFORMS"] == "cuda"
    assert on_gpu["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    for role in ("worker", "runner"):
        on_cpu = launch.environment_for(role, False)
        assert on_cpu["JAX_PLATFORMS"] == "cpu"
        assert not cuda.keys() & on_cpu.keys()


def test_files_for_cuda(monkeypatch, tmp_path):
    """On the GPU, Landlock lets a helper use the GPU's files and name its own threads.

    Without a GPU it does not.
    """
    monkeypatch.setattr(launch, "gpu_devices", lambda: ["/dev/nvidia0"])
    needed = {"/proc/self/task", "/dev/nvidia0"}
    assert needed <= {*launch.reach(tmp_path, tmp_path, True)["write"]}
    assert not needed & {*launch.reach(tmp_path, tmp_path, False)["write"]}


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
    """If no tier is requested, the strongest tier that works is chosen.

    From strong to weak, the tiers are bwrap, landlock and process.
    """
    only(*working)
    assert tiers.choose_tier("") == chosen


@pytest.mark.parametrize("tier", ISOLATING)
def test_a_wish_is_never_replaced(only, tier):
    """If the requested tier does not work, that is an error; no other tier is used."""
    only(*(other for other in ISOLATING if other != tier))
    with pytest.raises(GraderError, match=f"SANDBOX={tier} does not work here"):
        tiers.choose_tier(tier)
    with pytest.raises(GraderError, match=f"OFFICIAL=1.*no {tier}"):
        self_test.choose_official_tier(tier)


def test_official_in_so_many_words(only):
    """If no tier isolates, an official run fails unless SANDBOX=process is given."""
    only()
    assert self_test.choose_official_tier("process") == "process"
    with pytest.raises(GraderError, match=r"bwrap: no bwrap; landlock: no landlock"):
        self_test.choose_official_tier("")
