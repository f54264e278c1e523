"""Hands over programs with results of the right shapes, and no sensible number in them.

Rows: 18, 28
Grade: all
On: solution
Asserts: S R T
Says: nan|finite|obtained
"""

from grader.inside import parts

VALUES = (jnp.nan, jnp.inf, 3e38, -3e38, 1e-45, -0.0)
NUMBER = []


def extreme(build):
    def builder(dqn, spec):
        program = build(dqn, spec)
        NUMBER.append(1)
        value = VALUES[len(NUMBER) % len(VALUES)]

        def other(args):
            return jax.tree.map(
                lambda leaf: (
                    jnp.full_like(leaf, value)
                    if jnp.issubdtype(jnp.result_type(leaf), jnp.floating)
                    else jnp.full_like(leaf, -(2**31))
                ),
                program(args),
            )

        return other

    return builder


for name in parts.PROGRAMS:
    parts.PROGRAMS[name] = extreme(parts.PROGRAMS[name])
