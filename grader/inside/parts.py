"""Turn the parts of a `dqn` module into functions of arrays by name.

The worker uses this module to ask the hand-in's parts. The reference's programs were
exported from the solution by the same functions.

`PROGRAMS` has a function for each part that can be exported. This function takes the
hand-in's module `dqn` and the case's settings `spec`. It returns a second function,
which takes a dict of arguments, asks the part, and returns a dict of results. The
worker exports the second function or, for a call, runs it as plain Python. `CALLS` has,
for each part that is always called, a function from `dqn`, `spec` and arguments to
results. `program_of` asks any function of `dqn` that is not in `CALLS`.

Plain Python values (gamma, alpha, sizes, step, period) are in `spec`, and parts get
them as plain values.
"""

from collections.abc import Callable, Iterable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from grader.inside.buffer import replay_buffer
from grader.inside.networks import (
    OPTIMIZERS,
    fresh_network,
    network,
    stand_in_loss,
    stand_in_returns,
    standing_in,
    structure_of,
)
from grader.inside.values import (
    FIELDS,
    Args,
    ContractError,
    Spec,
    Transition,
    as_array,
    as_leaves,
    as_output,
    part,
    require_update,
)


def batch_of(dqn: Any, args: Args) -> Any:
    """Return a batch as the hand-in's `Transition`, or as ours if dqn has none."""
    make = getattr(dqn, "Transition", Transition)
    return make(*(args[name] for name in FIELDS))


def key_of(args: Args) -> jax.Array:
    """Return the argument `key`, uint32 [2], as a typed JAX key (threefry2x32)."""
    return jax.random.wrap_key_data(args["key"], impl="threefry2x32")


def update_Q_TD0(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """Return a function that asks `update_Q_TD0` for the new table.

    It takes a dict of Q [S,A] and of states, actions, rewards, next_states and
    terminateds of an episode. It returns a dict of the new Q [S,A].
    """
    names = ("Q", "states", "actions", "rewards", "next_states", "terminateds")
    rates = spec["alpha"], spec["gamma"]

    def program(args: Args) -> Args:
        Q = part(dqn, "update_Q_TD0")(*(args[name] for name in names), *rates)
        return {"Q": as_output("update_Q_TD0", Q)}

    return program


def discounted_returns(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """Return a function that asks `discounted_returns` for the returns of an episode.

    It takes a dict with reward [T] and returns a dict with returns [T].
    """

    def program(args: Args) -> Args:
        returns = part(dqn, "discounted_returns")(args["reward"], spec["gamma"])
        return {"returns": as_output("discounted_returns", returns)}

    return program


def mc_loss(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """Return a function that asks `mc_loss` for a loss and its gradient in θ_Q.

    It takes a dict of theta_Q and of state, action and reward of an episode. It returns
    a dict of loss and grads, or of loss alone if the setting `gradient` is false.
    """
    structure, model = network(dqn, spec)

    def program(args: Args) -> Args:
        def loss_of(theta_Q: list[jax.Array]) -> jax.Array:
            episode = [args[name] for name in ("state", "action", "reward")]
            theta = jax.tree.unflatten(structure, theta_Q)
            with standing_in(dqn, spec, "discounted_returns", stand_in_returns):
                loss = part(dqn, "mc_loss")(theta, model, *episode, spec["gamma"])
                return as_output("mc_loss", loss)

        if not spec["gradient"]:
            return {"loss": loss_of(args["theta_Q"])}
        return with_gradient(loss_of, args["theta_Q"])

    return program


def q_network(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """Return a function that asks `q_network` for a new network.

    It takes a dict with key [2] and returns a dict with theta, the list of the
    network's arrays.
    """
    sizes = spec["state_dim"], spec["num_actions"]

    def program(args: Args) -> Args:
        net = fresh_network(dqn, key_of(args), *sizes)
        leaves = jax.tree.leaves(eqx.filter(net, eqx.is_array))
        return {"theta": [numbers_of(leaf) for leaf in leaves]}

    return program


def numbers_of(leaf: Any) -> jax.Array:
    """Return a network's array as numbers; a typed key becomes its uint32 numbers.

    A key in a field is no parameter, and a check says so. As numbers it can be sent,
    so that the other checks can judge the network.
    """
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return jax.random.key_data(leaf)
    # JAX turns NumPy's float64 into float32, unless the hand-in enables float64.
    return jnp.asarray(leaf)


def epsilon_greedy(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """Return a function that asks `epsilon_greedy` for actions.

    It takes a dict with key [2], q_values [N,A] and epsilon, and returns a dict with
    actions [N].
    """

    def program(args: Args) -> Args:
        key, q_values = key_of(args), args["q_values"]
        actions = part(dqn, "epsilon_greedy")(key, q_values, args["epsilon"])
        return {"actions": as_output("epsilon_greedy", actions)}

    return program


def forward(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """Return a function that asks the hand-in's network for the values of states.

    It takes a dict with theta and state, [D] or [N,D], and returns a dict with
    q_values, [A] or [N,A].
    """
    structure, model = network(dqn, spec)

    def program(args: Args) -> Args:
        net = eqx.combine(jax.tree.unflatten(structure, args["theta"]), model)
        values = net if args["state"].ndim == 1 else jax.vmap(net)
        return {"q_values": as_output("the network", values(args["state"]))}

    return program


def td_loss(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """Return a function that asks `td_loss` for a loss and its gradient in θ_Q.

    It takes a dict of theta_Q, theta_T and the five fields of a batch. It returns a
    dict of loss and grads, or of loss alone if the setting `gradient` is false.
    """
    structure, model = network(dqn, spec)
    function = stand_in_loss if spec.get("stand_in") else part(dqn, "td_loss")

    def program(args: Args) -> Args:
        def loss_of(theta_Q: list[jax.Array]) -> jax.Array:
            loss = function(
                jax.tree.unflatten(structure, theta_Q),
                jax.tree.unflatten(structure, args["theta_T"]),
                model,
                batch_of(dqn, args),
                spec["gamma"],
            )
            return as_output("td_loss", loss)

        if not spec["gradient"]:
            return {"loss": loss_of(args["theta_Q"])}
        return with_gradient(loss_of, args["theta_Q"])

    return program


def td_update(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """Return a function that makes one update by `td_update`.

    It takes a dict of theta_Q, theta_T, opt_state and the five fields of a batch. It
    returns a dict of the new theta_Q, the new opt_state, and loss.
    """
    structure, model = network(dqn, spec)
    optimizer = OPTIMIZERS[spec["optimizer"]]()

    def program(args: Args) -> Args:
        theta_Q = jax.tree.unflatten(structure, args["theta_Q"])
        state_structure = jax.tree.structure(jax.eval_shape(optimizer.init, theta_Q))
        with standing_in(dqn, spec, "td_loss", stand_in_loss):
            result = part(dqn, "td_update")(
                theta_Q,
                jax.tree.unflatten(structure, args["theta_T"]),
                model,
                batch_of(dqn, args),
                optimizer,
                jax.tree.unflatten(state_structure, args["opt_state"]),
                spec["gamma"],
            )
        require_update(result, structure, state_structure)
        new_theta, new_state, loss = result
        return {
            "theta_Q": as_leaves("td_update's theta_Q", new_theta, structure),
            "opt_state": as_leaves("td_update's opt_state", new_state, state_structure),
            "loss": as_output("td_update's loss", loss),
        }

    return program


PROGRAMS: dict[str, Callable[[Any, Spec], Callable[[Args], Args]]] = {
    "update_Q_TD0": update_Q_TD0,
    "discounted_returns": discounted_returns,
    "mc_loss": mc_loss,
    "q_network": q_network,
    "epsilon_greedy": epsilon_greedy,
    "forward": forward,
    "td_loss": td_loss,
    "td_update": td_update,
}


def program_of(dqn: Any, name: str, spec: Spec) -> Callable[[Args], Args]:
    """Return a function that asks a part: from arguments by name to results by name.

    Args:
        dqn: the hand-in's module.
        name: name of the part: a key of `PROGRAMS`, or any other function of `dqn`.
        spec: settings of the case. For any other function, the setting `arguments`
            lists the names of its arguments, and its only result has the name "result".
    """
    if name in PROGRAMS:
        return PROGRAMS[name](dqn, spec)

    def program(args: Args) -> Args:
        arguments = [{**spec, **args}[argument] for argument in spec["arguments"]]
        return {"result": as_output(name, part(dqn, name)(*arguments))}

    return program


def with_gradient(loss_of: Callable, theta: list[jax.Array]) -> Args:
    """Return a dict of `loss`, which is loss_of(theta), and its gradient `grads`.

    If the loss is several numbers, `grads` is the gradient of their sum.

    Raises:
        ContractError: the loss has another type than float.
    """
    loss, pull_back = jax.vjp(loss_of, theta)
    if not jnp.issubdtype(loss.dtype, jnp.floating):
        raise ContractError(f"the loss is of type {loss.dtype}, expected a float")
    return {"loss": loss, "grads": pull_back(jnp.ones_like(loss))[0]}


def episode_terminateds(dqn: Any, spec: Spec, args: Args) -> Args:
    """Return a dict of `terminateds`, the part's answer to the setting `num_steps`."""
    flags = part(dqn, "episode_terminateds")(spec["num_steps"])
    return {"terminateds": as_array("episode_terminateds", flags)}


def sync_target(dqn: Any, spec: Spec, args: Args) -> Args:
    """Ask `sync_target` once; return a dict of the new theta_T, a list of arrays."""
    structure = structure_of(dqn, spec["net"], spec["state_dim"], spec["num_actions"])
    trees = [
        jax.tree.unflatten(structure, [jnp.asarray(leaf) for leaf in args[name]])
        for name in ("theta_Q", "theta_T")
    ]
    theta_T = part(dqn, "sync_target")(*trees, spec["step"], spec["period"])
    leaves = as_leaves("the returned theta_T", theta_T, structure)
    return {"theta_T": [as_array("a parameter", leaf) for leaf in leaves]}


def sync_schedule(dqn: Any, steps: Iterable[int], period: int) -> list[int]:
    """Ask `sync_target` about several updates, with two small tables as θ_Q and θ_T.

    Args:
        dqn: the hand-in's module.
        steps: numbers of the updates.
        period: updates from one sync to the next.

    Returns:
        For each update, 1 if the answer is θ_Q, 0 if it is θ_T, and -1 for any other.
    """
    structure = structure_of(dqn, "table", 2, 2)
    leaves = np.arange(4.0, dtype=np.float32).reshape(2, 2), np.ones((2, 2), np.float32)
    theta_Q, theta_T = (
        jax.tree.unflatten(structure, [jnp.asarray(leaf)]) for leaf in leaves
    )
    answers = []
    # A part written with `lax.cond` would be compiled anew at every call.
    with jax.disable_jit():
        for step in steps:
            tree = part(dqn, "sync_target")(theta_Q, theta_T, step, period)
            (leaf,) = as_leaves("the returned theta_T", tree, structure)
            same = [np.array_equal(np.asarray(leaf), other) for other in leaves]
            answers.append(1 if same[0] else 0 if same[1] else -1)
    return answers


CALLS: dict[str, Callable[[Any, Spec, Args], Args]] = {
    "episode_terminateds": episode_terminateds,
    "replay_buffer": replay_buffer,
    "sync_target": sync_target,
}
