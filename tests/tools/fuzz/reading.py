"""The fuzzing target that reads programs.

It is not in `targets`, because it needs JAX.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

from grader.inside.programs import BadProgram, checked

ARGS = {
    "theta": [np.zeros((3, 2), np.float32), np.zeros(3, np.float32)],
    "state": np.zeros((5, 2), np.float32),
}
ASKED = [(x.shape, x.dtype) for x in jax.tree.leaves(ARGS)]


def network(args: dict) -> dict:
    """Return Q values and an orthogonal matrix, by name.

    The function has a loop, a sort and a call of LAPACK. It is exported as a good
    program.

    Args:
        args: parameters and states with the names and shapes in `ARGS`.
    """
    weight, bias = args["theta"]
    q_values = jnp.tanh(args["state"] @ weight.T) + bias
    steps = jax.lax.fori_loop(0, 3, lambda i, x: jnp.sort(x * 0.5), q_values)
    return {"q_values": steps, "basis": jnp.linalg.qr(jax.lax.stop_gradient(weight))[0]}


def smooth(args: dict) -> dict:
    """Return the Q values of a network with one layer, by name.

    The function is exported as a good program.

    Args:
        args: parameters and states with the names and shapes in `ARGS`.
    """
    weight, bias = args["theta"]
    return {"q_values": jnp.tanh(args["state"] @ weight.T) + bias}


def seeds(target: str = "programs") -> list[bytes]:
    """Return the bytes of two good programs, from which fuzzing starts.

    Args:
        target: not used; `frames.seeds` has the same argument.
    """
    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), ARGS)
    made = [export.export(jax.jit(f), platforms=["cpu"])(shapes) for f in FUNCTIONS]
    return [bytes(exported.serialize()) for exported in made]


FUNCTIONS = (network, smooth)


def program(data: bytes) -> None:
    """Read bytes as a program; fail if a wrong program is accepted.

    Raises:
        AssertionError: a program was accepted that must be refused.
    """
    try:
        exported = checked(data, ARGS)
    except BadProgram:
        return
    assert [(x.shape, x.dtype) for x in exported.in_avals] == ASKED
    assert exported.platforms == ("cpu",)
    assert not exported.ordered_effects
    assert not exported.has_vjp()
