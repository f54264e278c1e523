"""Hands over a program that calls a function of the runner's process.

Rows: 22, 45
Grade: epsilon_greedy
Asserts: S R
Says: not allowed
"""

import sys

from jax import export

ALLOW = [
    export.DisabledSafetyCheck.custom_call(n) for n in ("xla_ffi_python_cpu_callback",)
]


def epsilon_greedy(key, q_values, epsilon):
    shape = jax.ShapeDtypeStruct((len(q_values),), jnp.int32)
    return jax.ffi.ffi_call("xla_ffi_python_cpu_callback", shape)(
        q_values, index=np.int64(1)
    )


own = export.export
export.export = lambda jitted, platforms: own(
    jitted, platforms=platforms, disabled_checks=ALLOW
)
