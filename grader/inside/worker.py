"""The worker: the only process that runs the hand-in's Python. It is not trusted.

The worker imports `dqn.py`, exports programs and answers calls. It handles one request
at a time over its standard input and output. The grader kills it at a deadline. The
grader takes its answers as data only, see `protocol.py`.
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

# The grader recognises this message by its first words, `outcomes.CALLS_EXPORTED`.
CALLS_EXPORTED = "calls an exported program: write the code that computes it instead"


def main() -> None:
    """Answer requests until the grader closes the pipe."""
    requests, answers = take_pipes()
    errors = os.dup(2)
    worker = Worker(errors)
    protocol.send(answers, {})  # the worker has started
    while (request := protocol.receive(requests)) is not None:
        nonce = request.pop("nonce")
        # If the hand-in hangs, its place is printed before the grader kills the worker.
        faulthandler.dump_traceback_later(0.8 * request.pop("seconds"), file=errors)
        try:
            answer = {"answer": worker.handle(**request)}
        # Also catches SystemExit and KeyboardInterrupt: the worker goes on.
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
    """Move the pipes of frames to other descriptors than the hand-in prints to.

    If descriptor 0 is a socket, requests and answers both use it, and standard output
    is a pipe of its own. Otherwise standard output is joined to standard error.

    Returns:
        The stream of requests.
        The stream of answers.
    """
    both = stat.S_ISSOCK(os.fstat(0).st_mode)
    requests, answers = os.dup(0), os.dup(0 if both else 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    if not both:
        os.dup2(2, 1)
    # Flush each line: if the hand-in hangs or dies, printed lines are not lost.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    return open(requests, "rb"), open(answers, "wb")


def flush_printed() -> None:
    """Send printed text on its way before the answer."""
    with contextlib.suppress(BaseException):  # the hand-in may have replaced stdout
        sys.stdout.flush()


class Worker:
    """The hand-in's module, and the state between requests.

    Args:
        errors: descriptor of standard error at the start.
    """

    def __init__(self, errors: int = 2) -> None:
        self.errors = errors
        self.dqn: Any = None
        self.buffer: Any = None

    def handle(self, do: str, **request: Any) -> dict[str, Any]:
        """Answer one request.

        Args:
            do: name of the request; the method `do_<name>` answers it.
            request: arguments of the method.
        """
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
            source: text in UTF-8, uint8 [n].
            cells: for a notebook, the number of each cell's first line, from 0.
            exported: True for a Python file that was saved from a notebook.
            skipped: first lines of a notebook's statements that took too long before.
            seconds_of_cells: time limit for all cells together.

        Returns:
            For a notebook, what was left out, see `Notebook.left_out`; {} for a file.
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
        """Import a text as the hand-in's module.

        Args:
            text: source of the hand-in.
            path: path of the file with this text.
        """
        module = new_module(text, path)
        exec(compile(text, str(path), "exec", dont_inherit=True), vars(module))
        self.dqn = module

    def do_call(self, part: str, spec: Any, args: Any, watched: str) -> dict[str, Any]:
        """Call a part as plain Python, whether or not it can be exported.

        Args:
            part: name of the part.
            spec: settings of the part.
            args: arrays of the part.
            watched: "numpy" or "jax" to pass copies as arrays of this kind; the
                answer's `changed` then has the names of the arrays that the call
                changed or
            deleted.
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
        """Trace a part for arguments of these shapes and serialise the program.

        Args:
            part: name of the part.
            spec: settings of the part.
            args: arrays of which only shapes and dtypes count.
            platforms: platforms of the program, such as "cpu".

        Raises:
            UnexpectedTracerError: the part uses a value from an earlier trace.
            ContractError: the part calls an exported program.
        """
        program = parts.program_of(self.dqn, part, spec)
        shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), args)
        jitted = jax.jit(program)
        traced = jitted.trace(shapes)
        # A value from an earlier trace would become one more argument of the program.
        used = [*traced.jaxpr.consts, *getattr(traced, "_consts", ())]
        if any(isinstance(value, jax.core.Tracer) for value in used):
            raise jax.errors.UnexpectedTracerError("")
        if calls_exported(traced.jaxpr.jaxpr):
            raise values.ContractError(f"{part} {CALLS_EXPORTED}")
        exported = export.export(jitted, platforms=platforms)(shapes)
        return {"program": np.frombuffer(exported.serialize(), np.uint8)}

    def do_open_buffer(self, capacity: int) -> dict[str, Any]:
        """Make the buffer of a training run."""
        self.buffer = values.part(self.dqn, "ReplayBuffer")(capacity)
        return {}

    def do_use_buffer(
        self, rows: Any, num_batches: int, batch_size: int, seed: int
    ) -> dict[str, Any]:
        """Add rows to the open buffer, then draw batches from it.

        Args:
            rows: transitions, an array [n,...] for each field.
            num_batches: number of batches.
            batch_size: number of rows in a batch.
            seed: seed of the generator.

        Returns:
            The batches, an array [num_batches,batch_size,...] for each field.
        """
        parts.add_rows(self.buffer, rows, 0, len(rows["action"]))
        rng = np.random.default_rng(seed)
        return parts.stacked_samples(self.buffer, num_batches, batch_size, rng)

    def do_schedule(self, first: int, count: int, period: int) -> dict[str, Any]:
        """Ask `sync_target` after which updates θ_T becomes θ_Q.

        Args:
            first: number of the first update.
            count: number of updates.
            period: updates from one sync to the next.

        Returns:
            `synced` int8 [count]: 1 for θ_Q, 0 for θ_T, -1 for anything else.
        """
        synced = parts.sync_schedule(self.dqn, range(first, first + count), period)
        return {"synced": np.array(synced, np.int8)}


def calls_exported(jaxpr: Jaxpr) -> bool:
    """Tell whether a trace calls a program of `jax.export`."""
    return any(
        equation.primitive.name == "call_exported"
        or any(map(calls_exported, jaxprs_in_params(equation.params)))
        for equation in jaxpr.eqns
    )


def new_module(text: str, path: Path) -> types.ModuleType:
    """Return an empty module for the hand-in; its text is not run yet."""
    module = types.ModuleType("dqn")
    module.__file__ = str(path)
    sys.modules["dqn"] = module
    # Tracebacks show the lines that ran, even if the file declares another encoding.
    lines = [f"{line}\n" for line in text.split("\n")]
    linecache.cache[str(path)] = len(text), None, lines, str(path)
    return module


def same(given: Any, args: Any) -> Any:
    """Return a tree of booleans: whether each array is as it was before a call.

    Args:
        given: arrays that were passed to the call.
        args: copies of these arrays from before the call.
    """

    def is_same(a: Any, b: Any) -> bool:
        deleted = isinstance(a, jax.Array) and a.is_deleted()  # donated to a jit
        return not deleted and np.array_equal(a, b, equal_nan=True)

    return jax.tree.map(is_same, given, args)


def prepare_jax() -> None:
    """Configure JAX for tracing and calling hand-ins."""
    # A forgotten debug print is no mistake, but a program with it cannot be exported.
    for name in ("print", "callback"):
        setattr(jax.debug, name, lambda *args, **kwargs: None)
    jax.config.update("jax_default_matmul_precision", "highest")
    # With this, a program does not depend on the path of the traced file.
    jax.config.update("jax_traceback_in_locations_limit", 0)


if __name__ == "__main__":
    prepare_jax()
    main()
