"""Answers in types that cannot travel: objects, records, complex, foreign bytes.

Rows: 20
Grade: sync_target
Asserts: S R
Says: theta_T
"""

TYPES = (object, complex, ">f4", "U9", "S9", "M8[s]", [("a", "f4"), ("b", object)])
COUNT = []


def sync_target(theta_Q, theta_T, step, period):
    COUNT.append(1)
    dtype = TYPES[len(COUNT) % len(TYPES)]
    return jax.tree.map(lambda x: np.zeros(x.shape, dtype), theta_T)
