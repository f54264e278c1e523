"""Imports point one way: from what is shown to what is asked, never back."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from grader.contract.exercises import ROOT

GRADER = ROOT / "grader"

# What the helper processes are made of, and what of ours each file may import.
INSIDE = {
    "limits": set(),
    "kernel": set(),
    "landlock": {"kernel"},
    "seccomp": {"kernel"},
    "confine": {"kernel", "landlock", "limits", "seccomp"},
    "intruder": {"protocol"},
    "protocol": set(),
    "parts": {"protocol"},
    "programs": {"protocol"},
    "steps": {"parts"},
    "logbook": {"train"},
    "learning": {"logbook", "parts", "steps", "train"},
    "worker": {"parts", "protocol"},
    "runner": {"parts", "protocol", "learning", "programs"},
}
# The trusted side, the lowest layer first: a module imports from lower layers only.
LAYERS = [
    ["control_group", "escape", "mdps", "outcomes", "protocol", "seeds", "watched"],
    ["archive", "contents", "notebook", "printed"],
    ["submission"],
    ["sandbox", "report", "compare"],
    ["client"],
    ["session", "doctor"],
    ["cases", "desk"],
    ["ladders", "readoff"],
    ["probes", "facts"],
    ["diagnose"],
    ["reference"],
    ["cartpole", "plugin", "terminal", "picture"],
    ["again"],
    ["grading"],
    ["recording", "inprocess"],
    ["cli"],
    ["__main__"],
]
CHECKS_MAY_IMPORT = {
    "cases",
    "compare",
    "escape",
    "ladders",
    "mdps",
    "outcomes",
    "readoff",
    "session",
    "cartpole",
    "watched",
    "checks",
}
UNTRUSTED = {
    *("worker", "runner", "parts", "programs", "learning", "logbook", "steps"),
    *("intruder",),
    *("confine", "kernel", "landlock", "limits", "seccomp"),
    *("dqn", "train"),
}
HEAVY = {"jax", "jaxlib", "equinox", "optax", "gymnasium", "matplotlib"}
TRUSTED = [name for layer in LAYERS for name in layer]
REPORTERS = sorted(path.name for path in (GRADER / "reporters").glob("*.py"))
REPORTERS_MAY_IMPORT = {
    *("escape", "outcomes", "report", "reporters", "submission", "terminal"),
}
CLASSROOM = sorted(path.name for path in (GRADER / "classroom").glob("*.py"))
CHECKS = sorted(path.name for path in (GRADER / "checks").glob("*.py"))


def imports(path: Path) -> set[str]:
    """Every module that a file imports anywhere, by its full dotted name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names if node.module == "grader" else {node.module or ""}
    return found


def ours(path: Path) -> set[str]:
    """The modules of `grader` among them, by the name below it."""
    found = {name.removeprefix("grader.") for name in imports(path) if "grader" in name}
    return {name.split(".")[0] for name in found}


def roots(path: Path) -> set[str]:
    """The top-level packages among them."""
    return {name.split(".")[0] for name in imports(path)}


def test_every_module_has_its_place():
    """A new file has to be put into one of the tables."""
    found = {path.stem for path in GRADER.glob("*.py")} - {"__init__"}
    assert found == {*TRUSTED, *INSIDE}


@pytest.mark.parametrize("name", INSIDE)
def test_inside(name):
    """Worker and runner import their few files and nothing of the trusted side."""
    path = GRADER / f"{name}.py"
    modules = {file.stem for file in GRADER.glob("*.py")} | {"grader", "train", "dqn"}
    assert roots(path) & modules <= INSIDE[name]


@pytest.mark.parametrize("name", TRUSTED)
def test_layers(name):
    """A trusted module imports from lower layers only."""
    (level,) = [i for i, layer in enumerate(LAYERS) if name in layer]
    lower = {module for layer in LAYERS[:level] for module in layer}
    assert ours(GRADER / f"{name}.py") <= lower


@pytest.mark.parametrize("name", TRUSTED)
def test_trusted_side_runs_nothing_of_the_hand_in(name):
    """No trusted module imports JAX or a file of the helpers; but for debugging."""
    allowed = {"worker", "runner"} if name == "inprocess" else set()
    assert roots(GRADER / f"{name}.py") & (HEAVY | UNTRUSTED) <= allowed
    assert not ours(GRADER / f"{name}.py") & UNTRUSTED


@pytest.mark.parametrize("name", CHECKS)
def test_checks(name):
    """Checks know questions, answers and comparison, and each other; no process."""
    path = GRADER / "checks" / name
    assert ours(path) <= CHECKS_MAY_IMPORT
    assert not roots(path) & (HEAVY | UNTRUSTED)


@pytest.mark.parametrize("name", REPORTERS)
def test_reporters(name):
    """What writes a report for other programs knows the report, and no process."""
    path = GRADER / "reporters" / name
    assert ours(path) <= REPORTERS_MAY_IMPORT
    assert not roots(path) & (HEAVY | UNTRUSTED)


@pytest.mark.parametrize("name", CLASSROOM)
def test_classroom(name):
    """What grades a class uses the trusted side, and nothing there knows of it."""
    path = GRADER / "classroom" / name
    assert ours(path) <= {"classroom", "reporters", *TRUSTED}
    assert not roots(path) & (HEAVY | UNTRUSTED)


@pytest.mark.parametrize(
    "name",
    [*(f"{name}.py" for name in TRUSTED), *(f"classroom/{name}" for name in CLASSROOM)],
)
def test_nothing_is_unpickled(name):
    """No trusted module has a way to make objects, or code, of bytes."""
    path = GRADER / name
    assert not roots(path) & {"pickle", "marshal", "shelve", "runpy"}
    names = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not names & {"eval", "exec", "compile", "__import__"}


def test_importing_the_grader_is_light():
    """A fresh interpreter with the whole trusted side has neither JAX nor a helper."""
    modules = ", ".join(f"grader.{name}" for name in TRUSTED if name != "__main__")
    code = f"import sys, {modules}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not set(done.stdout.split()) & (HEAVY | UNTRUSTED)
