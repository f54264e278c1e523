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

# Adam at its defaults moves a parameter by lr |m| / √v, and by Cauchy and Schwarz that
# is at most lr √(Σ (0.1 · 0.9^i)² / (0.001 · 0.999^i)) = 7.27 lr for any gradients.
LARGEST_MOVE = 7.3 * 2.3e-3
B1, B2, EPS = 0.9, 0.999, 1e-8  # Adam's defaults
REACH = 0.01  # of the differences, in the length of parameters
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
            move = jnp.abs(flat(out["theta_Q"]) - flat(carry["theta_Q"])).max()
            deviations = jax.lax.cond(
                asked | ~(move <= bound),
                lambda: look(args, batch, carry, end),
                lambda: jnp.full(len(WHAT), NOT_LOOKED_INTO, jnp.float32),
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
        leaves = before["theta_Q"]
        states = jnp.stack([batch["state"], batch["next_state"]])

        def values(theta: Any) -> Any:
            args = {"theta": unflat(theta, leaves)}
            # One after the other, so that the program is compiled once.
            q_values = jax.lax.map(
                lambda s: network({**args, "state": s})["q_values"], states
            )
            return q_values.reshape(2 * batch_size, -1).astype(jnp.float32)

        theta, theta_T = flat(leaves), flat(args["theta_T"])
        move = flat(after["theta_Q"]) - theta
        # The derivative is held against differences along a way that has this step in
        # it and all of the steps since the last sync.
        way = unit(move) + unit(theta - theta_T)
        shifted = [theta_T, theta + REACH * way, theta - REACH * way]
        next_T, ahead, behind = jax.lax.map(values, jnp.stack(shifted))
        table, pull_back = jax.vjp(values, theta)
        tables = {"theta_Q": [table.T], "theta_T": [next_T.T], "opt_state": []}
        moved = update_values({**args, **batch, **one_hot, **tables})["theta_Q"][0]
        slope = (table - moved.T) / parts.SLOPE_RATE
        (gradient,) = pull_back(slope)
        difference = jnp.vdot(slope, ahead - behind) / (2 * REACH)
        lie = jnp.abs(gradient @ way - difference) / (length(gradient) + 1e-3)
        told = [
            lie,
            *off_course(gradient, before["opt_state"], after["opt_state"], move),
        ]
        return jnp.stack(told).astype(jnp.float32)

    return look


def off_course(
    gradient: Any, before: Leaves, after: Leaves, move: Any
) -> tuple[Any, Any]:
    """How far the averages and the step are from Adam's with this gradient [P].

    A gradient that the hand-in scales or clips is allowed, and so are averages that it
    forgets to carry on: these are mistakes, for which `td_update` has its own checks,
    but nothing can be written by them.
    """
    count = before[0] + 1.0
    # The leaves: a count, the averages of gradients, the averages of their squares.
    half = len(before) // 2 + 1
    old, new = (
        jnp.stack([flat(leaves[1:half]), flat(leaves[half:])])
        for leaves in (before, after)
    )
    decay = jnp.array([[B1], [B2]], gradient.dtype)
    fresh = jnp.stack([gradient, gradient**2])
    means = jnp.stack([decay * old + (1 - decay) * fresh, new, fresh])
    roots = jnp.sqrt(jnp.maximum(means[:, 1], 0.0))
    steps = -means[:, 0] / (roots + EPS * jnp.sqrt(1 - B2**count))
    # One row for each line that something may lie on; all in one go.
    off = off_line(
        jnp.concatenate([new - decay * old, new, jnp.stack([move] * 4)]),
        jnp.concatenate([fresh, fresh, steps, -gradient[None]]),
    )
    kept = length(new - old) / (length(old) + 1e-20)
    averages = jnp.minimum(jnp.minimum(off[:2], off[2:4]), finite(kept))
    return averages.max(), off[4:].min()


def off_line(moves: Any, courses: Any) -> Any:
    """The part of each move [k,P] that is off its course, 0 to 1; 1 if it goes back."""
    forward = (moves * courses).sum(1) / ((courses**2).sum(1) + 1e-30)
    off = length(moves - forward[:, None] * courses) / (length(moves) + 1e-20)
    return finite(jnp.where(forward < 0, AWRY, off))


def finite(deviations: Any) -> Any:
    """What is not a number is the largest of all."""
    return jnp.where(deviations >= 0, deviations, AWRY)


def length(vectors: Any) -> Any:
    """The Euclidean length along the last axis."""
    return jnp.sqrt((vectors**2).sum(-1))


def unit(vector: Any) -> Any:
    """The vector at length 1; nothing where there is none."""
    return vector / (length(vector) + 1e-20)


def flat(leaves: Leaves) -> Any:
    """All numbers of a tree in one vector: one operation instead of one a leaf."""
    return jnp.concatenate([leaf.ravel() for leaf in leaves])


def unflat(vector: Any, leaves: Leaves) -> Leaves:
    """The vector as a tree like another one."""
    ends = np.cumsum([leaf.size for leaf in leaves])[:-1]
    return [
        part.reshape(leaf.shape).astype(leaf.dtype)
        for part, leaf in zip(jnp.split(vector, ends), leaves, strict=True)
    ]
