"""Ways to make a hand-in and to grade it, for fixtures and tests."""

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
    """What one run of the command line left behind.

    Attributes:
        code: its exit code.
        out: what it printed, as on a terminal that is none: no colour.
        err: what it printed to standard error.
        report: report.json, or None.
        leftovers: what it left in the folder for temporary files.
        folder: of its report and picture.
    """

    code: int
    out: str
    err: str
    report: dict | None
    leftovers: list[str]
    folder: Path


def replaced(text: str, bodies: dict[str, str]) -> str:
    """Return the text with other bodies for the functions of these names."""
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
    """Return the tier; where it does not work its tests are not run."""
    reason = tiers.why_not(tier)
    if reason:
        pytest.skip(f"the tests of the {tier} tier were not run: {reason}")
    return tier


def common_file(path: Path) -> Path:
    """Make an empty file that every user can write, as helpers are other users."""
    path.touch()
    path.chmod(0o666)
    top = Path(tempfile.gettempdir())
    for folder in path.parents:
        if top in folder.parents:
            folder.chmod(folder.stat().st_mode | 0o011)
    return path


def copied_tree(place: Path, *more: str) -> Path:
    """Copy the grader and the starter, and more of the repository, to a place."""
    for name in ("grader", "starter", *more):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, place / name, ignore=ignored)
    return place
