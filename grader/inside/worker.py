"""The worker: the one process in which the hand-in's Python runs. Nothing is trusted.

It imports `dqn.py`, exports the contract's programs and answers calls, one request at
a time over its standard input and output; the grader kills it when a deadline
passes. Whatever it says is only data: see `protocol.py`.
"""

import __future__

import ast
import contextlib
import faulthandler
import itertools
import linecache
import os
import random
import re
import signal
import stat
import sys
import time
import traceback
import types
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import Any

# JAX is imported before the hand-in, and from the locked environment only.
import jax
import jax.numpy as jnp
import numpy as np
from jax import export

from grader.inside import parts, protocol

# What `from __future__` changes, as the compiler has it.
FEATURES = 0
for feature in __future__.all_feature_names:
    FEATURES |= getattr(__future__, feature).compiler_flag
DEFINITIONS = ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom
MAX_LEFT_OUT = 20  # cells that are told of
GRACE_SECONDS = 2.0
KEPT = (
    "a value from inside one call, as jit or vmap trace it, is used in another: is "
    "something kept in a global variable or an attribute? The answer may depend on "
    "the arguments alone"
)


def main() -> None:
    """Answer requests until the grader closes the pipe."""
    requests, answers = take_pipes()
    errors = os.dup(2)
    worker = Worker(errors)
    protocol.send(answers, {"ready": True})
    while (request := protocol.receive(requests)) is not None:
        nonce = request.pop("nonce")
        # Should it hang, the place where it does is printed before it is killed.
        faulthandler.dump_traceback_later(0.8 * request.pop("seconds"), file=errors)
        try:
            answer = {"answer": worker.handle(**request)}
        # SystemExit and KeyboardInterrupt too: leaving is an answer like another.
        except BaseException as error:
            answer = {"error": describe_error(error)}
        flush_printed()
        faulthandler.cancel_dump_traceback_later()
        try:
            frame = protocol.encode({"nonce": nonce, **answer})
        except protocol.ProtocolError as error:
            problem = {"kind": "contract", "message": f"the answer {error}"}
            frame = protocol.encode({"nonce": nonce, "error": problem})
        answers.write(frame)
        answers.flush()


def take_pipes() -> tuple[BufferedReader, BufferedWriter]:
    """Keep the pipes for frames, and leave another one for what the hand-in prints.

    Frames come and go over one socket, where there can be one; then what is printed
    has a pipe of its own. Elsewhere it goes to standard error.
    """
    both = stat.S_ISSOCK(os.fstat(0).st_mode)
    requests, answers = os.dup(0), os.dup(0 if both else 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    if not both:
        os.dup2(2, 1)
    # By lines: of what it printed before it hung, or died, nothing is to be missing.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    return open(requests, "rb"), open(answers, "wb")


def flush_printed() -> None:
    """Let what was printed arrive before the answer does."""
    with contextlib.suppress(BaseException):  # it may be the hand-in's own by now
        sys.stdout.flush()


class Worker:
    """The hand-in's module and what has to live from one request to the next."""

    def __init__(self, errors: int = 2) -> None:
        self.errors = errors
        self.dqn: Any = None
        self.buffer: Any = None

    def handle(self, do: str, **request: Any) -> dict[str, Any]:
        """Answer one request."""
        return getattr(self, f"do_{do}")(**request)

    def do_load(
        self,
        source: Any,
        cells: Any,
        exported: bool,
        skipped: list[int],
        seconds_of_cells: float,
    ) -> dict[str, Any]:
        """Import the hand-in; what it gets is its own text and nothing else.

        Args:
            source: its text, in UTF-8.
            cells: of a notebook, the number of each cell's first line, from 0.
            exported: whether a notebook was saved as this Python file.
            skipped: lines of a notebook that ran for too long before.
            seconds_of_cells: how long all of them may run.
        """
        path = Path("dqn.py").resolve()
        text = source.tobytes().decode()
        path.write_text(text, encoding="utf-8", newline="")
        # What draws from the global generators answers the same in the same run, too.
        random.seed(0)
        np.random.seed(0)
        if not len(cells):
            self.load_text(text, path)
            return {}
        module = new_module(text, path)
        if exported:
            cells = whole_or_cells(text, path, cells)
        notebook = Notebook(module, {*skipped}, seconds_of_cells, self.errors)
        lines = text.split("\n")
        for start, end in itertools.pairwise([*cells.tolist(), len(lines)]):
            notebook.run("\n".join(lines[start:end]), start)
        self.dqn = module
        return notebook.left_out()

    def load_text(self, text: str, path: Path) -> None:
        """Import the hand-in that has this text, and lies in this file."""
        module = new_module(text, path)
        exec(compile(text, str(path), "exec", dont_inherit=True), vars(module))
        self.dqn = module

    def do_call(self, part: str, spec: Any, args: Any, watched: str) -> dict[str, Any]:
        """Answer as plain Python: a call, or a program that is not to be exported.

        Args:
            part: of the contract.
            spec: its settings.
            args: its arrays.
            watched: "numpy" or "jax" to hand over copies as arrays of that kind, and
                have `changed` say which of them the call has changed or deleted.
        """
        if part in parts.CALLS and not watched:
            return parts.CALLS[part](self.dqn, spec, args)
        make = np.array if watched == "numpy" else jnp.array
        given = jax.tree.map(make, args)
        if "epsilon" in given:
            given["epsilon"] = float(args["epsilon"])
        if part in parts.CALLS:
            answer = parts.CALLS[part](self.dqn, spec, given)
        else:
            answer = parts.program_of(self.dqn, part, spec)(given)
            answer = jax.tree.map(lambda leaf: parts.as_array(part, leaf), answer)
        if watched:
            answer["changed"] = [
                name for name in args if not jax.tree.all(same(given[name], args[name]))
            ]
        return answer

    def do_export(self, part: str, spec: Any, args: Any, platform: str) -> Any:
        """Trace a part for arguments of these shapes and serialise it."""
        program = parts.program_of(self.dqn, part, spec)
        shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), args)
        jitted = jax.jit(program)
        traced = jitted.trace(shapes)
        # What an earlier trace left behind would be exported as one more argument.
        used = [*traced.jaxpr.consts, *getattr(traced, "_consts", ())]
        if any(isinstance(value, jax.core.Tracer) for value in used):
            raise jax.errors.UnexpectedTracerError("")
        exported = export.export(jitted, platforms=[platform])(shapes)
        derivatives = 1 if spec.get("derivative") else 0
        serialized = exported.serialize(vjp_order=derivatives)
        return {"program": np.frombuffer(serialized, np.uint8)}

    def do_open_buffer(self, capacity: int) -> dict[str, Any]:
        """A buffer that lives on, for learning."""
        self.buffer = parts.part(self.dqn, "ReplayBuffer")(capacity)
        return {}

    def do_use_buffer(
        self, rows: Any, num_batches: int, batch_size: int, seed: int
    ) -> dict[str, Any]:
        """Store the rows, then draw the batches."""
        parts.add_rows(self.buffer, rows, 0, len(rows["action"]))
        rng = np.random.default_rng(seed)
        return parts.stacked_samples(self.buffer, num_batches, batch_size, rng)


def whole_or_cells(text: str, path: Path, cells: Any) -> Any:
    """The cells of a file made from a notebook; one cell, where all of it is Python.

    Raises:
        SyntaxError: it is none, and has one cell, of which nothing would be left.
    """
    try:
        ast.parse(text, str(path))
    except SyntaxError:
        if len(cells) == 1:
            raise
        return cells
    return cells[:1]  # a mark may stand in the midst of a statement


def new_module(text: str, path: Path) -> types.ModuleType:
    """The module of the hand-in, nothing of it run yet."""
    module = types.ModuleType("dqn")
    module.__file__ = str(path)
    sys.modules["dqn"] = module
    # Lines are shown as they are run, whatever encoding the file declares.
    lines = [f"{line}\n" for line in text.split("\n")]
    linecache.cache[str(path)] = len(text), None, lines, str(path)
    return module


class TooLong(BaseException):
    """A statement of a notebook runs for too long."""


class Notebook:
    """Runs a notebook's cells one statement after the other.

    One that fails is left out, and what else its cell defines counts: a notebook is
    not done either when a cell of it fails.

    Args:
        module: in which they run.
        skipped: lines of statements that are not run.
        seconds: for all of them. Each may take a quarter of what is left, so that what
            comes after one that never ends has time, too. Definitions and imports have
            no limit of their own: without them the rest is nothing.
        errors: the descriptor on which the place is told of one that cannot be
            interrupted, before it ends the process.
    """

    def __init__(
        self, module: types.ModuleType, skipped: set[int], seconds: float, errors: int
    ) -> None:
        self.names, self.path = vars(module), str(module.__file__)
        self.skipped, self.errors = skipped, errors
        self.ends = time.monotonic() + seconds
        self.features = 0  # from __future__
        self.failed: list[dict[str, Any]] = []  # by cell
        self.slow: list[int] = []  # lines of statements that ran for too long
        self.running = False

    def left_out(self) -> dict[str, Any]:
        """What failed, for the grader."""
        more = max(len(self.failed) - MAX_LEFT_OUT, 0)
        slow = self.slow[:MAX_LEFT_OUT]
        return {"left_out": self.failed[:MAX_LEFT_OUT], "more": more, "slow": slow}

    def run(self, text: str, start: int) -> None:
        """Run a cell, whose first line has that number, from 0."""
        try:
            tree = ast.parse(text, self.path)
        except BaseException as error:
            line = start + (getattr(error, "lineno", None) or 1)
            why = f"{in_words(error)} (line {line - start})"
            self.failed.append({"line": line, "whole": True, "more": 0, "why": why})
            return
        ast.increment_lineno(tree, start)
        tried = [(node.lineno, self.failure(node)) for node in tree.body]
        failed = [(line, why) for line, why in tried if why]
        if failed:
            line, why = failed[0]
            whole, more = len(tried) == 1, len(failed) - 1
            self.failed.append({"line": line, "whole": whole, "more": more, "why": why})

    def failure(self, node: ast.stmt) -> str:
        """Why a statement failed, or is not run; "" where it ended."""
        starts = [node, *getattr(node, "decorator_list", [])]
        lines = range(min(n.lineno for n in starts), (node.end_lineno or 0) + 1)
        try:
            if not self.skipped.isdisjoint(lines):
                raise TooLong
            self.run_statement(node)
        except BaseException as error:
            self.running = False
            if isinstance(error, TooLong):
                self.slow.append(node.lineno)
            return in_words(error)
        return ""

    def run_statement(self, node: ast.stmt) -> None:
        """Run a statement; one that is no definition for some seconds at most."""
        tree = ast.Module([node], [])
        code = compile(tree, self.path, "exec", self.features, dont_inherit=True)
        self.features |= code.co_flags & FEATURES
        if isinstance(node, DEFINITIONS):
            exec(code, self.names)
            return
        seconds = max((self.ends - time.monotonic()) / 4, 0.1)
        # What waits in compiled code hears no signal.
        faulthandler.dump_traceback_later(
            seconds + GRACE_SECONDS, exit=True, file=self.errors
        )
        self.running = True
        try:
            if hasattr(signal, "setitimer"):
                signal.signal(signal.SIGALRM, self.on_alarm)
                signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
            exec(code, self.names)
        finally:
            self.running = False
            faulthandler.cancel_dump_traceback_later()
            if hasattr(signal, "setitimer"):
                signal.setitimer(signal.ITIMER_REAL, 0)

    def on_alarm(self, *_: object) -> None:
        """Interrupt the statement that runs.

        Raises:
            TooLong: one does.
        """
        if self.running:
            raise TooLong


def in_words(error: BaseException) -> str:
    """Why a statement is left out, in one line."""
    if isinstance(error, TooLong):
        return "it ran for too long"
    if isinstance(error, SyntaxError):
        words = str(error.msg)
        if re.search("(await|async).* outside", words):
            words += ", which only a notebook allows"
    else:
        words = first_lines(error)
    first = words.partition("\n")[0][:300]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def same(given: Any, args: Any) -> Any:
    """A tree that tells of each array whether it still is what was handed over."""

    def is_same(a: Any, b: Any) -> bool:
        deleted = isinstance(a, jax.Array) and a.is_deleted()  # donated to a jit
        return not deleted and np.array_equal(a, b, equal_nan=True)

    return jax.tree.map(is_same, given, args)


def describe_error(error: BaseException) -> dict[str, Any]:
    """What was raised, and where in the hand-in."""
    if isinstance(error, parts.ContractError):
        return {"kind": "contract", "message": str(error)[:2000]}
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.endswith("dqn.py")
    ]
    innermost = traceback.extract_tb(error.__traceback__)[-1].filename
    unwritten = isinstance(error, NotImplementedError) and innermost.endswith("dqn.py")
    line, function, text = 0, "", ""
    if isinstance(error, SyntaxError) and (error.filename or "").endswith("dqn.py"):
        line, text = error.lineno or 0, error.text or ""
    elif frames:
        line, function = frames[-1].lineno or 0, frames[-1].name
        text = linecache.getline(frames[-1].filename, line)
    return {
        "kind": "not implemented" if unwritten else "raised",
        "type": type(error).__name__[:100],
        "message": KEPT if is_leak(error) else first_lines(error),
        "line": line,
        "function": function[:100],
        "text": text.strip()[:200],
    }


def is_leak(error: BaseException) -> bool:
    """Whether JAX met a value that was left behind by another trace."""
    return isinstance(error, jax.errors.UnexpectedTracerError)


def first_lines(error: BaseException) -> str:
    """The error's own words, without the pages that JAX adds."""
    try:
        words = str(error)[:10_000]  # what follows takes its time over long ones
        words = words.encode("utf-8", "replace").decode()  # else it cannot travel
    except BaseException:
        words = "(its message cannot be read)"
    # Places in our own files and addresses differ from run to run, and tell nothing.
    words = re.sub(r" at \S*parts\.py:\d+", "", words)
    words = re.sub(r"0x[0-9a-f]{6,}", "0x…", words)
    words = re.sub(r"(?m)^This \w+ with object id .*\n.*site-packages.*$", "", words)
    # Pages on how JAX traces, and its advice, which can be code.
    words = re.sub(
        r"(?s)\s*(The error occurred while tracing|If trying to convert|Instead of) .*",
        "",
        words,
    )
    words = re.sub(r"(?m)^\s*See https?://docs\.jax\S*", "", words)
    words = re.sub(r"[\s:<]*https?://docs\.jax\S*", "", words)
    lines = [line for line in words.splitlines() if line.strip()]
    return "\n".join(lines[:4])[:1000]


def prepare_jax() -> None:
    """The settings under which a hand-in is traced and called."""
    # A forgotten debug print is no mistake, but it cannot be exported.
    for name in ("print", "callback"):
        setattr(jax.debug, name, lambda *args, **kwargs: None)
    jax.config.update("jax_default_matmul_precision", "highest")


if __name__ == "__main__":
    prepare_jax()
    main()
