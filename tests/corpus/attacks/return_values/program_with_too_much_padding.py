"""Hands over a program that pads an array by 2**60 rows and takes as many away again.

Rows: 21, 22, 45
Grade: epsilon_greedy
Asserts: S R
Says: too much padding
"""

import dataclasses

from jax import export
from jax._src.lib import _jax
from jax.interpreters import mlir
from jaxlib.mlir import ir

CHANGES = [("777", str(1 << 60))]


def epsilon_greedy(key, q_values, epsilon):
    padded = jax.lax.pad(q_values, 0.0, ((777, -777, 0), (0, 0, 0)))
    return jnp.argmax(q_values + 0 * padded, axis=1)


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
