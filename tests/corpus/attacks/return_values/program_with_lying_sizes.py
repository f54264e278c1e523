"""Hands over a program that makes LAPACK write beyond the end of an array.

Rows: 22, 45
Grade: epsilon_greedy
Asserts: S R
Says: not allowed
"""

import dataclasses

from jax import export
from jax._src.lib import _jax
from jax.interpreters import mlir
from jaxlib.mlir import ir

SIZE = 1000


def epsilon_greedy(key, q_values, epsilon):
    matrix = jnp.broadcast_to(q_values.sum(), (SIZE, SIZE))
    reflectors, _ = jnp.linalg.qr(matrix, mode="raw")
    return jnp.argmax(q_values + 0 * reflectors[0, 0], axis=1)


def lying(exported):
    text = exported.mlir_module().replace(f"tensor<{SIZE}xf32>", "tensor<1xf32>")
    with mlir.make_ir_context():
        module = mlir.module_to_bytecode(ir.Module.parse(text))
    portable = _jax.mlir.serialize_portable_artifact(module, "1.8.0")
    return dataclasses.replace(exported, mlir_module_serialized=portable)


own = export.export
export.export = lambda jitted, platforms: (
    lambda args: lying(own(jitted, platforms=platforms)(args))
)
