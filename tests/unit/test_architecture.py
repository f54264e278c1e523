"""Rules for the code of the grader: allowed imports, and the largest allowed sizes."""

import ast
from pathlib import Path

import pytest

from grader.contract.exercises import ROOT

GRADER = ROOT / "grader"
# For each room, the rooms that its files may import. `arguments`, `cli`, `escape` and
# `__main__` are single files.
MAY_IMPORT = {
    "contract": "",
    "inside": "",
    "escape": "",
    "intake": "contract escape",
    "sandbox": "contract escape inside.protocol",
    "oracle": "contract escape intake sandbox",
    "diagnosis": "contract oracle",
    "report": "contract escape",
    "checks": "contract escape oracle diagnosis",
    "grading": "contract escape intake sandbox oracle diagnosis report inside",
    "arguments": "contract escape",
    "watch": "contract intake sandbox oracle report grading",
    "cli": "contract escape intake sandbox report grading arguments watch",
    "classroom": "contract escape intake sandbox oracle report grading arguments cli"
    " inside.protocol",
    "__main__": "cli",
}
HEAVY = {"jax", "jaxlib", "equinox", "optax", "gymnasium", "matplotlib"}
MODULES = sorted(path for path in GRADER.rglob("*.py"))
TRUSTED = [path for path in MODULES if GRADER / "inside" not in path.parents]
# The only trusted module that may import helpers: it serves `INPROCESS=1`.
IN_PROCESS = GRADER / "grading" / "in_process.py"
MAX_LINES, MAX_FUNCTION, MAX_FILES = 400, 60, 13


def name_of(path: Path) -> str:
    """Return the dotted name of a module's file.

    For `a/__init__.py` this is the name of the package, `a`.
    """
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path): path for path in MODULES}


def imports(path: Path) -> set[str]:
    """Return the full dotted names of all modules that a file imports.

    For a call such as `import_module(f"grader.checks.{name}")`, the set holds the
    constant part of the text, `grader.checks`.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = whole & NAMES.keys()
            found |= modules or {node.module or ""}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in (
            *("importlib.import_module", "import_module", "__import__"),
            "runpy.run_module",
        ):
            texts = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant)]
            found |= {text.rstrip(".") for text in texts if isinstance(text, str)}
    return found


def room_of(name: str) -> str:
    """Return the room of a module, which is the second part of its dotted name.

    The result is "" if the module is in no room.
    """
    return name.split(".")[1] if "." in name else ""


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_rooms(path):
    """A file imports modules of its own room and of the rooms in `MAY_IMPORT` only."""
    room = room_of(name_of(path))
    allowed = {f"grader.{name}" for name in MAY_IMPORT.get(room, "").split()}
    for name in imports(path):
        if name.split(".")[0] != "grader" or room_of(name) in ("", room):
            continue
        permitted = f"grader.{room_of(name)}" in allowed or name in allowed
        assert permitted, f"{room} may not import {name}"


def test_every_room_is_known():
    """`MAY_IMPORT` has an entry for each room, and for nothing else."""
    assert {room_of(name) for name in NAMES} - {""} == MAY_IMPORT.keys()


@pytest.mark.parametrize("path", TRUSTED, ids=name_of)
def test_trusted_side_runs_nothing_of_the_hand_in(path):
    """No trusted module imports JAX or a library built on JAX.

    Of the room `inside`, trusted modules import only `protocol`.
    """
    found = imports(path)
    assert not {name.split(".")[0] for name in found} & {*HEAVY, "dqn", "train"}
    inside = {name for name in found if room_of(name) == "inside"}
    if path != IN_PROCESS:
        assert inside <= {"grader.inside.protocol"}


@pytest.mark.parametrize("path", TRUSTED, ids=name_of)
def test_nothing_is_unpickled(path):
    """No trusted module can turn bytes into Python objects or Python code."""
    tops = {name.split(".")[0] for name in imports(path)}
    assert not tops & {"pickle", "marshal", "shelve", "runpy"}
    names = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not names & {"eval", "exec", "compile", "__import__"}


def test_nothing_of_the_product_imports_tests():
    """The grader, the starter and the solution do not import `tests`."""
    for path in [*MODULES, *ROOT.glob("starter/*.py"), *ROOT.glob("solution/*.py")]:
        assert not {name for name in imports(path) if name.split(".")[0] == "tests"}


def test_no_cycles():
    """The imports of the grader and of the starter have no cycles."""
    starter = {path.stem: path for path in ROOT.glob("starter/*.py")}
    graph = {
        name: {found for found in imports(path) if found in NAMES or found in starter}
        for name, path in {**NAMES, **starter}.items()
    }
    while leaves := [name for name, found in graph.items() if not found & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert not graph


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_and_functions_are_small(path):
    """A module has at most 400 lines, and a function at most 60 lines."""
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= MAX_FUNCTION, f"{node.name} has {lines} lines"


def test_folders_are_small():
    """A folder of the grader has at most 13 Python files."""
    folders = {path.parent for path in MODULES}
    files = {folder: len([*folder.glob("*.py")]) for folder in folders}
    assert {f.name: n for f, n in files.items() if n > MAX_FILES} == {}


def test_every_room_says_what_it_is_for():
    """Each package has a docstring of 1 to 10 lines."""
    for path in MODULES:
        if path.name == "__init__.py":
            lines = (ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()
            assert 1 <= len(lines) <= 10, path
