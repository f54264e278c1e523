"""Help fixtures and tests to make hand-ins, and to grade them."""

import ast
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.contract.exercises import ROOT
from grader.sandbox import tiers


@dataclass(frozen=True)
class Run:
    """The result of one run of the command line.

    Attributes:
        code: the exit code.
        out: the text of standard output.
        err: the text of standard error.
        report: the content of report.json; None if there is no such file.
        leftovers: the names of files that the run left in its folder for temporary
            files.
        folder: the folder with the report and the picture of the learning curve.
    """

    code: int
    out: str
    err: str
    report: dict | None
    leftovers: list[str]
    folder: Path


def replaced(text: str, bodies: dict[str, str]) -> str:
    """Return a module's text with new bodies for some functions.

    Args:
        text: the text of the module.
        bodies: the new bodies, not indented. The key is the name of a function, or
            "Class.method".
    """
    lines = text.splitlines()
    found: dict[str, ast.FunctionDef] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        if isinstance(node, ast.ClassDef):
            methods = [n for n in node.body if isinstance(n, ast.FunctionDef)]
            found |= {f"{node.name}.{method.name}": method for method in methods}
    nodes = [(found[name], body) for name, body in bodies.items()]
    for node, body in sorted(nodes, key=lambda pair: -pair[0].lineno):
        indent = " " * (node.col_offset + 4)
        new = [indent + line for line in body.splitlines()]
        lines[node.body[0].lineno - 1 : node.end_lineno] = new
    return "\n".join(lines)


def require(tier: str) -> str:
    """Return the tier's name; skip the test if this tier does not work.

    Args:
        tier: the name of the tier.
    """
    reason = tiers.why_not(tier)
    if reason:
        pytest.skip(f"the tests of the {tier} tier were not run: {reason}")
    return tier


def common_file(path: Path) -> Path:
    """Make an empty file that every user of the machine can write; return its path.

    Helpers write to this file, and a helper may run as another user.

    Args:
        path: the path of the file, below the folder for temporary files.
    """
    path.touch()
    path.chmod(0o666)
    top = Path(tempfile.gettempdir())
    for folder in path.parents:
        if top in folder.parents:
            folder.chmod(folder.stat().st_mode | 0o011)
    return path


def copied_tree(place: Path, *more: str) -> Path:
    """Copy parts of the repository to a new folder, and return this folder.

    Args:
        place: the new folder.
        more: the names of folders to copy besides `grader` and `starter`.
    """
    for name in ("grader", "starter", *more):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, place / name, ignore=ignored)
    return place
