"""The starter is the solution without its bodies, and the solution keeps its word."""

import ast
import doctest
import importlib.util
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from grader.contract.exercises import ROOT

STARTER = ROOT / "starter" / "dqn.py"
SOLUTION = ROOT / "solution" / "dqn.py"


def definitions(path: Path) -> dict[str, ast.AST]:
    """List the functions, classes and methods of a file by their qualified names."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        if isinstance(node, ast.ClassDef):
            methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
            found |= {f"{node.name}.{method.name}": method for method in methods}
    return found


def exercises() -> dict[int, tuple[str, list[str], list[str]]]:
    """Return what stands below each banner: number: (title, to explain, to write)."""
    sections = BANNER.split(STARTER.read_text())[1:]
    found = {}
    for number, title, _, code in zip(*[iter(sections)] * 4, strict=True):
        nodes = ast.parse(code).body
        stubs = []
        for node in nodes:
            methods = [f.name for f in getattr(node, "body", ()) if is_function(f)]
            names = [node.name] if is_function(node) else []
            stubs += names or [f"{node.name}.{method}" for method in methods]
        found[int(number)] = (title, [node.name for node in nodes], stubs)
    return found


def is_function(node: ast.AST) -> bool:
    """Whether it is a function's definition."""
    return isinstance(node, ast.FunctionDef)


BANNER = re.compile(r"^# Exercise (\d+) · (.+) · (\d+) points$", re.M)
EXERCISES = exercises()
STUBS = [(n, stub) for n, (_, _, stubs) in EXERCISES.items() for stub in stubs]
SUPPLIED = ["Transition", "episode_terminateds"]
# Where the docstring with the exercise's text stands.
EXPLAINED = [(n, name) for n, (_, names, _) in EXERCISES.items() for name in names]


def load(path: Path) -> ModuleType:
    """Import a file by its path: both files are called dqn.py."""
    name = f"{path.parent.name}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def signature(node: ast.AST) -> str:
    """Return all that precedes the body, as source without layout."""
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}({', '.join(map(ast.unparse, node.bases))})"
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    returns = ast.unparse(node.returns) if node.returns else None
    return f"{decorators} {node.name}({ast.unparse(node.args)}) -> {returns}"


def without_bodies(path: Path) -> str:
    """Return the file's code with each stub reduced to its signature and docstring."""
    tree = ast.parse(path.read_text())
    stubs = {stub.split(".")[-1] for _, stub in STUBS}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in stubs:
            node.body = node.body[:1]
    return ast.unparse(tree)


def banners(path: Path) -> list[str]:
    """Return the comments that start at the margin."""
    return [line for line in path.read_text().splitlines() if line.startswith("#")]


def examples(path: Path) -> dict[str, doctest.DocTest]:
    """Return the docstrings that hold examples, by the name of their owner."""
    module = load(path)
    tests = doctest.DocTestFinder(exclude_empty=True).find(module, name="dqn")
    return {test.name.removeprefix("dqn."): test for test in tests if test.examples}


def run_examples(test: doctest.DocTest) -> tuple[doctest.TestResults, str]:
    """Run one docstring's examples; the second value says what went wrong."""
    report = []
    results = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    return results, "".join(report)


@pytest.fixture(scope="module")
def starter() -> ModuleType:
    """Import the starter once."""
    return load(STARTER)


@pytest.fixture(scope="module")
def solved() -> dict[str, doctest.DocTest]:
    """Collect the solution's examples."""
    return examples(SOLUTION)


@pytest.fixture(scope="module")
def unsolved() -> dict[str, doctest.DocTest]:
    """Collect the starter's examples."""
    return examples(STARTER)


def test_same_definitions_in_the_same_order():
    """Both files define the same names in the same order."""
    assert list(definitions(STARTER)) == list(definitions(SOLUTION))
    known = {name for _, name in STUBS + EXPLAINED} | {*SUPPLIED}
    assert set(definitions(STARTER)) == known


@pytest.mark.parametrize("name", definitions(STARTER))
def test_same_signature(name: str):
    """Arguments, annotations, defaults, bases and decorators agree."""
    ours = signature(definitions(STARTER)[name])
    assert ours == signature(definitions(SOLUTION)[name])


@pytest.mark.parametrize("name", definitions(STARTER))
def test_same_docstring(name: str):
    """Every definition has a docstring, and the same one in both files."""
    docstring = ast.get_docstring(definitions(STARTER)[name], clean=False)
    assert docstring
    assert docstring == ast.get_docstring(definitions(SOLUTION)[name], clean=False)


@pytest.mark.parametrize("name", SUPPLIED)
def test_supplied_code_is_the_same(name: str):
    """What students get complete is, letter by letter, what the solution uses."""
    code = [
        ast.get_source_segment(path.read_text(), definitions(path)[name])
        for path in (STARTER, SOLUTION)
    ]
    assert code[0] == code[1]


def test_files_differ_only_in_the_bodies():
    """Module docstring, imports, supplied code and banners agree as well."""
    assert without_bodies(STARTER) == without_bodies(SOLUTION)
    assert banners(STARTER) == banners(SOLUTION)


@pytest.mark.parametrize(("number", "name"), STUBS)
def test_stub_raises_with_its_exercise(starter: ModuleType, number: int, name: str):
    """An unwritten part says which exercise it is."""
    function = starter
    for part in name.split("."):
        function = getattr(function, part)
    arguments = [None] * len(inspect.signature(function).parameters)
    message = f"Exercise {number}: {name.split('.')[0]}"
    with pytest.raises(NotImplementedError, match=f"^{message}$"):
        function(*arguments)


@pytest.mark.parametrize(("number", "name"), STUBS)
def test_stub_holds_no_code(number: int, name: str):
    """A stub is a docstring and its error, nothing that gives the answer away."""
    docstring, error = definitions(STARTER)[name].body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(error, ast.Raise)


def test_banners_stand_above_their_exercises():
    """They are numbered in order, and called as what is to be written below them."""
    assert list(EXERCISES) == list(range(1, len(EXERCISES) + 1))
    for title, names, _ in EXERCISES.values():
        assert title == (", ".join(names) or "learning")


def test_starter_is_short():
    """The whole hand-in can be read at a sitting."""
    lines = STARTER.read_text().splitlines()
    assert len(lines) < 350
    assert max(map(len, lines)) <= 88


@pytest.mark.parametrize(("number", "name"), EXPLAINED)
def test_every_exercise_asks_a_question(number: int, name: str):
    """The trap is put as a question, so that students look for it themselves."""
    _, _, careful = ast.get_docstring(definitions(STARTER)[name]).partition("Careful:")
    assert "?" in careful.partition(">>>")[0]


@pytest.mark.parametrize(
    "name", ["episode_terminateds", *(name for _, name in EXPLAINED)]
)
def test_examples_hold_for_the_solution(solved: dict, name: str):
    """Each part has an example, and the solution prints what it promises."""
    results, report = run_examples(solved[name])
    assert results.attempted > 0
    assert results.failed == 0, report


@pytest.mark.parametrize(("number", "name"), EXPLAINED)
def test_examples_fail_for_the_starter(unsolved: dict, number: int, name: str):
    """An unwritten part passes no example by accident: it says its exercise."""
    results, report = run_examples(unsolved[name])
    assert results.failed > 0
    assert f"NotImplementedError: Exercise {number}: {name}" in report


@pytest.mark.parametrize("num_steps", [1, 2, 5])
def test_terminateds_are_one_for_each_step(starter: ModuleType, num_steps: int):
    """The supplied flags carry the correction: T of them, only the last one true."""
    flags = starter.episode_terminateds(num_steps)
    assert flags.dtype == bool
    assert flags.tolist() == [False] * (num_steps - 1) + [True]
