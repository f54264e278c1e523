"""Nearly the same hand-ins are found in spite of disguises; right ones are not."""

import ast
import re

import pytest

from grader.classroom import similar
from tests.corpus.variants import WHOLE
from tests.support.edits import ROOT, SOLUTION


def disguised(text: str) -> str:
    """Return the text with other names, no comments, and its parts in another order."""
    for name in ("theta_Q", "rewards", "target", "batch", "key"):
        text = re.sub(rf"\b{name}\b", f"my_{name}_2", text)
    body = ast.parse(text).body
    kinds = (ast.FunctionDef, ast.ClassDef)
    parts = [node for node in body if isinstance(node, kinds)]
    rest = [node for node in body if not isinstance(node, kinds)]
    return ast.unparse(ast.Module([*rest, *reversed(parts)], []))


def test_a_disguised_copy_is_found():
    """It is the only pair among right hand-ins in other styles."""
    sources = {variant.name: variant.source.encode() for variant in WHOLE}
    sources |= {"original": SOLUTION.encode(), "copy": disguised(SOLUTION).encode()}
    (pair,) = similar.find_pairs(sources)
    assert {pair.one, pair.other} == {"original", "copy"}


def test_the_starter_counts_for_nothing():
    """Hand-ins with next to nothing beyond the starter are not compared."""
    starter = (ROOT / "starter" / "dqn.py").read_bytes()
    sources = {"a": starter, "b": starter + b"\nx = 1\n", "c": b"", "d": b""}
    assert similar.find_pairs(sources) == []


@pytest.mark.parametrize("odd", [b"\xff\x00" * 999, b"(" * 9999, b"f'{" * 9999, b"\\"])
def test_odd_texts_cost_only_themselves(odd):
    """A text that is no Python does not keep others from being compared."""
    sources = {"odd": odd, "a": SOLUTION.encode(), "b": SOLUTION.encode() + b"\n#"}
    assert [(p.one, p.other, p.share) for p in similar.find_pairs(sources)] == [
        ("a", "b", 1.0)
    ]
