"""Hands over programs whose results have other sizes, types and names.

Rows: 19, 28
Grade: epsilon_greedy
Asserts: S R
Says: action
"""

from grader.inside import parts

for name in parts.PROGRAMS:
    parts.PROGRAMS[name] = lambda *_: (
        lambda args: {
            "actions": jnp.zeros((0, 2, 1)),
            "action": jnp.zeros((7, 7), jnp.complex64).real.astype(jnp.uint8),
        }
    )
