"""Hands over a program that sorts by <=, which leads XLA beyond the ends of the array.

Rows: 22, 45
Grade: epsilon_greedy
Asserts: S R
Says: sorts in a way that JAX does not write
"""

import dataclasses

from jax import export
from jax._src.lib import _jax
from jax.interpreters import mlir
from jaxlib.mlir import ir

CHANGES = (("compare LT", "compare LE"), ("TOTALORDER", "FLOAT"))


def epsilon_greedy(key, q_values, epsilon):
    many = jnp.zeros(100_000) + q_values.sum()
    last = jax.lax.sort(many, is_stable=False)[-1]
    return jnp.argmax(q_values + 0 * last, axis=1)


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
