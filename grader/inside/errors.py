"""What the hand-in raised, as data for the grader: the kind, the words, the place."""

import linecache
import re
import traceback
from typing import Any

import jax

from grader.inside.values import ContractError

LEAKED = (
    "a value from inside one call, as jit or vmap trace it, is used in another: is "
    "something kept in a global variable or an attribute? The answer may depend on "
    "the arguments alone"
)


def describe_error(error: BaseException) -> dict[str, Any]:
    """Describe what was raised, and where in the hand-in.

    Args:
        error: anything that is raised, `SystemExit` and `KeyboardInterrupt` too.

    Returns:
        `kind` ("contract", "not implemented" or "raised") and `message`; unless the
        kind is "contract" also `type`, `line` (0 if unknown), `function` and `text`,
        the source line.
    """
    if isinstance(error, ContractError):
        return {"kind": "contract", "message": str(error)[:2000]}
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.endswith("dqn.py")]
    in_stub = frames[-1].filename.endswith("dqn.py")
    unwritten = isinstance(error, NotImplementedError) and in_stub
    line, function, text = 0, "", ""
    if isinstance(error, SyntaxError) and (error.filename or "").endswith("dqn.py"):
        line, text = error.lineno or 0, error.text or ""
    elif own:
        line, function = own[-1].lineno or 0, own[-1].name
        text = linecache.getline(own[-1].filename, line)
    return {
        "kind": "not implemented" if unwritten else "raised",
        "type": type(error).__name__[:100],
        "message": LEAKED if is_leak(error) else first_lines(error),
        "line": line,
        "function": function[:100],
        "text": text.strip()[:200],
    }


def is_leak(error: BaseException) -> bool:
    """Return whether JAX met a value that another trace left behind."""
    return isinstance(error, jax.errors.UnexpectedTracerError)


def first_lines(error: BaseException) -> str:
    """Return the error's own words, without the pages that JAX adds."""
    try:
        words = str(error)[:10_000]  # the substitutions below are slow on long text
        words = words.encode("utf-8", "replace").decode()  # else it cannot travel
    except BaseException:
        words = "(its message cannot be read)"
    # Places in the grader's files and addresses differ from run to run.
    words = re.sub(r" at \S*\bgrader[/\\]inside[/\\]\S*\.py:\d+", "", words)
    words = re.sub(r"0x[0-9a-f]{6,}", "0x…", words)
    words = re.sub(r"(?m)^This \w+ with object id .*\n.*site-packages.*$", "", words)
    # JAX explains tracing at length, and its advice can be code.
    words = re.sub(
        r"(?s)\s*(The error occurred while tracing|If trying to convert|Instead of) .*",
        "",
        words,
    )
    words = re.sub(r"(?m)^\s*See https?://docs\.jax\S*", "", words)
    words = re.sub(r"[\s:<]*https?://docs\.jax\S*", "", words)
    lines = [line for line in words.splitlines() if line.strip()]
    return "\n".join(lines[:4])[:1000]
