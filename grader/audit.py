"""Inside the learner: see that what moves the parameters is a step on the TD loss.

A hand-in's `td_update` could recognise the disguise of the environment from a batch and
write a controller's weights: the policy would be perfect and nothing learned. So each
move is bounded by what the optimizer can do in one step, and, where the solution is at
hand (live mode), random blocks of the real run are recomputed with it: the hand-in's
step has to point where the reference's points. A loss scaled by a half still does.
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
SHARE = 0.25  # of the blocks that are recomputed
SAME_WAY = 0.3  # the cosine between two steps that counts as the same way
TOLERATED = 0.02  # of the recomputed updates may point elsewhere, for rounding


def make_audit(
    update: Callable, pull_back: Callable, solution: Any, batch_size: int
) -> Callable[[Any, Any], Any]:
    """A function of a block's arguments and batches: which updates go astray.

    Args:
        update: the hand-in's `td_update` program.
        pull_back: its network's forward pass at the batch's size, with its derivative.
        solution: the reference's module.
        batch_size: B.

    Returns:
        bool [n] for n updates, from a function to be compiled by `jax.jit`.
    """
    optimizer = parts.OPTIMIZERS["cartpole"]()
    spec = {"net": "table", "state_dim": 2 * batch_size, "num_actions": 2}
    reference = parts.PROGRAMS["td_loss"](solution, {**spec, "gradient": True})
    rows = np.eye(2 * batch_size, dtype=np.float32)

    def gradient(theta: Any, theta_T: Any, batch: Any, gamma: Any) -> tuple[Any, Any]:
        """The reference's gradient in theta, and whether the derivative is honest."""

        def q_of(theta: Any) -> Any:
            q_values = pull_back({"theta": theta, "state": batch["state"]})["q_values"]
            return q_values.astype(jnp.float32)

        # The reference's loss on a table that holds this batch's values, a row for
        # each state, gives its derivative in the values; the network gives the rest.
        q_values, pull = jax.vjp(q_of, theta)
        next_q = pull_back({"theta": theta_T, "state": batch["next_state"]})["q_values"]
        none = jnp.zeros_like(q_values)
        table_Q = jnp.concatenate([q_values, none]).T
        table_T = jnp.concatenate([none, next_q.astype(jnp.float32)]).T
        one_hot = {"state": rows[:batch_size], "next_state": rows[batch_size:]}
        tables = {"theta_Q": [table_Q], "theta_T": [table_T], "gamma": gamma}
        slope = reference({**batch, **one_hot, **tables})["grads"][0]
        slope = slope.T[:batch_size]
        (grads,) = pull(slope)

        # The derivative came with the hand-in's program: hold it against differences.
        size = length(grads)
        along = [0.01 * g / (size + 1e-12) for g in grads]
        ahead, behind = (
            jnp.vdot(
                slope, q_of([t + sign * a for t, a in zip(theta, along, strict=True)])
            )
            for sign in (1, -1)
        )
        measured = (ahead - behind) / 0.02
        return grads, jnp.abs(measured - size) <= 0.3 * size + 1e-3

    def audit(args: Any, batches: Any) -> Any:
        def step(carry: Any, batch: Any) -> Any:
            theta, opt_state = carry["theta_Q"], carry["opt_state"]
            out = update({**args, **carry, **batch})
            grads, honest = gradient(theta, args["theta_T"], batch, args["gamma"])
            structure = jax.tree.structure(optimizer.init(theta))
            state = jax.tree.unflatten(structure, opt_state)
            right, new_state = optimizer.update(grads, state, theta)
            moved = [a - b for a, b in zip(out["theta_Q"], theta, strict=True)]
            # The optimizer's averages too, or they could carry what the step may not.
            averages = slice(1, len(theta) + 1)  # after the count
            old = opt_state[averages]
            found, sought = (
                [a - 0.9 * b for a, b in zip(new[averages], old, strict=True)]
                for new in (out["opt_state"], jax.tree.leaves(new_state))
            )
            means = cosine(found, sought)
            same_way = (cosine(moved, right) > SAME_WAY) & (means > SAME_WAY)
            return {k: out[k] for k in carry}, ~(same_way & honest)

        start = {name: args[name] for name in ("theta_Q", "opt_state")}
        return jax.lax.scan(step, start, batches)[1]

    return audit


def length(leaves: list[Any]) -> Any:
    """The Euclidean length of parameters."""
    return jnp.sqrt(sum(jnp.sum(jnp.square(leaf)) for leaf in leaves))


def cosine(a: list[Any], b: list[Any]) -> Any:
    """The cosine of the angle between two moves of the parameters."""
    product = sum(jnp.sum(x * y) for x, y in zip(a, b, strict=True))
    return product / (length(a) * length(b) + 1e-20)
