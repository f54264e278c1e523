"""Inside the learner: see that what moves the parameters is learning.

A hand-in's `td_update` could recognise the disguise of the environment from a batch and
write a controller's weights: the policy would be perfect and nothing learned. So each
move is bounded by what the optimizer can do in one step, and many updates, chosen where
no program can know it, are done once more by us:

1. The values Q(s, ·) and Q(s′, ·) of the batch go into a table, a network whose states
   are one-hot. The hand-in's own `td_update`, traced for tables, says how the values
   should move. It never sees a state: that, right or wrong, is a loss on values.
2. That slope is pulled back through the hand-in's network, to a gradient in theta_Q.
   The derivative came with the network's program: it is held against differences.
3. The update has to be the optimizer's step with that gradient, and its averages too.

So a loss scaled by a half still learns, and what writes weights is seen. The solution
is not needed for it: it is the same live and against the record.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import parts

# After k equal gradients that follow on none, Adam at its defaults moves a parameter by
# lr (1 - 0.9^k) / √(1 - 0.999^k), which is at most 6.6 lr.
LARGEST_MOVE = 7.0 * 2.3e-3
B1, B2, EPS = 0.9, 0.999, 1e-8  # Adam's defaults
NOT_LOOKED_INTO = -1.0
# What deviations are of, in their order.
WHAT = (
    "the derivative is not that of the network",
    "the optimizer's averages are not of the gradient",
    "theta_Q moves otherwise than the optimizer would",
)
AWRY = 1.0  # a deviation that could not be larger

Program = Callable[[Any], Any]
Leaves = list[Any]


def make_block(
    update: Program, update_values: Program, network: Program, batch_size: int
) -> Callable[[Any, Any, Any, Any], Any]:
    """A block of updates, some of which are done once more.

    Args:
        update: the hand-in's `td_update` on its network.
        update_values: the same on a table of 2B states, with the optimizer "slope".
        network: its forward pass at batch size B, with its derivative.
        batch_size: B.

    Returns:
        A function of the arguments, n batches, bool [n] of updates to look into, and a
        move above which any is looked into. It gives theta_Q and opt_state at the end,
        `losses` [n], `moves` [n] and `deviations` [n,3], as `WHAT` names them; -1 where
        nobody looked.
    """
    look = make_audit(update_values, network, batch_size)

    def block(args: Any, batches: Any, chosen: Any, bound: Any) -> Any:
        def step(carry: Any, item: Any) -> Any:
            batch, asked = item
            out = update({**args, **carry, **batch})
            end = {name: out[name] for name in carry}
            move = largest(minus(out["theta_Q"], carry["theta_Q"]))
            deviations = jax.lax.cond(
                asked | ~(move <= bound),
                lambda: look(args, batch, carry, end),
                lambda: jnp.full(3, NOT_LOOKED_INTO, jnp.float32),
            )
            told = {"losses": out["loss"], "moves": move, "deviations": deviations}
            return end, told

        start = {name: args[name] for name in ("theta_Q", "opt_state")}
        end, told = jax.lax.scan(step, start, (batches, chosen))
        return {**end, **told}

    return block


def make_audit(
    update_values: Program, network: Program, batch_size: int
) -> Callable[[Any, Any, Any, Any], Any]:
    """A function of arguments, batch, and what was before and after: deviations [3]."""
    rows = np.eye(2 * batch_size, dtype=np.float32)
    one_hot = {"state": rows[:batch_size], "next_state": rows[batch_size:]}

    def look(args: Any, batch: Any, before: Any, after: Any) -> Any:
        theta, theta_T = before["theta_Q"], args["theta_T"]

        def values(theta: Leaves) -> Any:
            states = jnp.stack([batch["state"], batch["next_state"]])
            # One after the other, so that the program is compiled once.
            q = jax.lax.map(
                lambda s: network({"theta": theta, "state": s})["q_values"], states
            )
            return q.reshape(2 * batch_size, -1).astype(jnp.float32)

        table, pull_back = jax.vjp(values, theta)
        tables = {"theta_Q": [table.T], "theta_T": [values(theta_T).T], "opt_state": []}
        moved = update_values({**args, **batch, **one_hot, **tables})["theta_Q"][0]
        slope = (table - moved.T) / parts.SLOPE_RATE
        (grads,) = pull_back(slope)
        move = minus(after["theta_Q"], theta)

        def rise(direction: Leaves) -> Any:
            """How far the derivative is from differences along a direction."""
            along = scaled(direction, 1 / (length(direction) + 1e-20))
            ahead, behind = (
                values([t + h * a for t, a in zip(theta, along, strict=True)])
                for h in (0.01, -0.01)
            )
            measured = jnp.vdot(slope, (ahead - behind) / 0.02)
            return jnp.abs(inner(grads, along) - measured) / (length(grads) + 1e-3)

        lies = jnp.maximum(rise(move), rise(minus(theta, theta_T)))
        told = [lies, *off_course(grads, before, after, move)]
        return jnp.stack(told).astype(jnp.float32)

    return look


def off_course(grads: Leaves, before: Any, after: Any, move: Leaves) -> tuple[Any, Any]:
    """How far the averages and the step are from Adam's with this gradient.

    A gradient that the hand-in scales or clips is allowed, and so are averages that it
    forgets to carry on: these are mistakes, for which `td_update` has its own checks,
    but nothing can be written by them.
    """
    (count, mean, square), (_, new_mean, new_square) = (
        parted(tree["opt_state"], len(grads)) for tree in (before, after)
    )
    squares = [g * g for g in grads]
    averages = jnp.maximum(
        off_average(B1, mean, new_mean, grads),
        off_average(B2, square, new_square, squares),
    )
    count = count + 1.0

    def step(mean: Leaves, square: Leaves) -> Leaves:
        root = jnp.sqrt(1 - B2**count)
        return [
            -m / (jnp.sqrt(jnp.maximum(v, 0.0)) + EPS * root)
            for m, v in zip(mean, square, strict=True)
        ]

    courses = [
        step(blend(B1, mean, grads), blend(B2, square, squares)),
        step(new_mean, new_square),
        scaled([g / (jnp.abs(g) + EPS) for g in grads], -1.0),
        scaled(grads, -1.0),
    ]
    return averages, smallest([off_line(move, course) for course in courses])


def off_average(decay: float, old: Leaves, new: Leaves, fresh: Leaves) -> Any:
    """How far a new average is from the old one with a part of something fresh."""
    added = [n - decay * o for n, o in zip(new, old, strict=True)]
    kept = length(minus(new, old)) / (length(old) + 1e-20)
    return smallest([off_line(added, fresh), off_line(new, fresh), kept])


def blend(decay: float, old: Leaves, fresh: Leaves) -> Leaves:
    """An exponential average's next value."""
    return [decay * o + (1 - decay) * f for o, f in zip(old, fresh, strict=True)]


def parted(opt_state: Leaves, num_leaves: int) -> tuple[Any, Leaves, Leaves]:
    """Adam's count, averages of gradients and averages of their squares."""
    first, last = opt_state[1 : num_leaves + 1], opt_state[num_leaves + 1 :]
    return opt_state[0], first, last


def off_line(move: Leaves, course: Leaves) -> Any:
    """The part of a move that is off a course, between 0 and 1; 1 when it goes back."""
    forward = inner(move, course) / (inner(course, course) + 1e-30)
    off = length(minus(move, scaled(course, forward)))
    return jnp.where(forward < 0, AWRY, off / (length(move) + 1e-20))


def smallest(deviations: list[Any]) -> Any:
    """The smallest; what is not a number is the largest of all."""
    return jnp.stack([jnp.where(d >= 0, d, AWRY) for d in deviations]).min()


def minus(a: Leaves, b: Leaves) -> Leaves:
    """The difference of two trees."""
    return [x - y for x, y in zip(a, b, strict=True)]


def scaled(tree: Leaves, factor: Any) -> Leaves:
    """A tree times a number."""
    return [factor * x for x in tree]


def inner(a: Leaves, b: Leaves) -> Any:
    """The inner product of two trees."""
    return sum(jnp.sum(x * y) for x, y in zip(a, b, strict=True))


def length(tree: Leaves) -> Any:
    """The Euclidean length of a tree."""
    return jnp.sqrt(inner(tree, tree))


def largest(tree: Leaves) -> Any:
    """The largest absolute number in a tree."""
    return jnp.stack([jnp.abs(x).max(initial=0) for x in tree]).max()
