"""The rooms of the grader: what may import what, and how large things may become."""

import ast
from pathlib import Path

import pytest

from grader.contract.exercises import ROOT

GRADER = ROOT / "grader"
# By room, the rooms from which its files may import. `cli` and `escape` are files.
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
    "cli": "contract escape intake sandbox report grading",
    "classroom": "contract escape intake sandbox oracle report grading cli"
    " inside.protocol",
    "__main__": "cli",
}
HEAVY = {"jax", "jaxlib", "equinox", "optax", "gymnasium", "matplotlib"}
MODULES = sorted(path for path in GRADER.rglob("*.py"))
TRUSTED = [path for path in MODULES if GRADER / "inside" not in path.parents]
IN_PROCESS = GRADER / "grading" / "in_process.py"  # for debugging, and no grade
MAX_LINES, MAX_FUNCTION, MAX_FILES = 400, 60, 13


def name_of(path: Path) -> str:
    """Return a module's dotted name, that of a package without `__init__`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path): path for path in MODULES}


def imports(path: Path) -> set[str]:
    """Return every module that a file imports anywhere, by its full dotted name.

    Of a call that imports, the text that stands in it.
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
    """Return the room of a module of the grader, by its dotted name."""
    return name.split(".")[1] if "." in name else ""


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_rooms(path):
    """A file imports from its own room, and from those that its room may import."""
    room = room_of(name_of(path))
    allowed = {f"grader.{name}" for name in MAY_IMPORT.get(room, "").split()}
    for name in imports(path):
        if name.split(".")[0] != "grader" or room_of(name) in ("", room):
            continue
        permitted = f"grader.{room_of(name)}" in allowed or name in allowed
        assert permitted, f"{room} may not import {name}"


def test_every_room_is_known():
    """A new room has to be put into the table."""
    assert {room_of(name) for name in NAMES} - {""} == MAY_IMPORT.keys()


@pytest.mark.parametrize("path", TRUSTED, ids=name_of)
def test_trusted_side_runs_nothing_of_the_hand_in(path):
    """No trusted module imports JAX, or of the helpers more than the wire format."""
    found = imports(path)
    assert not {name.split(".")[0] for name in found} & {*HEAVY, "dqn", "train"}
    inside = {name for name in found if room_of(name) == "inside"}
    if path != IN_PROCESS:
        assert inside <= {"grader.inside.protocol"}


@pytest.mark.parametrize("path", TRUSTED, ids=name_of)
def test_nothing_is_unpickled(path):
    """No trusted module has a way to make objects, or code, of bytes."""
    tops = {name.split(".")[0] for name in imports(path)}
    assert not tops & {"pickle", "marshal", "shelve", "runpy"}
    names = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not names & {"eval", "exec", "compile", "__import__"}


def test_nothing_of_the_product_imports_tests():
    """The grader, the starter and the solution do without what tests them."""
    for path in [*MODULES, *ROOT.glob("starter/*.py"), *ROOT.glob("solution/*.py")]:
        assert not {name for name in imports(path) if name.split(".")[0] == "tests"}


def test_no_cycles():
    """No module imports itself by way of others; nor do those of the starter."""
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
    """What is longer than this has more than one reason to change."""
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= MAX_FUNCTION, f"{node.name} has {lines} lines"


def test_folders_are_small():
    """A folder is seen at one glance."""
    folders = {path.parent for path in MODULES}
    files = {folder: len([*folder.glob("*.py")]) for folder in folders}
    assert {f.name: n for f, n in files.items() if n > MAX_FILES} == {}


def test_every_room_says_what_it_is_for():
    """A package's docstring: its purpose, its process, what it may import."""
    for path in MODULES:
        if path.name == "__init__.py":
            lines = (ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()
            assert 1 <= len(lines) <= 10, path
