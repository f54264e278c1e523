"""The runner: a helper that runs exported programs and never gets the hand-in's source.

The runner also runs the reference's programs. It is confined like the worker, because
a program can loop for ever or fill the memory. The learner runs this module, too, and
then also imports `learner.py`.
"""

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import optax
from jax import export

from grader.inside import protocol, values
from grader.inside.networks import OPTIMIZERS
from grader.inside.programs import BadProgram, checked, content

HARNESS = Path(__file__).resolve().parents[2]  # the learner has train.py there


def main() -> None:
    """Answer requests of the grader until it closes the pipe."""
    requests = open(os.dup(0), "rb")
    answers = open(os.dup(1), "wb")
    os.dup2(2, 1)  # prints of a library must not come between frames
    if (HARNESS / "train.py").exists():
        # Import train.py before the hand-in runs: on the weakest tier, the hand-in
        # could change the file.
        from grader.inside import learner  # noqa: F401
    runner = Runner()
    start_backend()
    protocol.send(answers, {})  # the runner has started
    while (request := protocol.receive(requests)) is not None:
        nonce = request.pop("nonce")

        def ask(question: dict[str, Any], nonce: bytes = nonce) -> dict[str, Any]:
            """Ask the grader a question during a request, and return its answer.

            The process ends if the grader has closed the pipe.

            Args:
                question: the question, a dict.
                nonce: the random bytes of the request; the question repeats them.
            """
            protocol.send(answers, {"nonce": nonce, "question": question})
            reply = protocol.receive(requests)
            if reply is None:
                sys.exit()
            return reply

        runner.ask = ask
        try:
            answer = {"answer": runner.handle(**request)}
        except (BadProgram, values.ContractError) as error:
            answer = {"error": {"kind": "program", "message": str(error)[:2000]}}
        except Exception as error:
            words = f"{type(error).__name__}: {error}"
            answer = {"error": {"kind": "runner", "message": words[:2000]}}
        try:
            frame = protocol.encode({"nonce": nonce, **answer})
        except protocol.ProtocolError as error:
            problem = {"kind": "program", "message": f"its answer {error}"}
            frame = protocol.encode({"nonce": nonce, "error": problem})
        answers.write(frame)
        answers.flush()


def start_backend() -> None:
    """Make JAX start its backend (CPU or GPU) before the first request.

    The start would otherwise count as time of the first request.

    Raises:
        SystemExit: JAX finds no device.
    """
    try:
        jax.devices()
    except Exception:  # JAX's own words do not name the device
        platforms = os.environ.get("JAX_PLATFORMS")
        sys.exit(f"JAX finds no device for {platforms}; does nvidia-smi show a GPU?")


class Runner:
    """The object that answers requests; it keeps programs and compiled functions.

    Attributes:
        ask: function from a question to the grader's answer, both dicts. It can be
            called only while a request is answered.
    """

    def __init__(self) -> None:
        self.programs: dict[str, Callable] = {}
        self.exported: dict[str, export.Exported] = {}
        self.cache: dict[str, Callable] = {}
        # Programs with equal content are compiled once, under the first of their names.
        self.known: dict[bytes, str] = {}  # the first name by the program's content
        self.same: dict[str, str] = {}  # the first name by every name
        self.ask: Callable[[dict[str, Any]], dict[str, Any]]

    def handle(self, do: str, **request: Any) -> dict[str, Any]:
        """Answer one request by the method `do_…` that has the request's name.

        Args:
            do: the name of the request, such as "run" for `do_run`.
            request: the arguments of the method.
        """
        if do != "load" and "name" in request:
            request["name"] = self.same[request["name"]]
        return getattr(self, f"do_{do}")(**request)

    # -------------------------------------------------------- the hand-in's programs

    def do_load(self, name: str, program: Any, args: Any) -> dict[str, Any]:
        """Check a program of the hand-in and keep the program under a name; return {}.

        Args:
            name: name of the program in later requests.
            program: serialised program, uint8 [n].
            args: arguments by name; only their shapes and dtypes are used.

        Raises:
            BadProgram: the bytes are no program, or the program takes other arguments
                than `args`, or it contains something that is not allowed.
        """
        exported = checked(program.tobytes(), args)
        self.programs[name], self.exported[name] = exported.call, exported
        # The same program may be compiled already, under another name.
        self.same[name] = self.known.setdefault(content(exported), name)
        return {}

    def do_run(self, name: str, args: Any) -> dict[str, Any]:
        """Run a loaded program; return its results as NumPy arrays by name.

        Args:
            name: name of the program.
            args: arguments of the program by name.
        """
        return to_numpy(self.compiled(name)(args))

    def do_run_keys(self, name: str, args: Any, keys: Any) -> dict[str, Any]:
        """Run a loaded program once for each of K random keys.

        Args:
            name: name of the program.
            args: arguments of the program by name. The argument `key` is ignored.
            keys: for each run, the numbers of the argument `key`, uint32 [K,2].

        Returns:
            The results by name, each a NumPy array [K,...] with the results of all
            runs.
        """
        program = self.programs[name]

        def run(args: Any, keys: Any) -> Any:
            return jax.lax.map(lambda key: program({**args, "key": key}), keys)

        compiled = self.kept(f"keys {name}", lambda: jax.jit(run))
        return to_numpy(compiled(args, keys))

    def compiled(self, name: str) -> Callable:
        """Return a loaded program as a jitted function; its first call compiles it."""
        return self.kept(name, lambda: jax.jit(self.programs[name]))

    def kept(self, name: str, make: Callable[[], Callable]) -> Callable:
        """Return the object that is kept under a name.

        Args:
            name: the name.
            make: function without arguments that makes the object. It is called if no
                object is kept under this name yet.
        """
        if name not in self.cache:
            self.cache[name] = make()
        return self.cache[name]

    # -------------------------------------------------------- trusted mathematics

    def do_optimizer_init(self, optimizer: str, theta: Any) -> dict[str, Any]:
        """Return {"opt_state": the optimizer's state before the first step}.

        Args:
            optimizer: name of the optimizer, a key of `OPTIMIZERS`.
            theta: the parameters, a list of arrays.
        """
        init = OPTIMIZERS[optimizer]().init
        state = self.kept(f"init {optimizer}", lambda: jax.jit(init))(theta)
        return to_numpy({"opt_state": jax.tree.leaves(state)})

    def do_optimizer_step(
        self, optimizer: str, theta: Any, opt_state: Any, grads: Any
    ) -> dict[str, Any]:
        """Make one step of an optimizer.

        Args:
            optimizer: name of the optimizer, a key of `OPTIMIZERS`.
            theta: the parameters, a list of arrays.
            opt_state: the optimizer's state before the step, a list of arrays.
            grads: the gradient, a list of arrays.

        Returns:
            A dict with the new parameters `theta_Q` and the new `opt_state`, both lists
            of arrays.
        """
        transformation = OPTIMIZERS[optimizer]()

        def step(theta: Any, opt_state: Any, grads: Any) -> Any:
            structure = jax.tree.structure(transformation.init(theta))
            state = jax.tree.unflatten(structure, opt_state)
            updates, state = transformation.update(grads, state, theta)
            return optax.apply_updates(theta, updates), jax.tree.leaves(state)

        compiled = self.kept(f"step {optimizer}", lambda: jax.jit(step))
        new_theta, new_state = compiled(theta, opt_state, grads)
        return to_numpy({"theta_Q": new_theta, "opt_state": new_state})

    def do_reference(self, program: Any, args: Any) -> dict[str, Any]:
        """Run a program of the reference; return its results as NumPy arrays by name.

        Args:
            program: serialised program, uint8 [n].
            args: arguments of the program by name.
        """
        data = bytearray(program.tobytes())
        name = f"reference {hashlib.sha256(data).hexdigest()}"
        compiled = self.kept(name, lambda: jax.jit(export.deserialize(data).call))
        return to_numpy(compiled(args))

    # -------------------------------------------------------- learning

    def do_learn(self, **request: Any) -> dict[str, Any]:
        """Learn the maze or CartPole; return the results of `learner.learn`.

        Args:
            request: the arguments of `learner.learn` but `runner`, by name.
        """
        from grader.inside import learner

        return learner.learn(self, **request)

    def do_learn_table(self, **request: Any) -> dict[str, Any]:
        """Learn a table world; return the results of `learner.learn_table`.

        Args:
            request: the arguments of `learner.learn_table` but `runner`, by name.
        """
        from grader.inside import learner

        return learner.learn_table(self, **request)


def to_numpy(tree: Any) -> Any:
    """Return a tree of JAX arrays as NumPy arrays that can be sent in a frame."""
    return jax.tree.map(lambda leaf: values.as_array("an output", leaf), tree)


def prepare_jax() -> None:
    """Configure JAX for running programs: 64-bit types, full precision."""
    # A hand-in may compute in float64. The grader's own code names its dtypes.
    jax.config.update("jax_enable_x64", True)
    # TF32 on a GPU has errors in the fourth digit, which checks compare.
    jax.config.update("jax_default_matmul_precision", "highest")


if __name__ == "__main__":
    prepare_jax()
    main()
