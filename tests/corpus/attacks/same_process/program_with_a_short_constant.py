"""Hands over a program whose constant ends before its type does: memory is read on.

Rows: 6, 26, 35
Grade: epsilon_greedy
Asserts: S R
Says: does not stand in its bytes
"""

import dataclasses

from jax import export

NUMBERS = np.array([1.25, 2.5, 3.75, 4.125], np.float32)
# In the table of types: a tensor's code, of one dimension, of 4 numbers; now of 60.
OLD, NEW = bytes([41, 3, 4 << 2 | 1]), bytes([41, 3, 60 << 2 | 1])


def epsilon_greedy(key, q_values, epsilon):
    return jnp.argmax(q_values * jnp.asarray(NUMBERS).sum(), axis=1)


def short(exported):
    data = exported.mlir_module_serialized.replace(OLD, NEW)
    return dataclasses.replace(exported, mlir_module_serialized=data)


own = export.export
export.export = lambda jitted, platforms: (
    lambda args: short(own(jitted, platforms=platforms)(args))
)
