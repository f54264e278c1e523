"""The starter is the solution without bodies, and the solution passes the examples."""

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
    """Return the syntax-tree node of each function, class and method, by full name."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        if isinstance(node, ast.ClassDef):
            methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
            found |= {f"{node.name}.{method.name}": method for method in methods}
    return found


def exercises() -> dict[int, tuple[str, list[str], list[str]]]:
    """Return the exercises of the starter, by number.

    A value holds the exercise's title, the names of the functions and classes below the
    exercise's banner, and the names of the functions and methods that students write.
    """
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
    """Return whether the node defines a function."""
    return isinstance(node, ast.FunctionDef)


BANNER = re.compile(r"^# Exercise (\d+) · (.+) · (\d+) points$", re.M)
EXERCISES = exercises()
STUBS = [(n, stub) for n, (_, _, stubs) in EXERCISES.items() for stub in stubs]
SUPPLIED = ["Transition", "episode_terminateds"]
# Number of the exercise and name, for each definition whose docstring is a task.
EXPLAINED = [(n, name) for n, (_, names, _) in EXERCISES.items() for name in names]


def load(path: Path) -> ModuleType:
    """Import a file under a new module name.

    The new name is needed because both files are called dqn.py.
    """
    name = f"{path.parent.name}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def signature(node: ast.AST) -> str:
    """Return the decorators, name, arguments and result type of a definition as text.

    For a class, return its name and base classes.
    """
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}({', '.join(map(ast.unparse, node.bases))})"
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    returns = ast.unparse(node.returns) if node.returns else None
    return f"{decorators} {node.name}({ast.unparse(node.args)}) -> {returns}"


def without_bodies(path: Path) -> str:
    """Return a file's code in which each stub has only its docstring as body."""
    tree = ast.parse(path.read_text())
    stubs = {stub.split(".")[-1] for _, stub in STUBS}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in stubs:
            node.body = node.body[:1]
    return ast.unparse(tree)


def banners(path: Path) -> list[str]:
    """Return the lines of a file that begin with #."""
    return [line for line in path.read_text().splitlines() if line.startswith("#")]


def examples(path: Path) -> dict[str, doctest.DocTest]:
    """Return the docstrings that have examples, by the function's or class's name."""
    module = load(path)
    tests = doctest.DocTestFinder(exclude_empty=True).find(module, name="dqn")
    return {test.name.removeprefix("dqn."): test for test in tests if test.examples}


def run_examples(test: doctest.DocTest) -> tuple[doctest.TestResults, str]:
    """Run the examples of a docstring.

    Returns:
        The numbers of tried and of failed examples, and the printed failures as text.
    """
    report = []
    results = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    return results, "".join(report)


@pytest.fixture(scope="module")
def starter() -> ModuleType:
    """Return the starter's module."""
    return load(STARTER)


@pytest.fixture(scope="module")
def solved() -> dict[str, doctest.DocTest]:
    """Return the solution's docstrings with examples, by name."""
    return examples(SOLUTION)


@pytest.fixture(scope="module")
def unsolved() -> dict[str, doctest.DocTest]:
    """Return the starter's docstrings with examples, by name."""
    return examples(STARTER)


def test_same_definitions_in_the_same_order():
    """Starter and solution define the same names in the same order."""
    assert list(definitions(STARTER)) == list(definitions(SOLUTION))
    known = {name for _, name in STUBS + EXPLAINED} | {*SUPPLIED}
    assert set(definitions(STARTER)) == known


@pytest.mark.parametrize("name", definitions(STARTER))
def test_same_signature(name: str):
    """A definition has the same signature in the starter and in the solution."""
    ours = signature(definitions(STARTER)[name])
    assert ours == signature(definitions(SOLUTION)[name])


@pytest.mark.parametrize("name", definitions(STARTER))
def test_same_docstring(name: str):
    """Each definition has the same docstring in the starter and in the solution."""
    docstring = ast.get_docstring(definitions(STARTER)[name], clean=False)
    assert docstring
    assert docstring == ast.get_docstring(definitions(SOLUTION)[name], clean=False)


@pytest.mark.parametrize("name", SUPPLIED)
def test_supplied_code_is_the_same(name: str):
    """The supplied definitions have the same text in the starter and the solution."""
    code = [
        ast.get_source_segment(path.read_text(), definitions(path)[name])
        for path in (STARTER, SOLUTION)
    ]
    assert code[0] == code[1]


def test_files_differ_only_in_the_bodies():
    """Starter and solution are equal except for the bodies of the stubs."""
    assert without_bodies(STARTER) == without_bodies(SOLUTION)
    assert banners(STARTER) == banners(SOLUTION)


@pytest.mark.parametrize(("number", "name"), STUBS)
def test_stub_raises_with_its_exercise(starter: ModuleType, number: int, name: str):
    """A stub raises NotImplementedError; the message has the number of the exercise."""
    function = starter
    for part in name.split("."):
        function = getattr(function, part)
    arguments = [None] * len(inspect.signature(function).parameters)
    message = f"Exercise {number}: {name.split('.')[0]}"
    with pytest.raises(NotImplementedError, match=f"^{message}$"):
        function(*arguments)


@pytest.mark.parametrize(("number", "name"), STUBS)
def test_stub_holds_no_code(number: int, name: str):
    """A stub has a docstring and a `raise`, and nothing else."""
    docstring, error = definitions(STARTER)[name].body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(error, ast.Raise)


def test_banners_stand_above_their_exercises():
    """Banners are numbered in order, and each names the definitions below it."""
    assert list(EXERCISES) == list(range(1, len(EXERCISES) + 1))
    for title, names, _ in EXERCISES.values():
        assert title == (", ".join(names) or "learning")


def test_starter_is_short():
    """The starter has less than 350 lines of at most 88 characters."""
    lines = STARTER.read_text().splitlines()
    assert len(lines) < 350
    assert max(map(len, lines)) <= 88


@pytest.mark.parametrize(("number", "name"), EXPLAINED)
def test_every_exercise_has_rules(number: int, name: str):
    """The docstring of each task has rules after "Rules:", and asks no question."""
    docstring, _, _ = ast.get_docstring(definitions(STARTER)[name]).partition(">>>")
    assert docstring.partition("Rules: ")[2].strip().endswith(".")
    assert "?" not in docstring


@pytest.mark.parametrize(
    "name", ["episode_terminateds", *(name for _, name in EXPLAINED)]
)
def test_examples_hold_for_the_solution(solved: dict, name: str):
    """The docstring of each part has examples, which hold for the solution."""
    results, report = run_examples(solved[name])
    assert results.attempted > 0
    assert results.failed == 0, report


@pytest.mark.parametrize(("number", "name"), EXPLAINED)
def test_examples_fail_for_the_starter(unsolved: dict, number: int, name: str):
    """The examples of a part fail for the starter, because the part is a stub."""
    results, report = run_examples(unsolved[name])
    assert results.failed > 0
    assert f"NotImplementedError: Exercise {number}: {name}" in report


@pytest.mark.parametrize("num_steps", [1, 2, 5])
def test_terminateds_are_one_for_each_step(starter: ModuleType, num_steps: int):
    """`episode_terminateds` returns T flags, of which only the last is true."""
    flags = starter.episode_terminateds(num_steps)
    assert flags.dtype == bool
    assert flags.tolist() == [False] * (num_steps - 1) + [True]
