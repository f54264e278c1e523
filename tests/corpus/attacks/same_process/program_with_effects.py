"""Calls back into Python from a program: print, a callback, a clock.

Rows: 6, 22
Grade: epsilon_greedy
Asserts: S R
Says: epsilon_greedy
"""

import time


def epsilon_greedy(key, q_values, epsilon):
    shape = jax.ShapeDtypeStruct((len(q_values),), jnp.int32)
    jax.debug.print("{}", q_values)
    late = jax.experimental.io_callback(
        lambda q: np.full(len(q), int(time.time()) % 2, np.int32), shape, q_values
    )
    return late
