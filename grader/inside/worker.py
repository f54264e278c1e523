"""The worker: the one process in which the hand-in's Python runs. It is not trusted.

It imports `dqn.py`, exports the contract's programs and answers calls, one request at
a time over its standard input and output; the grader kills it when a deadline
passes. What it answers is only data: see `protocol.py`.
"""

import contextlib
import faulthandler
import itertools
import linecache
import os
import random
import stat
import sys
import types
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import Any

# JAX is imported before the hand-in, and from the locked environment only.
import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from jax.extend.core import Jaxpr, jaxprs_in_params

from grader.inside import parts, protocol, values
from grader.inside.errors import describe_error
from grader.inside.notebook import Notebook, whole_or_cells

# It begins with the words by which the grader recognises it, `outcomes.CALLS_EXPORTED`.
CALLS_EXPORTED = "calls an exported program: write the code that computes it instead"


def main() -> None:
    """Answer requests until the grader closes the pipe."""
    requests, answers = take_pipes()
    errors = os.dup(2)
    worker = Worker(errors)
    protocol.send(answers, {})  # it has started
    while (request := protocol.receive(requests)) is not None:
        nonce = request.pop("nonce")
        # If it hangs, it prints the place before it is killed.
        faulthandler.dump_traceback_later(0.8 * request.pop("seconds"), file=errors)
        try:
            answer = {"answer": worker.handle(**request)}
        # SystemExit and KeyboardInterrupt too: to leave is an answer like any other.
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
    """Move the pipes of frames away from where the hand-in prints.

    Where the system has sockets, frames come and go over one, and standard output is
    a pipe of its own. Elsewhere standard output is joined to standard error.

    Returns:
        The streams of requests and of answers.
    """
    both = stat.S_ISSOCK(os.fstat(0).st_mode)
    requests, answers = os.dup(0), os.dup(0 if both else 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    if not both:
        os.dup2(2, 1)
    # By lines, so that nothing printed before it hung or died is missing.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    return open(requests, "rb"), open(answers, "wb")


def flush_printed() -> None:
    """Let what was printed arrive before the answer does."""
    with contextlib.suppress(BaseException):  # the hand-in may have replaced stdout
        sys.stdout.flush()


class Worker:
    """The hand-in's module, and what is kept from one request to the next.

    Args:
        errors: the descriptor of standard error, as it was at the start.
    """

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
        """Import the hand-in.

        Args:
            source: its text in UTF-8, uint8 [n].
            cells: of a notebook, the number of each cell's first line, from 0.
            exported: whether it is a Python file saved from a notebook.
            skipped: lines of a notebook's statements that ran for too long before.
            seconds_of_cells: how long all cells together may run.

        Returns:
            What of a notebook was left out, see `Notebook.left_out`; {} for a file.
        """
        path = Path("dqn.py").resolve()
        text = source.tobytes().decode()
        path.write_text(text, encoding="utf-8", newline="")
        # Code that draws from the global generators gets the same numbers each time.
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
        """Import the hand-in with this text, which lies at this path."""
        module = new_module(text, path)
        exec(compile(text, str(path), "exec", dont_inherit=True), vars(module))
        self.dqn = module

    def do_call(self, part: str, spec: Any, args: Any, watched: str) -> dict[str, Any]:
        """Call a part as plain Python, whether or not it could be exported.

        Args:
            part: of the contract.
            spec: its settings.
            args: its arrays.
            watched: "numpy" or "jax" to hand over copies as arrays of that kind; the
                answer's `changed` names those that the call changed or deleted.
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
            answer = jax.tree.map(lambda leaf: values.as_array(part, leaf), answer)
        if watched:
            answer["changed"] = [
                name for name in args if not jax.tree.all(same(given[name], args[name]))
            ]
        return answer

    def do_export(self, part: str, spec: Any, args: Any, platforms: Any) -> Any:
        """Trace a part for arguments of these shapes and serialise it."""
        program = parts.program_of(self.dqn, part, spec)
        shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), args)
        jitted = jax.jit(program)
        traced = jitted.trace(shapes)
        # A value left behind by an earlier trace would become one more argument.
        used = [*traced.jaxpr.consts, *getattr(traced, "_consts", ())]
        if any(isinstance(value, jax.core.Tracer) for value in used):
            raise jax.errors.UnexpectedTracerError("")
        if calls_exported(traced.jaxpr.jaxpr):
            raise values.ContractError(f"{part} {CALLS_EXPORTED}")
        exported = export.export(jitted, platforms=platforms)(shapes)
        derivatives = 1 if spec.get("derivative") else 0
        serialized = exported.serialize(vjp_order=derivatives)
        return {"program": np.frombuffer(serialized, np.uint8)}

    def do_open_buffer(self, capacity: int) -> dict[str, Any]:
        """Open the buffer of a training run."""
        self.buffer = values.part(self.dqn, "ReplayBuffer")(capacity)
        return {}

    def do_use_buffer(
        self, rows: Any, num_batches: int, batch_size: int, seed: int
    ) -> dict[str, Any]:
        """Store rows in the open buffer, then draw batches from it."""
        parts.add_rows(self.buffer, rows, 0, len(rows["action"]))
        rng = np.random.default_rng(seed)
        return parts.stacked_samples(self.buffer, num_batches, batch_size, rng)


def calls_exported(jaxpr: Jaxpr) -> bool:
    """Tell whether a trace calls a program of `jax.export`."""
    return any(
        equation.primitive.name == "call_exported"
        or any(map(calls_exported, jaxprs_in_params(equation.params)))
        for equation in jaxpr.eqns
    )


def new_module(text: str, path: Path) -> types.ModuleType:
    """Create the hand-in's module; none of its text is run yet."""
    module = types.ModuleType("dqn")
    module.__file__ = str(path)
    sys.modules["dqn"] = module
    # A traceback shows the lines that ran, whatever encoding the file declares.
    lines = [f"{line}\n" for line in text.split("\n")]
    linecache.cache[str(path)] = len(text), None, lines, str(path)
    return module


def same(given: Any, args: Any) -> Any:
    """Compare each array with what was handed over; return a tree of booleans."""

    def is_same(a: Any, b: Any) -> bool:
        deleted = isinstance(a, jax.Array) and a.is_deleted()  # donated to a jit
        return not deleted and np.array_equal(a, b, equal_nan=True)

    return jax.tree.map(is_same, given, args)


def prepare_jax() -> None:
    """Set JAX up as hand-ins are traced and called."""
    # A forgotten debug print is no mistake, but it cannot be exported.
    for name in ("print", "callback"):
        setattr(jax.debug, name, lambda *args, **kwargs: None)
    jax.config.update("jax_default_matmul_precision", "highest")
    # A program then depends on what is computed and not on the file it was traced in.
    jax.config.update("jax_traceback_in_locations_limit", 0)


if __name__ == "__main__":
    prepare_jax()
    main()
