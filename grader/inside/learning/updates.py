"""The gradient updates by which CartPole is learned.

A hand-in's `td_update` could recognise the disguise of the environment from a batch and
write a controller's weights: the policy would be perfect and nothing learned. So the
parameters are moved here, in three steps that leave no room for that:

1. The values Q(s, ·) and Q(s′, ·) of the batch go into a table, a network whose states
   are one-hot. The hand-in's own `td_update`, traced for tables, says how the values
   should move: the slope. It never sees a state, so it is a loss on values, right or
   wrong. The last digits of the values could still carry the state, so now and then
   they are changed: the slope of a loss then stays nearly the same.
2. That slope is pulled back through the hand-in's network, to a gradient in theta_Q.
   The derivative came with the network's program: now and then, when no program can
   know it, it is compared with differences of values.
3. The optimizer takes the step.

For right work this is what its own `td_update` does; now and then that is run as well,
and has to do the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from grader.inside.networks import OPTIMIZERS, SLOPE_RATE

REACH = 0.01  # length of the step in theta over which differences are taken
NUDGE = 2.0**-12  # the share of a value by which its last digits are changed
ROUNDING = 2.0**-21  # relative error of a slope between values that grow without bound
NOT_ASKED = -1.0
# What each deviation measures, in order, and the largest one that rounding and kinks
# of the network explain.
DEVIATIONS = {
    "q_network's derivative is not that of its values": 0.15,
    "td_update does not make the optimizer's step on its loss": 0.05,
    "td_loss depends on the last digits of the Q values": 0.2,
}

Program = Callable[[Any], Any]
Leaves = list[Any]
OPTIMIZER = OPTIMIZERS["cartpole"]()


def fresh_state(theta: Leaves) -> Any:
    """Return the optimizer's state before the first step."""
    return OPTIMIZER.init(flat(theta))


@dataclass(frozen=True)
class Programs:
    """The hand-in's programs that a block of updates calls.

    Args:
        update: `td_update` on its network.
        update_values: the same on a table of 2B states, with the optimizer "slope".
        network: the forward pass at batch size B, with its derivative.
        one_hot: `state` and `next_state` [B,2B] of the table.
    """

    update: Program
    update_values: Program
    network: Program
    one_hot: dict[str, np.ndarray]

    def values(self, theta: Leaves, states: Any) -> Any:
        """Return the network's values [2B,A] of states [2,B,D]."""
        # One after the other, so that the program is compiled once.
        q_values = jax.lax.map(
            lambda s: self.network({"theta": theta, "state": s})["q_values"], states
        )
        rows = states.shape[0] * states.shape[1]
        return q_values.reshape(rows, -1).astype(jnp.float32)

    def on_tables(self, tables: Any, batch: Any) -> tuple[Any, Any]:
        """Return the loss on tables, and its slope in the values of theta_Q.

        Args:
            tables: [2,A,2B] the values of theta_Q and of theta_T.
            batch: of B transitions, whose states are replaced by the table's.
        """
        named = {"theta_Q": [tables[0]], "theta_T": [tables[1]]}
        out = self.update_values({**batch, **self.one_hot, **named, "opt_state": []})
        return out["loss"], (tables[0] - out["theta_Q"][0]) / SLOPE_RATE


def make_block(
    update: Program, update_values: Program, network: Program, batch_size: int
) -> Callable[[Any, Any, Any], Any]:
    """Build a block of updates.

    Args:
        update: as in `Programs`.
        update_values: likewise.
        network: likewise.
        batch_size: B.

    Returns:
        A function of the arguments (`theta_Q`, `theta_T`, `opt_state` as `fresh_state`
        has it, `nudge` [2,A,2B] of -1 to 1), n batches, and bool [n]: the updates for
        which deviations are measured. It returns `theta_Q` and `opt_state` at the end,
        `losses` [n] and `deviations` [n,3]; -1 where they are not measured.
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
    """Take one update, and measure its deviations if asked.

    Args:
        programs: of the hand-in.
        args: of the block, and `flat_theta_T`.
        carry: theta_Q as one vector, the optimizer's state.
        batch: of B transitions.
        measured: bool, whether deviations are measured.

    Returns:
        The next carry; the loss and the deviations [3].
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
        # Along this step, and along the sum of all steps since the last sync.
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
    """Compare the gradient with a difference of values along a way.

    Args:
        values: [2B,A] of parameters.
        theta: the parameters [P].
        way: a direction [P].
        slope: [A,2B] of the loss in the values.
        gradient: [P] of the loss in theta, by the hand-in's derivative.
    """
    ahead, behind = jax.lax.map(
        values, jnp.stack([theta + REACH * way, theta - REACH * way])
    )
    difference = jnp.vdot(slope.T, ahead - behind) / (2 * REACH)
    return jnp.abs(gradient @ way - difference) / (length(gradient) + 1e-3)


def step_deviations(
    own: Any, theta: Any, updates: Any, new_state: Any, count: int
) -> list[Any]:
    """Compare the hand-in's own update with ours: of theta, of Adam's two averages.

    Args:
        own: the answer of its `td_update`.
        theta: the parameters before [P].
        updates: our step [P].
        new_state: our optimizer's state after it.
        count: of theta's leaves.
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
    """Compare the slope with that at tables whose last digits are changed.

    As a function of the values a slope is a straight line, but for a few kinks: the
    mean over changes up and down is the slope itself.

    Args:
        on_tables: gives the loss and its slope.
        nudge: -1 to 1, [2,A,2B].
        tables: of values [2,A,2B].
        slope: [A,2B] at the tables.
    """
    nudge = NUDGE * nudge * tables
    pair = jnp.stack([tables + nudge, tables - nudge])
    bent = jax.lax.map(lambda t: on_tables(t)[1], pair).mean(axis=0) - slope
    rounding = ROUNDING * jnp.abs(tables[0]).sum() / SLOPE_RATE
    return jnp.abs(bent).sum() / (jnp.abs(slope).sum() + rounding + 1e-20)


def as_leaves(state: Any, leaves: Leaves) -> Leaves:
    """Return the optimizer's state as the leaves that a `td_update` takes."""
    adam = state[0]
    return [adam.count, *unflat(adam.mu, leaves), *unflat(adam.nu, leaves)]


def distance(theirs: Any, ours: Any) -> Any:
    """Return the distance of two vectors, relative to the length of ours."""
    return length(theirs - ours) / (length(ours) + 1e-20)


def length(vector: Any) -> Any:
    """Return the Euclidean length."""
    return jnp.sqrt(vector @ vector)


def unit(vector: Any) -> Any:
    """Scale a vector to length 1; a vector of zeros stays as it is."""
    return vector / (length(vector) + 1e-20)


def flat(leaves: Leaves) -> Any:
    """Join all leaves in one vector: one operation instead of one for each leaf."""
    return jnp.concatenate([leaf.ravel() for leaf in leaves])


def unflat(vector: Any, leaves: Leaves) -> Leaves:
    """Split a vector into arrays with the shapes and dtypes of these leaves."""
    ends = np.cumsum([leaf.size for leaf in leaves])[:-1]
    return [
        part.reshape(leaf.shape).astype(leaf.dtype)
        for part, leaf in zip(jnp.split(vector, ends), leaves, strict=True)
    ]
