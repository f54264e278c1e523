"""The networks, optimizers and stand-ins that the questions to parts use.

Processes send a network's parameters to each other as a list of arrays, the leaves of
the tree theta. The worker builds the tree from the leaves.
"""

import contextlib
import functools
import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

from grader.inside.values import ContractError, Spec, Transition, part, returned

STATIC = ("b1", "b2", "eps", "eps_root")  # Adam's settings that are not in its state
OPTIMIZERS: dict[str, Callable[[], optax.GradientTransformation]] = {
    "sgd": lambda: optax.sgd(0.1),
    "adam": lambda: optax.adam(1e-2),
    "clipped_adamw": lambda: optax.chain(
        optax.clip_by_global_norm(0.5), optax.adamw(1e-2, weight_decay=2.0)
    ),
    # For the small MDPs. Nothing is random there, so gradients become very small. With
    # the usual eps, Adam would still take large steps.
    "table": lambda: optax.adam(3e-2, eps=1e-3),
    # The optimizer in the example of the starter's docstring.
    "momentum": lambda: optax.sgd(0.25, momentum=0.5),
    # For the maze and CartPole, which have different learning rates. The rate is in the
    # optimizer's state, so one program of `td_update` serves both.
    "learning": lambda: optax.inject_hyperparams(optax.adam, STATIC)(1e-3),
}


def probe_network(state_dim: int, num_actions: int) -> eqx.Module:
    """Build the probe network: one hidden layer of 8 units with tanh.

    tanh is smooth, so the network has a gradient everywhere.
    """
    return eqx.nn.MLP(
        state_dim, num_actions, 8, 1, activation=jnp.tanh, key=jax.random.key(0)
    )


def table_network(state_dim: int, num_actions: int) -> eqx.Module:
    """Build a table of values as a network whose states are one-hot vectors.

    The weights [A,S] are the cells of the table, where S is `state_dim`.
    """
    return eqx.nn.Linear(state_dim, num_actions, use_bias=False, key=jax.random.key(0))


def single_number(state_dim: int, num_actions: int) -> jax.Array:
    """Return an array with the number 0, for questions that need no network.

    The arguments are ignored. This function has them only because all functions in
    `NETWORKS` are called with them.
    """
    return jnp.zeros(())


NETWORKS: dict[str, Callable[[int, int], Any]] = {
    "probe": probe_network,
    "table": table_network,
    "number": single_number,
}


def network(dqn: Any, spec: Spec) -> tuple[Any, Any]:
    """Return the tree structure of a network's theta, and the network's `model`.

    theta is the tree of the network's arrays. `model` is the network without its
    arrays; `eqx.combine(theta, model)` is the network.

    Args:
        dqn: the hand-in's module. If `net` is "own", its `q_network` is called.
        spec: settings of the case, with `net` ("own" for the network of the hand-in, or
            a key of `NETWORKS`), `state_dim` and `num_actions`.
    """
    sizes = spec["state_dim"], spec["num_actions"]
    if spec["net"] == "own":
        theta, model = own_network(dqn, *sizes)
    else:
        net = eqx.filter_eval_shape(NETWORKS[spec["net"]], *sizes)
        theta, model = eqx.partition(net, is_shape)
    return jax.tree.structure(theta), model


def is_shape(leaf: Any) -> bool:
    """Return whether a leaf of a tree is a `ShapeDtypeStruct`.

    Such a leaf has the shape and dtype of an array, but no numbers.
    """
    return isinstance(leaf, jax.ShapeDtypeStruct)


@functools.lru_cache(maxsize=8)
def structure_of(dqn: Any, net: str, state_dim: int, num_actions: int) -> Any:
    """Return the tree structure of a network's theta.

    The results of the last calls are cached, because tracing takes long.

    Args:
        dqn: the hand-in's module.
        net: "own" for the network of the hand-in, or a key of `NETWORKS`.
        state_dim: number D of numbers in a state.
        num_actions: number A of actions.
    """
    spec = {"net": net, "state_dim": state_dim, "num_actions": num_actions}
    return network(dqn, spec)[0]


def own_network(dqn: Any, state_dim: int, num_actions: int) -> tuple[Any, Any]:
    """Return theta and `model` of the network that the hand-in's `q_network` builds.

    The leaves of theta are `ShapeDtypeStruct`s without numbers; if `q_network` cannot
    be traced, they are arrays. `model` is the network without its arrays.

    Args:
        dqn: the hand-in's module.
        state_dim: number D of numbers in a state.
        num_actions: number A of actions.
    """
    key = jax.random.key(0)
    try:
        net = eqx.filter_eval_shape(fresh_network, dqn, key, state_dim, num_actions)
        return eqx.partition(net, is_shape)
    except (ContractError, NotImplementedError):
        raise
    except Exception:  # `q_network` cannot be traced; the contract allows that
        net = fresh_network(dqn, key, state_dim, num_actions)
        return eqx.partition(net, eqx.is_array)


def fresh_network(dqn: Any, key: Any, state_dim: int, num_actions: int) -> eqx.Module:
    """Return the network that the hand-in's `q_network` builds.

    Args:
        dqn: the hand-in's module.
        key: a typed JAX key.
        state_dim: number D of numbers in a state.
        num_actions: number A of actions.

    Raises:
        ContractError: the result of `q_network` is no `eqx.Module`.
    """
    net = part(dqn, "q_network")(key, state_dim, num_actions)
    if not isinstance(net, eqx.Module):
        raise ContractError(returned("q_network", net, "an eqx.Module"))
    return net


# ---------------------------------------------------------------- stand-ins
# A part may call a second part. It is mostly judged with the student's version of the
# second part. If this version cannot be used (of `discounted_returns`, also if it is
# wrong), and in some questions of readers and checks, a stand-in replaces it: a
# function with the same arguments, which does not compute what the homework asks for.


@eqx.filter_jit  # otherwise a call would compile each operation by itself
def stand_in_loss(
    theta_Q: Any, theta_T: Any, model: Any, batch: Transition, gamma: Any
) -> jax.Array:
    """Return a wrong loss that depends on all arguments.

    This function replaces `td_loss` in questions to `td_update`, and has the same
    arguments. The loss is differentiable everywhere.
    """
    q_values = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
    others = jax.vmap(eqx.combine(theta_T, model))(batch.next_state)
    ends = jnp.asarray(batch.terminated, dtype=q_values.dtype)[:, None]
    rewards = jnp.asarray(batch.reward)[:, None]
    return jnp.mean((q_values + gamma * others + rewards * (2.0 + ends)) ** 2)


def stand_in_returns(rewards: Any, gamma: Any) -> jax.Array:
    """Return wrong returns [T] of an episode: G_i = −(1 + γ) r_i − r_{i+1}, r_T = 0.

    This function replaces `discounted_returns` in questions to `mc_loss`. The grader
    computes the same numbers, and `grader/contract/stand_in.py` says why these.

    Args:
        rewards: the rewards [T]. A hand-in may also pass a column [T,1] or a number.
        gamma: the discount γ.
    """
    rewards = jnp.atleast_1d(jnp.asarray(rewards))
    later = jnp.concatenate([rewards[1:], jnp.zeros_like(rewards[:1])])
    return -(1 + gamma) * rewards - later


@contextlib.contextmanager
def standing_in(dqn: Any, spec: Spec, name: str, function: Any) -> Iterator[None]:
    """Replace a function of the hand-in's module by a stand-in during a with block.

    Args:
        dqn: the hand-in's module.
        spec: settings of the case. The function is replaced only if the setting
            `stand_in` is true.
        name: name of the function to replace.
        function: the stand-in, with the same arguments.
    """
    if not spec.get("stand_in"):
        yield
        return
    before = dict(vars(dqn))
    function = called_like(before.get(name), function)
    setattr(dqn, name, function)
    try:
        with forwarding(before.get(name), function):
            yield
    finally:
        if name in before:
            setattr(dqn, name, before[name])
        else:
            delattr(dqn, name)


def called_like(own: Any, function: Callable) -> Callable:
    """Return a stand-in that can be called as the hand-in's own function.

    The hand-in may have given its arguments another order, other names, a default, or
    one argument more: `discounted_returns(r, gamma=0.99)`.

    Args:
        own: the hand-in's function.
        function: the stand-in. If `own` has arguments with all of its names, it gets
            these. Else, if it cannot take the arguments of a call, it gets those that
            `own` would get, as many as it takes.
    """
    takes = inspect.signature(function)
    try:
        signature = inspect.signature(own)
    except (TypeError, ValueError):
        return function
    by_name = takes.parameters.keys() <= signature.parameters.keys()

    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            return function(*args, **kwargs)
        bound.apply_defaults()
        if by_name:
            given = bound.arguments
            return function(**{name: given[name] for name in takes.parameters})
        try:
            takes.bind(*args, **kwargs)
        except TypeError:
            every = (*bound.args, *bound.kwargs.values())
            args, kwargs = every[: len(takes.parameters)], {}
        return function(*args, **kwargs)

    # For `jax.jit` with `static_argnames`.
    called.__signature__ = signature  # type: ignore[attr-defined]
    return called


@contextlib.contextmanager
def forwarding(own: Any, function: Any) -> Iterator[None]:
    """Let a function of the hand-in call another one during a with block.

    The hand-in may have kept its function under another name at import, as in
    `loss_and_grad = jax.value_and_grad(td_loss)`.

    Args:
        own: the hand-in's function, perhaps decorated, as by `jax.jit`. If the function
            below its decorators is not written in Python, or uses variables of a
            function around it, the block runs without any change.
        function: what `own` calls in the block, with the same arguments.
    """
    own = inspect.unwrap(own)
    if not isinstance(own, types.FunctionType) or own.__closure__:
        yield
        return
    before = own.__code__, own.__kwdefaults__
    own.__code__, own.__kwdefaults__ = forward.__code__, {"_to": function}
    try:
        yield
    finally:
        own.__code__, own.__kwdefaults__ = before


def forward(*args: Any, _to: Callable, **kwargs: Any) -> Any:
    """Return what the function `_to` returns for all other arguments."""
    return _to(*args, **kwargs)
