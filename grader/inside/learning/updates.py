"""Make the gradient updates by which the tasks are learned.

A hand-in's `td_update` could recognise a task in a batch, and write the weights of a
ready-made controller instead of learning. So this module makes the updates, by the
right formula:

    y = r + ¬d γ max_a Q(s′, a; θ_T),   loss = mean (Q(s, a; θ_Q) − y)²,   Adam.

Some updates, drawn at random, are also made by the hand-in's `td_update`, and both
results must agree. If they disagree, learning is repeated with the formula that the
diagnosis finds for the hand-in's `td_loss`. The grader's process then computes the loss
and its slopes by this formula.
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
# The largest relative distance between the hand-in's update and the grader's that can
# come from rounding or from a kink in the network (as from ReLU).
CLOSE = 0.05
ROUNDING = 1e-5  # a vector of a smaller length may be a rounding error
NOT_COMPARED = -1.0  # stands for the distance if `td_update` does not make an update


def make_values(network: Callable[[Leaves, Any], Any]) -> Values:
    """Return a function from theta and N states [N,D] to the values [N,A] of a network.

    The network gets one state at a time, so that it cannot compare states.

    Args:
        network: function from theta and one state [D] to values [A].
    """
    of_states = jax.vmap(network, in_axes=(None, 0))
    return lambda theta, states: of_states(theta, states).astype(jnp.float32)


def td_loss(q_s: Any, t_n: Any, batch: Any, gamma: float) -> Any:
    """Return the right TD loss of a batch, a scalar.

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
    """The functions that make updates for one network; JAX compiles each of them once.

    P is the number of all parameters of the network, and theta [P] is a vector with all
    of them.

    Args:
        values: function from the leaves of theta and states [N,D] to values [N,A].
        own: the program of the hand-in's `td_update`: a function that takes a dict of
            arguments and returns a dict of results.
        optimizer: the optimizer, which is Adam.
        theta: the leaves of the network's parameters, for their shapes and dtypes.
        gamma: the discount γ.

    Attributes:
        block: the compiled function `_block`, which makes n updates by the right
            formula.
        q_values: compiled function from theta [P] and states [N,D] to values [N,A].
        all_values: the compiled function `_all_values`, which computes the values of a
            batch.
        step_along: the compiled function `_step_along`, which makes one update by given
            slopes.
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
            rate: learning rate. It is ignored if the optimizer has a fixed rate.
        """
        state = self.optimizer.init(theta)
        if hasattr(state, "hyperparams"):
            state.hyperparams["learning_rate"] = jnp.float32(rate)
        return state

    def _block(self, carry: Any, batches: Any, synced: Any, compared: Any) -> Any:
        """Make n updates by the right formula.

        Args:
            carry: theta_Q [P], theta_T [P] and the optimizer's state.
            batches: the n batches, an array [n,B,...] for each field.
            synced: for each update, whether θ_T becomes θ_Q after it, bool [n].
            compared: for each update, whether the hand-in's `td_update` makes it, too,
                for comparison, bool [n].

        Returns:
            The carry after the updates, the losses [n], and for each update the result
            of `distance_if` [n].
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
        """Return the values of a batch's states by both networks, as a dict.

        A key begins with "q_" for θ_Q, or with "t_" for θ_T. It ends with "s" for the
        states s, "n" for the states s′, or "0" for one state of zeros. For example,
        "t_n" is Q(s′, ·; θ_T) [B,A]. `Rows` in `diagnosis/formulas/rows.py` has the
        same names.

        Args:
            theta_Q: parameters [P].
            theta_T: parameters [P].
            batch: the batch, an array [B,...] for each field.
        """
        thetas = {"q": self.unflat(theta_Q), "t": self.unflat(theta_T)}
        return {
            f"{net}_{name}": self.values(theta, states)
            for net, theta in thetas.items()
            for name, states in states_of(batch).items()
        }

    def _step_along(self, carry: Any, batch: Any, slopes: Any, compared: Any) -> Any:
        """Make one update with the gradient that follows from given slopes.

        A slope is the derivative of the loss with respect to one value of the network
        with theta_Q.

        Args:
            carry: theta_Q [P], theta_T [P] and the optimizer's state.
            batch: the batch, an array [B,...] for each field.
            slopes: a dict of the slopes for the values `q_s` [B,A], `q_n` [B,A] and
                `q_0` [1,A], which `_all_values` explains.
            compared: whether the hand-in's `td_update` makes the update, too, for
                comparison; a bool.

        Returns:
            A pair ((theta_Q [P], state), distance): the parameters and the optimizer's
            state after the update, and the result of `distance_if`.
        """
        theta_Q, _, opt_state = carry

        # By the chain rule, this sum has the same gradient as the loss.
        def weighted_values(theta: Any) -> Any:
            leaves = self.unflat(theta)
            return sum(
                jnp.vdot(self.values(leaves, states), slopes[f"q_{name}"])
                for name, states in states_of(batch).items()
            )

        new = self.step(theta_Q, opt_state, jax.grad(weighted_values)(theta_Q))
        return new, self.distance_if(compared, carry, batch, new)

    def step(self, theta: Any, state: Any, gradient: Any) -> tuple[Any, Any]:
        """Make one step of the optimizer.

        Args:
            theta: parameters [P] before the step.
            state: the optimizer's state before the step.
            gradient: gradient of the loss [P].

        Returns:
            The parameters [P] and the optimizer's state after the step.
        """
        updates, state = self.optimizer.update(gradient, state, theta)
        return optax.apply_updates(theta, updates), state

    def distance_if(self, compared: Any, carry: Any, batch: Any, new: Any) -> Any:
        """Compare an update with the hand-in's, if this update is to be compared.

        Args:
            compared: whether to compare the update; a bool, which may be a tracer.
            carry: theta_Q [P], theta_T [P] and the optimizer's state before the update.
            batch: the batch of the update, an array [B,...] for each field.
            new: theta_Q [P] and the optimizer's state after the grader's update.

        Returns:
            The result of `distance`, or NOT_COMPARED if `compared` is false; a scalar.
        """
        return jax.lax.cond(
            compared,
            lambda: self.distance(carry, batch, new),
            lambda: jnp.float32(NOT_COMPARED),
        )

    def distance(self, carry: Any, batch: Any, new: Any) -> Any:
        """Make an update by the hand-in's `td_update`; compare it with the grader's.

        Three vectors are compared: the change of theta_Q by the update, and Adam's
        averages m and √v after it. For each vector, |h - g| / (|g| + ROUNDING) is
        computed, where h is the hand-in's vector, g the grader's, and |·| the length.

        Args:
            carry: theta_Q [P], theta_T [P] and the optimizer's state before the update.
            batch: the batch of the update, an array [B,...] for each field.
            new: theta_Q [P] and the optimizer's state after the grader's update.

        Returns:
            The largest of the three quotients, a scalar: 0 if both updates agree.
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
        """Return the optimizer's state as the list of leaves that `td_update` takes.

        Args:
            state: the optimizer's state for theta as one vector [P].
        """
        leaves = jax.tree.leaves(state)
        parts = [self.unflat(leaf) if leaf.ndim else [leaf] for leaf in leaves]
        return [leaf for part in parts for leaf in part]

    def averages(self, state: Any, leaves: Leaves) -> tuple[Leaves, Leaves]:
        """Return Adam's averages m and v after the grader's and the hand-in's update.

        m is the average of the gradients, and v the average of their squares.

        Args:
            state: the optimizer's state after the grader's update, for theta as one
                vector [P].
            leaves: the leaves of the optimizer's state that `td_update` returned.

        Returns:
            A pair (grader's, hand-in's) of lists [m, v]; m and v are vectors [P].
        """
        n = len(self.leaves)
        # The averages are the only vectors in the grader's state, and the last leaves
        # of the hand-in's state.
        ours = [leaf for leaf in jax.tree.leaves(state) if leaf.ndim]
        return ours, [flat(leaves[-2 * n : -n]), flat(leaves[-n:])]

    def unflat(self, vector: Any) -> Leaves:
        """Split a vector [P] into a list of arrays, shaped like the leaves of theta."""
        ends = np.cumsum([leaf.size for leaf in self.leaves])[:-1]
        return [
            part.reshape(leaf.shape).astype(leaf.dtype)
            for part, leaf in zip(jnp.split(vector, ends), self.leaves, strict=True)
        ]


def states_of(batch: Any) -> dict[str, Any]:
    """Return the states of a batch by name: "s" and "n" [B,D], and "0" [1,D].

    "n" are the next states s′, and "0" is a state of zeros.
    """
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
