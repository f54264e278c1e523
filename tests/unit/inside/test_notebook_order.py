"""Tests for cells that use a name which a later cell of the notebook defines."""

import types

import pytest

from grader.inside.hand_in.notebook import Notebook


def run(cells: list[str]) -> tuple[dict, list[str]]:
    """Run cells; return the module's names, and why each cell was left out."""
    module = types.ModuleType("dqn")
    module.__file__ = "dqn.py"
    notebook = Notebook(module, set(), 20.0, 2)
    for number, cell in enumerate(cells):
        notebook.run(cell, 100 * number)
    notebook.run_again()
    return vars(module), [row["why"] for row in notebook.left_out()["left_out"]]


PARTIAL = "from functools import partial"
X = f"{PARTIAL}\nX = 5"
SMALL = "class Small(Base): pass\ndef part(): return Small.x"
LATER = {
    "decorator": ["@partial(partial)\ndef part(): return 7", PARTIAL],
    "base class": [SMALL, "class Base: x = 7"],
    "default": ["def part(x=X): return x + 2", X],
    "annotation": ["def part(x: Vec = 7): return x", "Vec = int"],
    "constant": ["X: int = 1 + Y\nA, (B, C) = Y, (X, Y)", "Y = 6", "part = lambda: B"],
    "several steps": ["part = partial(f, 7)", "def f(x=X): return x", X],
    "redefinition": ["def part(x=X): return x - 1", "part = partial(part, 8)", X],
}


@pytest.mark.parametrize("cells", LATER.values(), ids=LATER)
def test_a_name_of_a_later_cell(cells):
    """A definition that needs a later cell is run again, and nothing is left out."""
    names, left_out = run(cells)
    assert names["part"]() == 7
    assert left_out == []


def test_what_is_not_run_again():
    """A statement that defines nothing new, or failed otherwise, stays left out."""
    names, left_out = run(
        [
            "def part(): return 1",
            "def part(x=X): return x",  # would replace a definition that succeeded
            "seen.append(X)",
            "found[X] = 1",
            "1/0\ndef other(x=X): return x",
            "def never(x=unknown): return x",
            "X = 7\nseen, found = [], {}",
        ]
    )
    assert names["part"]() == 1
    assert names["other"]() == 7
    assert (names["seen"], names["found"]) == ([], {})
    assert left_out == [
        "NameError: name 'X' is not defined",
        "NameError: name 'seen' is not defined",
        "NameError: name 'found' is not defined",
        "ZeroDivisionError: division by zero",
        "NameError: name 'unknown' is not defined",
    ]
