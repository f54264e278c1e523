"""The gradient updates by which CartPole is learned.

A hand-in's `td_update` could recognise the disguise of CartPole from a batch, and then
write the weights of a ready-made controller instead of learning. So the parameters are
changed here, in three steps:

1. The values Q(s, ·) and Q(s′, ·) of the batch are written into tables, which are
   networks with one-hot states. The hand-in's `td_update`, exported for tables, makes a
   step. From this step follows the slope: the gradient of the loss in the values. So
   `td_update` gets values but no states.
2. By the derivative of the hand-in's network, the slope becomes a gradient in theta_Q.
3. Our own optimizer makes the step with this gradient.

For a right hand-in, the result is the step of its own `td_update`. In some updates,
drawn at random, three deviations are measured:

- of the network's derivative from differences of the network's values,
- of the step of the hand-in's own `td_update` from our step,
- of the slope after small changes of the values. The slope of a loss stays nearly the
  same. Code that reads a hidden message from the last digits of the values deviates.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from grader.inside.networks import OPTIMIZERS, SLOPE_RATE

REACH = 0.01  # distance in theta, to both sides, over which differences are taken
NUDGE = 2.0**-12  # share of a value by which the value is changed at most
ROUNDING = 2.0**-21  # relative rounding error of the values in a table
NOT_ASKED = -1.0  # stands for a deviation that was not measured
# The three deviations in their order: a message for the student, and the largest
# deviation that can come from rounding and from kinks in the network (as from ReLU).
DEVIATIONS = {
    "q_network's derivative is not that of its values": 0.15,
    "td_update does not make the optimizer's step on its loss": 0.05,
    "td_loss depends on the last digits of the Q values": 0.2,
}

Program = Callable[[Any], Any]
Leaves = list[Any]
OPTIMIZER = OPTIMIZERS["cartpole"]()


def fresh_state(theta: Leaves) -> Any:
    """Return the optimizer's state before the first step, for theta as one vector."""
    return OPTIMIZER.init(flat(theta))


@dataclass(frozen=True)
class Programs:
    """The hand-in's programs that a block of updates calls.

    Attributes:
        update: `td_update` for the hand-in's network.
        update_values: `td_update` for tables of 2B states, with the optimizer "slope".
        network: forward pass for B states, with its derivative.
        one_hot: the one-hot `state` and `next_state` of the tables, [B,2B] each.
    """

    update: Program
    update_values: Program
    network: Program
    one_hot: dict[str, np.ndarray]

    def values(self, theta: Leaves, states: Any) -> Any:
        """Return the network's values [2B,A] of states [2,B,D]."""
        # With `map`, so that JAX compiles the program once and not twice.
        q_values = jax.lax.map(
            lambda s: self.network({"theta": theta, "state": s})["q_values"], states
        )
        rows = states.shape[0] * states.shape[1]
        return q_values.reshape(rows, -1).astype(jnp.float32)

    def on_tables(self, tables: Any, batch: Any) -> tuple[Any, Any]:
        """Return the loss on tables, and its gradient [A,2B] in the values of theta_Q.

        Args:
            tables: the tables of theta_Q and of theta_T, [2,A,2B].
            batch: a batch of B transitions; its states are replaced by one-hot ones.
        """
        named = {"theta_Q": [tables[0]], "theta_T": [tables[1]]}
        out = self.update_values({**batch, **self.one_hot, **named, "opt_state": []})
        return out["loss"], (tables[0] - out["theta_Q"][0]) / SLOPE_RATE


def make_block(
    update: Program, update_values: Program, network: Program, batch_size: int
) -> Callable[[Any, Any, Any], Any]:
    """Return a function that makes a block of n updates.

    The function has three arguments:

    - a dict with `theta_Q`, `theta_T`, `opt_state` (see `fresh_state`) and `nudge`,
      random numbers [2,A,2B] from -1 to 1,
    - n batches as arrays by field, [n,B,...] each,
    - for each update, whether to measure its deviations, bool [n].

    It returns a dict with `theta_Q` and `opt_state` after the block, `losses` [n] and
    `deviations` [n,3], which are NOT_ASKED where they were not measured.

    Args:
        update: see `Programs`.
        update_values: see `Programs`.
        network: see `Programs`.
        batch_size: number B of transitions in a batch.
    """
    rows = np.eye(2 * batch_size, dtype=np.float32)
    one_hot = {"state": rows[:batch_size], "next_state": rows[batch_size:]}
    programs = Programs(update, update_values, network, one_hot)

    def block(args: Any, batches: Any, chosen: Any) -> Any:
        leaves = args["theta_Q"]
        args = {**args, "flat_theta_T": flat(args["theta_T"])}

        def step(carry: Any, item: Any) -> Any:
            return one_update(programs, args, carry, *item)

        start = (flat(leaves), args["opt_state"])
        (theta, state), told = jax.lax.scan(step, start, (batches, chosen))
        return {"theta_Q": unflat(theta, leaves), "opt_state": state, **told}

    return block


def one_update(
    programs: Programs, args: Any, carry: Any, batch: Any, measured: Any
) -> Any:
    """Make one update, and measure its deviations if `measured`.

    Args:
        programs: the hand-in's programs.
        args: arguments of the block, with theta_T as one vector in `flat_theta_T`.
        carry: theta_Q as one vector, and the optimizer's state.
        batch: a batch of B transitions.
        measured: whether to measure deviations, a traced bool.

    Returns:
        The carry after the update, and a dict of the loss (`losses`) and the
        `deviations` [3].
    """
    theta, state = carry
    leaves, theta_T = args["theta_Q"], args["flat_theta_T"]
    states = jnp.stack([batch["state"], batch["next_state"]])

    def values(theta: Any) -> Any:
        return programs.values(unflat(theta, leaves), states)

    def on_tables(tables: Any) -> Any:
        return programs.on_tables(tables, batch)

    table, pull_back = jax.vjp(values, theta)
    tables = jnp.stack([table.T, values(theta_T).T])
    loss, slope = on_tables(tables)
    (gradient,) = pull_back(slope.T)
    updates, new_state = OPTIMIZER.update(gradient, state, theta)
    new_theta = optax.apply_updates(theta, updates)

    def deviations() -> Any:
        # The direction of this step plus that of all steps since the last sync.
        way = unit(updates) + unit(theta - theta_T)
        derivative = derivative_deviation(values, theta, way, slope, gradient)
        named = {"theta_Q": unflat(theta, leaves), "theta_T": args["theta_T"]}
        state_leaves = as_leaves(state, leaves)
        own = programs.update({**batch, **named, "opt_state": state_leaves})
        step = step_deviations(own, theta, updates, new_state, len(leaves))
        digits = digits_deviation(on_tables, args["nudge"], tables, slope)
        told = [derivative, jnp.stack(step).max(), digits]
        return jnp.stack(told).astype(jnp.float32)

    def nothing() -> Any:
        return jnp.full(len(DEVIATIONS), NOT_ASKED, jnp.float32)

    told = {"losses": loss, "deviations": jax.lax.cond(measured, deviations, nothing)}
    return (new_theta, new_state), told


def derivative_deviation(
    values: Callable[[Any], Any], theta: Any, way: Any, slope: Any, gradient: Any
) -> Any:
    """Return how much the gradient differs from a difference quotient.

    The quotient is the change of the values along a direction, times the slope. The
    deviation is relative to the length of the gradient.

    Args:
        values: function of parameters [P] that returns values [2B,A].
        theta: parameters [P].
        way: the direction in theta [P].
        slope: gradient of the loss in the values [A,2B].
        gradient: gradient of the loss in theta [P], by the hand-in's derivative.
    """
    ahead, behind = jax.lax.map(
        values, jnp.stack([theta + REACH * way, theta - REACH * way])
    )
    difference = jnp.vdot(slope.T, ahead - behind) / (2 * REACH)
    return jnp.abs(gradient @ way - difference) / (length(gradient) + 1e-3)


def step_deviations(
    own: Any, theta: Any, updates: Any, new_state: Any, count: int
) -> list[Any]:
    """Return three relative differences of the hand-in's own update from ours.

    They are the differences in the step of theta and in Adam's two averages.

    Args:
        own: the answer of the hand-in's `td_update`.
        theta: parameters before the update [P].
        updates: our step in theta [P].
        new_state: our optimizer's state after the update.
        count: number of theta's leaves.
    """
    half = count + 1
    return [
        distance(flat(own["theta_Q"]) - theta, updates),
        distance(flat(own["opt_state"][1:half]), new_state[0].mu),
        distance(flat(own["opt_state"][half:]), new_state[0].nu),
    ]


def digits_deviation(
    on_tables: Callable[[Any], Any], nudge: Any, tables: Any, slope: Any
) -> Any:
    """Return how much the slope differs at tables whose last digits are changed.

    Each value is changed by a small amount, up in one table and down in another. The
    slope of a squared loss is linear in the values except at a few kinks. So the mean
    of the slopes at both tables is the slope at the unchanged table.

    Args:
        on_tables: function of tables that returns the loss and the slope.
        nudge: random numbers from -1 to 1, [2,A,2B].
        tables: the tables of theta_Q and of theta_T, [2,A,2B].
        slope: slope at `tables` [A,2B].
    """
    nudge = NUDGE * nudge * tables
    pair = jnp.stack([tables + nudge, tables - nudge])
    bent = jax.lax.map(lambda t: on_tables(t)[1], pair).mean(axis=0) - slope
    rounding = ROUNDING * jnp.abs(tables[0]).sum() / SLOPE_RATE
    return jnp.abs(bent).sum() / (jnp.abs(slope).sum() + rounding + 1e-20)


def as_leaves(state: Any, leaves: Leaves) -> Leaves:
    """Return the optimizer's state as the list of leaves that `td_update` takes.

    Args:
        state: the optimizer's state for theta as one vector.
        leaves: leaves of theta, for their shapes.
    """
    adam = state[0]
    return [adam.count, *unflat(adam.mu, leaves), *unflat(adam.nu, leaves)]


def distance(theirs: Any, ours: Any) -> Any:
    """Return the distance of two vectors, relative to the length of the second."""
    return length(theirs - ours) / (length(ours) + 1e-20)


def length(vector: Any) -> Any:
    """Return the Euclidean length of a vector."""
    return jnp.sqrt(vector @ vector)


def unit(vector: Any) -> Any:
    """Return a vector scaled to length 1; a vector of zeros stays as it is."""
    return vector / (length(vector) + 1e-20)


def flat(leaves: Leaves) -> Any:
    """Return all leaves as one vector.

    With one vector, an update takes one operation instead of one for each leaf.
    """
    return jnp.concatenate([leaf.ravel() for leaf in leaves])


def unflat(vector: Any, leaves: Leaves) -> Leaves:
    """Return a vector split into arrays with the shapes and dtypes of `leaves`."""
    ends = np.cumsum([leaf.size for leaf in leaves])[:-1]
    return [
        part.reshape(leaf.shape).astype(leaf.dtype)
        for part, leaf in zip(jnp.split(vector, ends), leaves, strict=True)
    ]
