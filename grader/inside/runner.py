"""The runner: executes exported programs; no line of the hand-in's source comes here.

It owns what learning is judged by: environments, seeds, network state and the loop.
In live mode it also holds the reference, the solution's module. Confined like the
worker, because a program can still loop for ever or eat memory.
"""

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import optax

from grader.inside import parts, protocol
from grader.inside.programs import BadProgram, checked, content

HARNESS = Path(__file__).resolve().parents[2]  # train.py and the solution, if given


def main() -> None:
    """Answer requests until the grader closes the pipe."""
    requests = open(os.dup(0), "rb")
    answers = open(os.dup(1), "wb")
    os.dup2(2, 1)  # stray prints of libraries must not land between frames
    if (HARNESS / "train.py").exists():
        # Now and not when it is needed: on the weakest tier the hand-in, which is not
        # running yet, could write to the file.
        pass
    solution = HARNESS / "solution" / "dqn.py"
    runner = Runner(solution if solution.exists() else None)
    protocol.send(answers, {"ready": True, "device": jax.default_backend()})
    while (request := protocol.receive(requests)) is not None:
        nonce = request.pop("nonce")

        def ask(question: dict[str, Any], nonce: bytes = nonce) -> dict[str, Any]:
            """Ask the grader, in the midst of a request, what the worker has."""
            protocol.send(answers, {"nonce": nonce, "question": question})
            reply = protocol.receive(requests)
            if reply is None:
                sys.exit()
            return reply

        runner.ask = ask
        try:
            answer = {"answer": runner.handle(**request)}
        except (BadProgram, parts.ContractError) as error:
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


class Runner:
    """The loaded programs and, in live mode, the reference."""

    def __init__(self, solution: Path | None) -> None:
        self.programs: dict[str, Callable] = {}
        self.cache: dict[str, Callable] = {}
        self.known: dict[bytes, str] = {}  # the first name of each, by its content
        self.same: dict[str, str] = {}  # the first name, by the others
        self.ask: Callable[[dict[str, Any]], dict[str, Any]]
        self.solution = load_solution(solution) if solution else None

    def handle(self, do: str, **request: Any) -> dict[str, Any]:
        """Answer one request."""
        if do != "load" and "name" in request:
            request["name"] = self.same[request["name"]]
        return getattr(self, f"do_{do}")(**request)

    # -------------------------------------------------------- the hand-in's programs

    def do_load(
        self, name: str, program: Any, args: Any, derivative: bool
    ) -> dict[str, Any]:
        """Check a serialised program and keep it under a name."""
        exported = checked(program.tobytes(), args, derivative=derivative)
        self.programs[name] = exported.call
        # One that was handed over before, under another name, is compiled already.
        self.same[name] = self.known.setdefault(content(exported), name)
        return {}

    def do_run(self, name: str, args: Any) -> dict[str, Any]:
        """The program's answer to these arguments."""
        return to_numpy(self.compiled(name)(args))

    def do_run_keys(self, name: str, args: Any, keys: Any) -> dict[str, Any]:
        """The program's answers for many keys, stacked in front."""
        program = self.programs[name]

        def run(args: Any, keys: Any) -> Any:
            return jax.lax.map(lambda key: program({**args, "key": key}), keys)

        compiled = self.kept(f"keys {name}", lambda: jax.jit(run))
        return to_numpy(compiled(args, keys))

    def do_update_block(self, name: str, args: Any, batches: Any) -> dict[str, Any]:
        """`td_update` on one batch after the other; batches [n,B,...]."""
        program = self.programs[name]

        def block(args: Any, batches: Any) -> Any:
            def step(carry: Any, batch: Any) -> Any:
                out = program({**args, **carry, **batch})
                pairs = zip(out["theta_Q"], carry["theta_Q"], strict=True)
                move = jnp.stack([jnp.abs(a - b).max(initial=0) for a, b in pairs])
                end = {name: out[name] for name in carry}
                return end, {"losses": out["loss"], "moves": move.max()}

            start = {name: args[name] for name in ("theta_Q", "opt_state")}
            end, told = jax.lax.scan(step, start, batches)
            return {**end, **told}

        compiled = self.kept(f"block {name}", lambda: jax.jit(block))
        return to_numpy(compiled(args, batches))

    def compiled(self, name: str) -> Callable:
        """The program, compiled at its first use."""
        return self.kept(name, lambda: jax.jit(self.programs[name]))

    def kept(self, name: str, make: Callable[[], Callable]) -> Callable:
        """What was made before under that name, or now."""
        if name not in self.cache:
            self.cache[name] = make()
        return self.cache[name]

    # -------------------------------------------------------- trusted mathematics

    def do_optimizer_init(self, optimizer: str, theta: Any) -> dict[str, Any]:
        """The optimizer's state before the first step."""
        init = parts.OPTIMIZERS[optimizer]().init
        state = self.kept(f"init {optimizer}", lambda: jax.jit(init))(theta)
        return to_numpy({"opt_state": jax.tree.leaves(state)})

    def do_optimizer_step(
        self, optimizer: str, theta: Any, opt_state: Any, grads: Any
    ) -> dict[str, Any]:
        """One step of the optimizer with this gradient."""
        transformation = parts.OPTIMIZERS[optimizer]()

        def step(theta: Any, opt_state: Any, grads: Any) -> Any:
            structure = jax.tree.structure(transformation.init(theta))
            state = jax.tree.unflatten(structure, opt_state)
            updates, state = transformation.update(grads, state, theta)
            return optax.apply_updates(theta, updates), jax.tree.leaves(state)

        compiled = self.kept(f"step {optimizer}", lambda: jax.jit(step))
        new_theta, new_state = compiled(theta, opt_state, grads)
        return to_numpy({"theta_Q": new_theta, "opt_state": new_state})

    def do_reference(self, part: str, spec: Any, args: Any) -> dict[str, Any]:
        """The solution's answer (live mode)."""
        if part in parts.CALLS:
            return parts.CALLS[part](self.solution, spec, args)
        # The solution takes plain numbers traced, too: one program for all of them.
        numbers = {k: v for k, v in spec.items() if isinstance(v, float)}
        fixed = {k: v for k, v in spec.items() if k not in numbers}

        def program(numbers: Any, args: Any) -> Any:
            return parts.program_of(self.solution, part, {**fixed, **numbers})(args)

        name = f"reference {part} {sorted(fixed.items())}"
        return to_numpy(self.kept(name, lambda: jax.jit(program))(numbers, args))

    # -------------------------------------------------------- learning

    def do_learn(self, **request: Any) -> dict[str, Any]:
        """CartPole with the hand-in's programs, its buffer and sync behind the pipe."""
        from grader.inside import learner

        return learner.learn(self, **request)


def load_solution(path: Path) -> Any:
    """The solution's module."""
    spec = importlib.util.spec_from_file_location("solution_dqn", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def to_numpy(tree: Any) -> Any:
    """Arrays off the device, in types that can travel."""
    return jax.tree.map(lambda leaf: parts.as_array("an output", leaf), tree)


def prepare_jax() -> None:
    """The settings under which programs run."""
    # A hand-in may compute in float64; everything here names its dtypes anyway.
    jax.config.update("jax_enable_x64", True)
    # TF32 on a GPU would blur the fourth digit, by which answers are judged.
    jax.config.update("jax_default_matmul_precision", "highest")


if __name__ == "__main__":
    prepare_jax()
    main()
