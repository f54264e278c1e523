"""Hands over a program that needs 64 gigabytes.

Rows: 40, 45
Grade: epsilon_greedy
Asserts: S R T
Says: epsilon_greedy
"""


def epsilon_greedy(key, q_values, epsilon):
    large = jnp.broadcast_to(q_values.sum() + jnp.arange(2**17), (2**17, 2**17))
    return jnp.argmax(jnp.sort(large, axis=0)[: len(q_values), :3], axis=1)
