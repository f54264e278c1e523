"""The gradient updates by which the tasks are learned.

A hand-in's `td_update` could recognise a task in a batch, and write the weights of a
ready-made controller instead of learning. So the updates are made here, by the formula
that is asked for:

    y = r + ¬d γ max_a Q(s′, a; θ_T),   loss = mean (Q(s, a; θ_Q) − y)²,   Adam.

The hand-in's `td_update` makes some updates, drawn at random, as well, and both results
must agree. If they disagree, learning is repeated with the formula that the diagnosis
finds in the hand-in's loss. The grader's process then computes the loss and the slopes,
which are the derivatives of the loss in the values.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from grader.inside.values import FIELDS

Leaves = list[Any]
Values = Callable[[Leaves, Any], Any]  # theta, states [N,D] -> values [N,A]
Program = Callable[[Any], Any]
# The largest relative distance of the hand-in's update from ours that can come from
# rounding or from a kink in the network (as from ReLU).
CLOSE = 0.05
ROUNDING = 1e-5  # shorter steps and averages may be rounding errors
NOT_COMPARED = -1.0


def make_values(network: Callable[[Leaves, Any], Any]) -> Values:
    """Return the function of theta and states [N,D] that returns values [N,A].

    The network gets one state at a time, so that it cannot compare states.

    Args:
        network: function of theta and one state [D] that returns values [A].
    """
    of_states = jax.vmap(network, in_axes=(None, 0))
    return lambda theta, states: of_states(theta, states).astype(jnp.float32)


def td_loss(q_s: Any, t_n: Any, batch: Any, gamma: float) -> Any:
    """Return the loss that is asked for.

    Args:
        q_s: values Q(s, ·; θ_Q) [B,A].
        t_n: values Q(s′, ·; θ_T) [B,A].
        batch: the batch, an array [B,...] for each field.
        gamma: the discount γ.
    """
    prediction = jnp.take_along_axis(q_s, batch["action"][:, None], axis=1)[:, 0]
    y = batch["reward"] + gamma * ~batch["terminated"] * t_n.max(axis=1)
    return jnp.mean((prediction - y) ** 2)


class Updates:
    """The updates of one task; JAX compiles them once.

    Args:
        values: function of theta and states.
        own: the hand-in's `td_update` as a program.
        optimizer: the optimizer, which is Adam.
        theta: parameters at the start, for their shapes.
        gamma: the discount γ.
    """

    def __init__(
        self,
        values: Values,
        own: Program,
        optimizer: optax.GradientTransformation,
        theta: Leaves,
        gamma: float,
    ) -> None:
        self.values, self.own, self.optimizer = values, own, optimizer
        self.leaves, self.gamma = theta, gamma
        self.block = jax.jit(self._block)
        self.q_values = jax.jit(lambda theta, s: values(self.unflat(theta), s))
        self.all_values = jax.jit(self._all_values)
        self.step_along = jax.jit(self._step_along)

    def fresh_state(self, theta: Any, rate: float) -> Any:
        """Return the optimizer's state before the first step.

        Args:
            theta: parameters [P].
            rate: learning rate; used only if the optimizer's state holds the rate.
        """
        state = self.optimizer.init(theta)
        if hasattr(state, "hyperparams"):
            state.hyperparams["learning_rate"] = jnp.float32(rate)
        return state

    def _block(self, carry: Any, batches: Any, synced: Any, compared: Any) -> Any:
        """Make n updates by the formula that is asked for.

        Args:
            carry: theta_Q [P], theta_T [P] and the optimizer's state.
            batches: batches [n,B,...] by field.
            synced: after which updates θ_T becomes θ_Q, bool [n].
            compared: which updates the hand-in makes as well, bool [n].

        Returns:
            The carry after the updates, their losses [n], and the distances [n] of the
            hand-in's updates; NOT_COMPARED where the hand-in made no update.
        """

        def update(carry: Any, item: Any) -> Any:
            batch, sync, compare = item
            theta_Q, theta_T, state = carry

            def loss_of(theta: Any) -> Any:
                q_s = self.values(self.unflat(theta), batch["state"])
                return td_loss(q_s, t_n, batch, self.gamma)

            t_n = self.values(self.unflat(theta_T), batch["next_state"])
            loss, gradient = jax.value_and_grad(loss_of)(theta_Q)
            new = self.step(theta_Q, state, gradient)
            distance = self.distance_if(compare, carry, batch, new)
            theta_T = jnp.where(sync, new[0], theta_T)
            return (new[0], theta_T, new[1]), (loss, distance)

        carry, (losses, distances) = jax.lax.scan(
            update, carry, (batches, synced, compared)
        )
        return carry, losses, distances

    def _all_values(self, theta_Q: Any, theta_T: Any, batch: Any) -> dict[str, Any]:
        """Return the values of a batch by both networks.

        The names are those of `Rows` in `diagnosis/formulas/rows.py`.
        """
        thetas = {"q": self.unflat(theta_Q), "t": self.unflat(theta_T)}
        return {
            f"{net}_{name}": self.values(theta, states)
            for net, theta in thetas.items()
            for name, states in states_of(batch).items()
        }

    def _step_along(self, carry: Any, batch: Any, slopes: Any, compared: Any) -> Any:
        """Make one update along given slopes.

        Args:
            carry: theta_Q [P], theta_T [P] and the optimizer's state.
            batch: the batch.
            slopes: derivatives of the loss in the values `q_s`, `q_n` [B,A] and `q_0`
                [1,A].
            compared: whether the hand-in makes the update as well, a bool.

        Returns:
            The new theta_Q and optimizer's state, and the distance of the hand-in's
            update; NOT_COMPARED if it made none.
        """
        theta_Q, _, opt_state = carry

        # By the chain rule, the gradient of this sum is that of the loss.
        def weighted_values(theta: Any) -> Any:
            leaves = self.unflat(theta)
            return sum(
                jnp.vdot(self.values(leaves, states), slopes[f"q_{name}"])
                for name, states in states_of(batch).items()
            )

        new = self.step(theta_Q, opt_state, jax.grad(weighted_values)(theta_Q))
        return new, self.distance_if(compared, carry, batch, new)

    def step(self, theta: Any, state: Any, gradient: Any) -> tuple[Any, Any]:
        """Return theta [P] and the optimizer's state after one step."""
        updates, state = self.optimizer.update(gradient, state, theta)
        return optax.apply_updates(theta, updates), state

    def distance_if(self, compared: Any, carry: Any, batch: Any, new: Any) -> Any:
        """Return `distance` if `compared`, which is traced, else NOT_COMPARED."""
        return jax.lax.cond(
            compared,
            lambda: self.distance(carry, batch, new),
            lambda: jnp.float32(NOT_COMPARED),
        )

    def distance(self, carry: Any, batch: Any, new: Any) -> Any:
        """Return the largest relative distance of the hand-in's update from ours.

        There are three distances: of the step in theta and of Adam's two averages.

        Args:
            carry: theta_Q, theta_T and the optimizer's state before the update.
            batch: the batch of the update.
            new: theta_Q and the optimizer's state after our update.
        """
        theta_Q, theta_T, state = carry
        own = self.own(
            {
                **{name: batch[name] for name in FIELDS},
                "theta_Q": self.unflat(theta_Q),
                "theta_T": self.unflat(theta_T),
                "opt_state": self.as_leaves(state),
            }
        )
        (mu, nu), (own_mu, own_nu) = self.averages(new[1], own["opt_state"])
        pairs = (
            (flat(own["theta_Q"]) - theta_Q, new[0] - theta_Q),
            (own_mu, mu),
            (jnp.sqrt(own_nu), jnp.sqrt(nu)),
        )
        distances = [length(a - b) / (length(b) + ROUNDING) for a, b in pairs]
        return jnp.stack(distances).max().astype(jnp.float32)

    def as_leaves(self, state: Any) -> Leaves:
        """Return the optimizer's state as the leaves that `td_update` takes."""
        leaves = jax.tree.leaves(state)
        parts = [self.unflat(leaf) if leaf.ndim else [leaf] for leaf in leaves]
        return [leaf for part in parts for leaf in part]

    def averages(self, state: Any, leaves: Leaves) -> tuple[Leaves, Leaves]:
        """Return Adam's two averages as vectors [P], ours and the hand-in's.

        Args:
            state: the optimizer's state for theta as a vector.
            leaves: the state as `td_update` returns it.
        """
        n = len(self.leaves)
        # Our state has no other vectors; the hand-in's state ends with the averages.
        ours = [leaf for leaf in jax.tree.leaves(state) if leaf.ndim]
        return ours, [flat(leaves[-2 * n : -n]), flat(leaves[-n:])]

    def unflat(self, vector: Any) -> Leaves:
        """Return a vector [P] split into arrays as in theta."""
        ends = np.cumsum([leaf.size for leaf in self.leaves])[:-1]
        return [
            part.reshape(leaf.shape).astype(leaf.dtype)
            for part, leaf in zip(jnp.split(vector, ends), self.leaves, strict=True)
        ]


def states_of(batch: Any) -> dict[str, Any]:
    """Return the states s and s′ [B,D] of a batch, and a state of zeros [1,D]."""
    zero = jnp.zeros_like(batch["state"][:1])
    return {"s": batch["state"], "n": batch["next_state"], "0": zero}


def flat(leaves: Leaves) -> Any:
    """Return all leaves as one vector [P].

    With one vector, an update takes one operation instead of one for each leaf.
    """
    return jnp.concatenate([jnp.ravel(leaf) for leaf in leaves])


def length(vector: Any) -> Any:
    """Return the Euclidean length of a vector."""
    return jnp.sqrt(vector @ vector)
