"""Hands over a program of so many steps that compiling it takes minutes.

Rows: 45
Grade: epsilon_greedy
Asserts: S R T
Says: no answer within|has used up its|MB
"""


def epsilon_greedy(key, q_values, epsilon):
    x = q_values
    for number in range(400):
        x = jnp.sort(jnp.sin(x) @ x.T @ x + number, axis=number % 2)
        x = jax.vmap(lambda row: jax.lax.associative_scan(jnp.add, row))(x)
    return jnp.argmax(x, axis=1)
