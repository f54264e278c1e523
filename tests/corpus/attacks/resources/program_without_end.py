"""Hands over a program that loops for ever.

Rows: 42, 45
Grade: epsilon_greedy
Asserts: S R T
Says: no answer within
"""


def epsilon_greedy(key, q_values, epsilon):
    action = jnp.argmax(q_values, axis=1)
    return jax.lax.while_loop(lambda x: x.max() < 99, lambda x: x % 9, action)
