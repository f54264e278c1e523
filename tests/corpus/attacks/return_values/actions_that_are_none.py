"""Chooses actions that there are not: True, NaN, 10**30, -1.

Rows: 23
Grade: epsilon_greedy
Asserts: S R
Says: action
"""


def epsilon_greedy(key, q_values, epsilon):
    count, number = q_values.shape
    if count % 2:
        return jnp.full(count, jnp.nan)
    return jnp.full(count, True) if number == 2 else jnp.full(count, -1)
