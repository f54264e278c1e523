"""Inside the learner: the updates by which CartPole is learned.

A hand-in's `td_update` could recognise the disguise of the environment from a batch and
write a controller's weights: the policy would be perfect and nothing learned. So what
moves the parameters is put together here, of parts that cannot:

1. The values Q(s, ·) and Q(s′, ·) of the batch go into a table, a network whose states
   are one-hot. The hand-in's own `td_update`, traced for tables, says how the values
   should move. It never sees a state: that, right or wrong, is a loss on values. Now
   and then the last digits of the values are changed, in which a network could tell of
   the state: a loss, right or wrong, then moves them much the same.
2. That slope is pulled back through the hand-in's network, to a gradient in theta_Q.
   The derivative came with the network's program: now and then, where no program can
   know it, it is held against differences.
3. The optimizer makes the step.

For right work that is what its own `td_update` does; now and then that is asked, too,
and has to do the same. The solution is not needed: it is the same live and against the
record.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from grader.inside import parts

REACH = 0.01  # of the differences, in the length of parameters
NUDGE = 2.0**-12  # of a value, by which its last digits are changed
ROUNDING = 2.0**-21  # of values that grow beyond bounds, what a slope cannot tell
NOT_ASKED = -1.0
# What deviations are of, in their order, and the largest that rounding and kinks of the
# network explain.
DEVIATIONS = {
    "q_network's derivative is not that of its values": 0.15,
    "td_update does not make the optimizer's step on its loss": 0.05,
    "td_loss depends on the last digits of the Q values": 0.2,
}

Program = Callable[[Any], Any]
Leaves = list[Any]
OPTIMIZER = parts.OPTIMIZERS["cartpole"]()


def fresh_state(theta: Leaves) -> Any:
    """The optimizer's state before the first step."""
    return OPTIMIZER.init(flat(theta))


def make_block(
    update: Program, update_values: Program, network: Program, batch_size: int
) -> Callable[[Any, Any, Any], Any]:
    """A block of updates.

    Args:
        update: the hand-in's `td_update` on its network.
        update_values: the same on a table of 2B states, with the optimizer "slope".
        network: its forward pass at batch size B, with its derivative.
        batch_size: B.

    Returns:
        A function of the arguments (`theta_Q`, `theta_T`, `opt_state` as `fresh_state`
        has it, `nudge` [2,A,2B] of -1 to 1), n batches, and bool [n] of the
        updates to be held against other evidence. It gives `theta_Q` and `opt_state` at
        the end, `losses` [n] and `deviations` [n,3]; -1 where nothing was asked.
    """
    rows = np.eye(2 * batch_size, dtype=np.float32)
    one_hot = {"state": rows[:batch_size], "next_state": rows[batch_size:]}

    def block(args: Any, batches: Any, chosen: Any) -> Any:
        leaves = args["theta_Q"]
        theta_T = flat(args["theta_T"])

        def step(carry: Any, item: Any) -> Any:
            theta, state = carry
            batch, asked = item
            states = jnp.stack([batch["state"], batch["next_state"]])

            def values(theta: Any) -> Any:
                net = {"theta": unflat(theta, leaves)}
                # One after the other, so that the program is compiled once.
                q_values = jax.lax.map(
                    lambda s: network({**net, "state": s})["q_values"], states
                )
                return q_values.reshape(2 * batch_size, -1).astype(jnp.float32)

            def on_tables(tables: Any) -> Any:
                # The loss, and its slope in the values of theta_Q.
                named = {"theta_Q": [tables[0]], "theta_T": [tables[1]]}
                out = update_values({**batch, **one_hot, **named, "opt_state": []})
                return out["loss"], (tables[0] - out["theta_Q"][0]) / parts.SLOPE_RATE

            table, pull_back = jax.vjp(values, theta)
            tables = jnp.stack([table.T, values(theta_T).T])
            loss, slope = on_tables(tables)
            (gradient,) = pull_back(slope.T)
            updates, new_state = OPTIMIZER.update(gradient, state, theta)
            new_theta = optax.apply_updates(theta, updates)

            def deviations() -> Any:
                # Along this step, and along all of the steps since the last sync.
                way = unit(updates) + unit(theta - theta_T)
                ahead, behind = jax.lax.map(
                    values, jnp.stack([theta + REACH * way, theta - REACH * way])
                )
                difference = jnp.vdot(slope.T, ahead - behind) / (2 * REACH)
                lie = jnp.abs(gradient @ way - difference) / (length(gradient) + 1e-3)
                own = update(
                    {
                        **batch,
                        "theta_Q": unflat(theta, leaves),
                        "theta_T": args["theta_T"],
                        "opt_state": as_leaves(state, leaves),
                    }
                )
                half = len(leaves) + 1
                apart = [
                    distance(flat(own["theta_Q"]) - theta, updates),
                    distance(flat(own["opt_state"][1:half]), new_state[0].mu),
                    distance(flat(own["opt_state"][half:]), new_state[0].nu),
                ]
                # A slope is a straight line of the values, but for a few kinks.
                nudge = NUDGE * args["nudge"] * tables
                pair = jnp.stack([tables + nudge, tables - nudge])
                bent = jax.lax.map(lambda t: on_tables(t)[1], pair).mean(axis=0) - slope
                rounding = ROUNDING * jnp.abs(tables[0]).sum() / parts.SLOPE_RATE
                digits = jnp.abs(bent).sum() / (jnp.abs(slope).sum() + rounding + 1e-20)
                told = [lie, jnp.stack(apart).max(), digits]
                return jnp.stack(told).astype(jnp.float32)

            told = jax.lax.cond(
                asked,
                deviations,
                lambda: jnp.full(len(DEVIATIONS), NOT_ASKED, jnp.float32),
            )
            told = {"losses": loss, "deviations": told}
            return (new_theta, new_state), told

        start = (flat(leaves), args["opt_state"])
        (theta, state), told = jax.lax.scan(step, start, (batches, chosen))
        return {"theta_Q": unflat(theta, leaves), "opt_state": state, **told}

    return block


def as_leaves(state: Any, leaves: Leaves) -> Leaves:
    """The optimizer's state as the hand-in's `td_update` has it."""
    adam = state[0]
    return [adam.count, *unflat(adam.mu, leaves), *unflat(adam.nu, leaves)]


def distance(theirs: Any, ours: Any) -> Any:
    """How far apart two vectors are, beside the length of ours."""
    return length(theirs - ours) / (length(ours) + 1e-20)


def length(vector: Any) -> Any:
    """The Euclidean length."""
    return jnp.sqrt(vector @ vector)


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
