"""Hands over a program with an array of 2**64 numbers, which 64 bits take for none.

Rows: 21, 22, 45
Grade: epsilon_greedy
Asserts: S R
Says: an array of more than
"""

import dataclasses

from jax import export
from jax._src.lib import _jax
from jax.interpreters import mlir
from jaxlib.mlir import ir

CHANGES = [("777x4xf32", f"{1 << 62}x4xf32")]


def epsilon_greedy(key, q_values, epsilon):
    large = jnp.broadcast_to(q_values.sum(), (777, 4))
    return jnp.argmax(q_values + 0 * large[5, 1], axis=1)


def lying(exported):
    text = exported.mlir_module()
    for old, new in CHANGES:
        text = text.replace(old, new)
    with mlir.make_ir_context():
        module = mlir.module_to_bytecode(ir.Module.parse(text))
    portable = _jax.mlir.serialize_portable_artifact(module, "1.8.0")
    return dataclasses.replace(exported, mlir_module_serialized=portable)


own = export.export
export.export = lambda jitted, platforms: (
    lambda args: lying(own(jitted, platforms=platforms)(args))
)
