"""Describe an exception of the hand-in as data for the grader."""

import builtins
import contextlib
import linecache
import re
import traceback
from typing import Any

import equinox as eqx
import jax

from grader.inside.explanations.explain import explain
from grader.inside.explanations.names import alike
from grader.inside.values import ContractError

MAX_WORDS, MAX_LINES = 300, 4
OWN_FILE = "dqn.py"
INNER = ("<listcomp>", "<genexpr>", "<setcomp>", "<dictcomp>")  # parts of a function
LEAKED = (
    "an array was kept inside a function that JAX traces (jit, grad, vmap, scan), and "
    "used after that function had returned. Is it kept in a global variable, a list or "
    "an attribute? Use the arguments of each call, and return what is needed later"
)


def describe_error(error: BaseException) -> dict[str, Any]:
    """Return a dict that describes an exception and where in the hand-in it was raised.

    Args:
        error: any exception; also `SystemExit` or `KeyboardInterrupt`.

    Returns:
        A dict with `kind` and `message`. The kind is "contract" (a `ContractError`),
        "not implemented" (a stub) or "raised" (all others). For the last two kinds, the
        dict has five more entries: `type` (name of the exception's class), `line` (a
        number; 0 if unknown), `function` (name of the function with this line), `text`
        (the source line) and `explanation` (a sentence for the student). Texts that are
        unknown are "".
    """
    if isinstance(error, ContractError):
        return {"kind": "contract", "message": str(error)[:2000]}
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.endswith(OWN_FILE)]
    in_own_code = frames[-1].filename.endswith(OWN_FILE)
    unwritten = isinstance(error, NotImplementedError) and in_own_code
    line, function, text = 0, "", ""
    if isinstance(error, SyntaxError) and (error.filename or "").endswith(OWN_FILE):
        line, text = error.lineno or 0, error.text or ""
    elif own:
        names = [frame.name for frame in own if frame.name not in INNER]
        line, function = own[-1].lineno or 0, (names or [own[-1].name])[-1]
        text = linecache.getline(own[-1].filename, line)
    text = text.strip()[:200]
    message = LEAKED if is_leak(error) else first_lines(error)
    name = type(error).__name__[:100]
    if is_leak(error) or (in_own_code and text.startswith("raise ")):
        explanation = ""  # the message is the grader's, or the student's own
    else:
        where = f"{function}: {text}" if line else "-"
        explanation = (
            similar_name(error, only_local=True)
            or explain(f"{name}: {message}", where, library_facts(error))
            or similar_name(error)
        )
    return {
        "kind": "not implemented" if unwritten else "raised",
        "type": name,
        "message": message,
        "line": line,
        "function": function[:100],
        "text": text,
        "explanation": explanation[:400],
    }


def library_facts(error: BaseException) -> str:
    """Return a text on the call of Equinox or optax in which an exception was raised.

    Only calls that the traceback lists after the last line of dqn.py count.

    Returns:
        If layers of Equinox were running, the text of `layer_facts` for the innermost
        layer. If optax got a wrong argument `updates`, the text of `updates_facts`. In
        all other cases "".
    """
    facts = ""
    with contextlib.suppress(BaseException):  # the values are the hand-in's
        for frame, _ in traceback.walk_tb(error.__traceback__):
            file, name = frame.f_code.co_filename, frame.f_code.co_name
            if file.endswith(OWN_FILE):
                facts = ""
            elif re.search(r"equinox[/\\]nn[/\\]", file) and name == "__call__":
                facts = layer_facts(frame.f_locals)
            elif not facts and name in ("apply_updates", "update", "update_fn"):
                facts = updates_facts(frame.f_locals, name.removesuffix("_fn"))
    return facts


def layer_facts(names: dict[str, Any]) -> str:
    """Return a text that names the class of a layer of Equinox, for example "MLP".

    If a `Linear` got an input of a wrong shape, two sizes follow the name. For example,
    "Linear 3 (5, 3)" means a layer with 3 inputs that got an array of shape (5, 3). If
    an `MLP` or a `Sequential` has both arrays and functions in it, "whole" follows, for
    no half of a network has both.

    Args:
        names: local variables of the layer's `__call__`, by name.
    """
    layer, shape = names["self"], getattr(names.get("x"), "shape", None)
    facts = type(layer).__name__
    if facts == "Linear" and shape is not None and layer.weight is not None:
        inputs = int(layer.weight.shape[-1])
        if shape != (inputs,):
            facts += f" {inputs} {tuple(map(int, shape))}"
    if facts in ("MLP", "Sequential"):
        leaves = jax.tree.leaves(layer)
        arrays = [leaf for leaf in leaves if eqx.is_array(leaf)]
        if arrays and any(map(callable, leaves)):
            facts += " whole"
    return facts


def updates_facts(names: dict[str, Any], function: str) -> str:
    """Return a text on optax' argument `updates` if it is a scalar array or a tuple.

    Both are wrong: `updates` should be a tree of arrays.

    Args:
        names: local variables of a function of optax, by name.
        function: name of this function, for the text.

    Returns:
        For example "updates: a tuple, in update", or "updates: a pair, in update" for a
        tuple of a number and something else, which may be a loss and its gradient; ""
        if `updates` is something else.
    """
    updates = names.get("updates")
    if getattr(updates, "shape", None) == ():
        return f"updates: a number, in {function}"
    if type(updates) is tuple and len(updates) == 2:
        shapes = [getattr(item, "shape", None) for item in updates]
        if shapes[0] == () and shapes[1] is None:
            return f"updates: a pair, in {function}"
    if isinstance(updates, tuple):
        return f"updates: a tuple, in {function}"
    return ""


def similar_name(error: BaseException, *, only_local: bool = False) -> str:
    """Return "did you mean `…`?" for an exception about an unknown name.

    The result is "" for other exceptions, and if no known name is similar.

    Args:
        error: the exception.
        only_local: True if only the arguments and variables of the running function
            count as known names.
    """
    found: list[str] = []
    with contextlib.suppress(BaseException):  # the objects are the hand-in's
        name = getattr(error, "name", None)
        if isinstance(error, AttributeError) and name and not only_local:
            found = alike(name, dir(error.obj))
        elif isinstance(error, NameError) and name:
            *_, (frame, _) = traceback.walk_tb(error.__traceback__)
            known = {**vars(builtins), **frame.f_globals, **frame.f_locals}
            if only_local:
                in_function = frame.f_locals is not frame.f_globals
                found = alike(name, frame.f_locals) if in_function else []
            elif hasattr(known.get("self"), name):
                found = [f"self.{name}"]
            else:
                found = alike(name, known)
    return f"did you mean `{found[0]}`?" if found else ""


def is_leak(error: BaseException) -> bool:
    """Return whether an exception is JAX's error about a tracer of an earlier trace.

    JAX raises it if a part keeps a value of one trace and uses it in another trace.
    """
    return isinstance(error, jax.errors.UnexpectedTracerError)


def first_lines(error: BaseException) -> str:
    """Return an exception's message in one line, shortened to MAX_WORDS characters.

    Links to JAX's pages, lines of the grader's files, and JAX's long explanations are
    left out.
    Memory addresses become "0x…".
    """
    try:
        words = str(error)[:10_000]  # the substitutions below are slow on long text
        words = words.encode("utf-8", "replace").decode()  # a frame needs valid text
    except BaseException:
        words = "(its message cannot be read)"
    # Paths of the grader's files, and memory addresses, differ from run to run.
    words = re.sub(r" at \S*\bgrader[/\\]inside[/\\]\S*\.py:\d+", "", words)
    words = re.sub(r"0x[0-9a-f]{6,}", "0x…", words)
    words = re.sub(r"(?m)^This \w+ with object id .*\n.*site-packages.*$", "", words)
    # JAX adds long explanations of tracing, with code as advice.
    words = re.sub(
        r"(?s)\s*(The error occurred while tracing|If trying to convert|Instead of"
        r"|If using `jit`|This typically means|At that key path).*",
        "",
        words,
    )
    words = re.sub(r"(?m)^\s*See https?://docs\.jax\S*", "", words)
    words = re.sub(r"[\s:<]*https?://docs\.jax\S*", "", words)
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    words = " ".join(lines[:MAX_LINES])
    return words if len(words) <= MAX_WORDS else f"{words[:MAX_WORDS]} …"
