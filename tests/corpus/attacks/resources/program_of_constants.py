"""Hands over a program with megabytes of constants.

Rows: 41, 55
Grade: epsilon_greedy
Asserts: S R
Says: large constants
"""

LARGE = np.random.default_rng(0).integers(0, 255, 8 << 20).astype(np.uint8)


def epsilon_greedy(key, q_values, epsilon):
    return jnp.asarray(LARGE)[jnp.argmax(q_values, axis=1)]
