"""The worker: the only helper that runs the hand-in's Python.

The worker imports `dqn.py`, exports parts as programs and answers calls. It handles one
request at a time, and the grader kills it at a deadline. Requests and answers are
frames, see `protocol.py`. The grader does not trust the worker's answers: it reads them
as data only.
"""

import contextlib
import faulthandler
import itertools
import linecache
import os
import random
import signal
import stat
import sys
import types
from collections.abc import Iterator
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import Any

# JAX is imported before the hand-in, and from the locked environment only.
import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from jax.extend.core import Jaxpr, jaxprs_in_params

from grader.inside import buffer, parts, protocol, values
from grader.inside.errors import describe_error
from grader.inside.hand_in.debug import Debug
from grader.inside.hand_in.notebook import Notebook, whole_or_cells

MAX_DEBUG = 4000  # characters of debug prints for each request; 2000 bytes are shown
debug = Debug()

# The grader recognises this message by its first words, `outcomes.CALLS_EXPORTED`.
CALLS_EXPORTED = "calls an exported program: write the code that computes it instead"


def main() -> None:
    """Answer requests of the grader until it closes the pipe."""
    requests, answers = take_pipes()
    debug.leave_out_others()
    errors = os.dup(2)
    worker = Worker(errors)
    protocol.send(answers, {})  # the worker has started
    while (request := protocol.receive(requests)) is not None:
        nonce = request.pop("nonce")
        debug.left = MAX_DEBUG
        # If the hand-in hangs, the line that runs is written to standard error before
        # the grader kills the worker.
        with place_told(0.8 * request.pop("seconds"), errors):
            try:
                answer = {"answer": worker.handle(**request)}
            # SystemExit and KeyboardInterrupt must not end the worker either.
            except BaseException as error:
                answer = {"error": describe_error(error)}
            flush_printed()
        try:
            frame = protocol.encode({"nonce": nonce, **answer})
        except protocol.ProtocolError as error:
            problem = {"kind": "contract", "message": f"the answer {error}"}
            frame = protocol.encode({"nonce": nonce, "error": problem})
        answers.write(frame)
        answers.flush()


def take_pipes() -> tuple[BufferedReader, BufferedWriter]:
    """Move the streams of requests and answers away from descriptors 0 and 1.

    The hand-in prints to descriptor 1, and must not mix its text with frames. If
    descriptor 0 is a socket, the socket carries requests and answers, and descriptor 1
    stays a pipe for printed text. Otherwise descriptor 0 carries the requests and
    descriptor 1 the answers until this call; after it, descriptor 1 leads to standard
    error.

    Returns:
        The stream of requests, and the stream of answers.
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


@contextlib.contextmanager
def place_told(seconds: float, errors: int) -> Iterator[None]:
    """Write the traceback of a with block to standard error if the block takes long.

    The handler of an alarm writes it, between two instructions of Python. While the
    process waits in compiled code, no handler runs, and faulthandler's thread writes it
    a little later. The alarm comes first, because the thread could crash the process
    while Python code runs.

    Args:
        seconds: the time in seconds after which the traceback is written.
        errors: file descriptor of a copy of standard error.
    """

    def on_alarm(*_: object) -> None:
        faulthandler.cancel_dump_traceback_later()
        os.write(errors, b"Timeout (alarm)\n")
        faulthandler.dump_traceback(errors, all_threads=False)

    faulthandler.dump_traceback_later(1.1 * seconds, file=errors)
    if hasattr(signal, "setitimer"):  # Windows has no alarms
        signal.signal(signal.SIGALRM, on_alarm)
        signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()


def flush_printed() -> None:
    """Wait for compiled code that prints, then flush standard output.

    So printed text is sent before the answer.
    """
    with contextlib.suppress(BaseException):
        jax.effects_barrier()
    with contextlib.suppress(BaseException):  # the hand-in may have replaced stdout
        sys.stdout.flush()


class Worker:
    """The object that answers requests; it keeps the hand-in's module and a buffer.

    Args:
        errors: file descriptor of a copy of standard error. If a statement of a
            notebook hangs, its traceback is written there.

    Attributes:
        dqn: the hand-in's module; None before the import.
        buffer: the `ReplayBuffer` that learning uses; None before `do_open_buffer`.
        stood_in: for each part, whether the last question to it used a stand-in.
    """

    def __init__(self, errors: int = 2) -> None:
        self.errors = errors
        self.path = Path("dqn.py").resolve()  # the hand-in may change the folder
        self.dqn: Any = None
        self.buffer: Any = None
        self.stood_in: dict[str, bool] = {}

    def handle(self, do: str, **request: Any) -> dict[str, Any]:
        """Answer one request by the method `do_…` that has the request's name.

        Args:
            do: the name of the request, such as "load" for `do_load`.
            request: the arguments of the method.
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
        """Write the hand-in's text to dqn.py and import it.

        Args:
            source: the hand-in's text in UTF-8, uint8 [n].
            cells: for a notebook, or a Python file that was saved from one, the number
                of each cell's first line, from 0; else empty.
            exported: whether the text is a Python file that was saved from a notebook.
            skipped: line numbers (from 1) of statements in cells that took too long in
                an earlier import. These statements are not run.
            seconds_of_cells: time limit for all cells together, in seconds.

        Returns:
            The statements of cells that have failed or were skipped, as the dict from
            `Notebook.left_out`; {} if `cells` is empty.
        """
        path = self.path
        os.chdir(path.parent)
        self.stood_in = {}  # no part of the new module was traced
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
        notebook.run_again()
        self.dqn = module
        return notebook.left_out()

    def load_text(self, text: str, path: Path) -> None:
        """Run the hand-in's text in a new module, and keep the module as `self.dqn`.

        Args:
            text: the hand-in's text.
            path: path of the file with this text, for tracebacks.
        """
        module = new_module(text, path)
        exec(compile(text, str(path), "exec", dont_inherit=True), vars(module))
        self.dqn = module

    def do_call(self, part: str, spec: Any, args: Any, watched: str) -> dict[str, Any]:
        """Call a part as plain Python; return the part's results by name.

        Args:
            part: name of the part, as in `Case.part`.
            spec: settings of the case.
            args: arrays of the case by name.
            watched: "numpy" or "jax" to watch the arguments. The part then gets copies
                as arrays of this kind. The answer then has one more entry, "changed": a
                list of the names of the arguments that the part has changed or deleted.
                "" to watch nothing.
        """
        self.forget_traces(part, spec)
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

    @debug.exporting()
    def do_export(self, part: str, spec: Any, args: Any, platforms: Any) -> Any:
        """Export a part: trace it and return the serialised program.

        Args:
            part: name of the part, as in `Case.part`.
            spec: settings of the case.
            args: arrays by name; only their shapes and dtypes are used.
            platforms: list of the program's platforms: ["cpu"] or ["cuda"].

        Returns:
            {"program": uint8 [n]}.

        Raises:
            UnexpectedTracerError: the part uses a value from an earlier trace.
            ContractError: the part calls an exported program.
        """
        self.forget_traces(part, spec)
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

    def forget_traces(self, part: str, spec: Any) -> None:
        """Clear JAX's caches if a stand-in begins or ceases to replace another part.

        A part under `jax.jit` is not traced again for arguments of the same shapes. JAX
        would use the cached trace, which has called the other function.

        Args:
            part: name of the part that is asked next.
            spec: settings of the case.
        """
        stands_in = bool(spec.get("stand_in"))
        if self.stood_in.get(part, stands_in) != stands_in:
            jax.clear_caches()
        self.stood_in[part] = stands_in

    def do_open_buffer(self, capacity: int) -> dict[str, Any]:
        """Make a new `ReplayBuffer` for `capacity` transitions; return {}."""
        self.buffer = values.part(self.dqn, "ReplayBuffer")(capacity)
        return {}

    def do_use_buffer(
        self, rows: Any, num_batches: int, batch_size: int, seed: int
    ) -> dict[str, Any]:
        """Add transitions to the buffer of `do_open_buffer`, then draw batches from it.

        Args:
            rows: the n transitions: for each field by name, an array [n,...].
            num_batches: number of batches to draw.
            batch_size: number of transitions in a batch.
            seed: seed of the random generator that `sample` gets.

        Returns:
            For each field by name, an array [num_batches,batch_size,...].
        """
        buffer.add_rows(self.buffer, rows, 0, len(rows["action"]))
        rng = np.random.default_rng(seed)
        return buffer.stacked_samples(self.buffer, rng, num_batches, batch_size)

    def do_schedule(self, first: int, count: int, period: int) -> dict[str, Any]:
        """Ask `sync_target` after which updates θ_T becomes θ_Q.

        Args:
            first: number of the first update.
            count: how many updates are asked for: first, ..., first + count - 1.
            period: the setting of `sync_target`: updates from one sync to the next.

        Returns:
            {"synced": int8 [count]}: 1 where `sync_target` returned θ_Q, 0 where it
            returned θ_T, -1 where it returned other arrays.
        """
        synced = parts.sync_schedule(self.dqn, range(first, first + count), period)
        return {"synced": np.array(synced, np.int8)}


def calls_exported(jaxpr: Jaxpr) -> bool:
    """Return whether a traced function calls an exported program of `jax.export`."""
    return any(
        equation.primitive.name == "call_exported"
        or any(map(calls_exported, jaxprs_in_params(equation.params)))
        for equation in jaxpr.eqns
    )


def new_module(text: str, path: Path) -> types.ModuleType:
    """Return a new module `dqn`, in which the hand-in's text has not been run yet.

    The module replaces an older module `dqn` in `sys.modules`.

    Args:
        text: the hand-in's text; tracebacks show its lines.
        path: path of dqn.py.
    """
    module = types.ModuleType("dqn")
    module.__file__ = str(path)
    sys.modules["dqn"] = module
    # Tracebacks show the lines that ran, even if the file declares another encoding.
    lines = [f"{line}\n" for line in text.split("\n")]
    linecache.cache[str(path)] = len(text), None, lines, str(path)
    return module


def same(given: Any, args: Any) -> Any:
    """Return for each array of a tree whether a call has left the array unchanged.

    Args:
        given: the tree of arrays that the called part got: copies of `args`.
        args: the original arrays, a tree of the same structure.

    Returns:
        A tree with a bool for each array: False if it was changed or deleted.
    """

    def is_same(a: Any, b: Any) -> bool:
        deleted = isinstance(a, jax.Array) and a.is_deleted()  # donated to a jit
        return not deleted and np.array_equal(a, b, equal_nan=True)

    return jax.tree.map(is_same, given, args)


def prepare_jax() -> None:
    """Configure JAX for tracing and calling parts of the hand-in."""
    debug.put_in_place()
    jax.config.update("jax_default_matmul_precision", "highest")
    # With this setting, a program does not depend on the path of the traced file.
    jax.config.update("jax_traceback_in_locations_limit", 0)


if __name__ == "__main__":
    prepare_jax()
    main()
