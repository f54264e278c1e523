"""Hands over programs whose results are of other types: bool, half, unsigned, wide.

Rows: 20, 28
Grade: all
On: solution
Asserts: S R T
Says: [a-z]
"""

from grader.inside import parts

TYPES = (jnp.bool_, jnp.float16, jnp.bfloat16, jnp.uint32, jnp.int8)
NUMBER = []


def other(build):
    def builder(dqn, spec):
        program = build(dqn, spec)
        NUMBER.append(1)
        dtype = TYPES[len(NUMBER) % len(TYPES)]
        return lambda args: jax.tree.map(lambda x: jnp.asarray(x, dtype), program(args))

    return builder


for name in parts.PROGRAMS:
    parts.PROGRAMS[name] = other(parts.PROGRAMS[name])
