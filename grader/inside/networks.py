"""The networks and optimizers with which parts are asked.

A network's parameters travel as the list of their leaves; the tree that holds them
never leaves the process.
"""

import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

from grader.inside.values import ContractError, Spec, part, returned

SLOPE_RATE = 64.0  # so large that the step of "slope" is not lost in rounding
OPTIMIZERS: dict[str, Callable[[], optax.GradientTransformation]] = {
    "sgd": lambda: optax.sgd(0.1),
    "adam": lambda: optax.adam(1e-2),
    "clipped_adamw": lambda: optax.chain(
        optax.clip_by_global_norm(0.5), optax.adamw(1e-2, weight_decay=2.0)
    ),
    # On the chain nothing is random, so gradients vanish. With the usual eps, Adam
    # would still take steps of full size.
    "chain": lambda: optax.adam(3e-2, eps=1e-3),
    "momentum": lambda: optax.sgd(0.25, momentum=0.5),  # the docstring's example
    "cartpole": lambda: optax.adam(2.3e-3),
    "slope": lambda: optax.sgd(SLOPE_RATE),  # its step tells the gradient
}


def probe_network(state_dim: int, num_actions: int) -> eqx.Module:
    """Build the grader's own small network: smooth, so no gradient sits on a kink."""
    return eqx.nn.MLP(
        state_dim, num_actions, 8, 1, activation=jnp.tanh, key=jax.random.key(0)
    )


def table_network(state_dim: int, num_actions: int) -> eqx.Module:
    """Build a table as a network: states are one-hot, each cell is one weight."""
    return eqx.nn.Linear(state_dim, num_actions, use_bias=False, key=jax.random.key(0))


def single_number(state_dim: int, num_actions: int) -> jax.Array:
    """Build a tree of arrays that is no network: one number."""
    return jnp.zeros(())


NETWORKS: dict[str, Callable[[int, int], Any]] = {
    "probe": probe_network,
    "table": table_network,
    "number": single_number,
}


def network(dqn: Any, spec: Spec) -> tuple[Any, Any]:
    """Return the structure of theta and the `model` half of a network.

    Args:
        dqn: the module whose `q_network` is called when `net` is "own".
        spec: `net` ("own" or one of `NETWORKS`), `state_dim`, `num_actions`.
    """
    sizes = spec["state_dim"], spec["num_actions"]
    if spec["net"] == "own":
        theta, model = own_network(dqn, *sizes)
    else:
        net = eqx.filter_eval_shape(NETWORKS[spec["net"]], *sizes)
        theta, model = eqx.partition(net, is_shape)
    return jax.tree.structure(theta), model


def is_shape(leaf: Any) -> bool:
    """Return whether a leaf is the shape of an array in a network that was traced."""
    return isinstance(leaf, jax.ShapeDtypeStruct)


@functools.lru_cache(maxsize=8)
def structure_of(dqn: Any, net: str, state_dim: int, num_actions: int) -> Any:
    """Return the structure of theta; traced once, not at each sync of a training run.

    Args:
        dqn: as for `network`.
        net: as in its spec.
        state_dim: D.
        num_actions: A.
    """
    spec = {"net": net, "state_dim": state_dim, "num_actions": num_actions}
    return network(dqn, spec)[0]


def own_network(dqn: Any, state_dim: int, num_actions: int) -> tuple[Any, Any]:
    """Return theta and model of the module's own network; theta may be shapes only."""
    key = jax.random.key(0)
    try:
        net = eqx.filter_eval_shape(fresh_network, dqn, key, state_dim, num_actions)
        return eqx.partition(net, is_shape)
    except (ContractError, NotImplementedError):
        raise
    except Exception:  # it cannot be traced; the contract does not ask that of it
        net = fresh_network(dqn, key, state_dim, num_actions)
        return eqx.partition(net, eqx.is_array)


def fresh_network(dqn: Any, key: Any, state_dim: int, num_actions: int) -> eqx.Module:
    """Return the network that the module's `q_network` builds with this key.

    Raises:
        ContractError: it is no `eqx.Module`.
    """
    net = part(dqn, "q_network")(key, state_dim, num_actions)
    if not isinstance(net, eqx.Module):
        raise ContractError(returned("q_network", net, "an eqx.Module"))
    return net
