"""The contract's parts as functions of plain arrays.

The worker calls the parts of the hand-in's `dqn` module through these functions. The
reference's programs were exported from the solution through the same functions.

`PROGRAMS` has builders for the parts that are functions of arrays. A builder takes the
module and a spec. It returns a function that can be traced and exported, or called if
the hand-in is plain Python. `CALLS` has the parts that are always called. Any other
name is a plain function in the module, called with the arguments that its spec lists.

The contract's plain Python values (gamma and alpha, sizes, step, period) are in the
spec, and the hand-in gets them as plain values. All traced values are arrays.
"""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

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
    returned,
)

# ---------------------------------------------------------------- programs


def batch_of(dqn: Any, args: Args) -> Any:
    """Return the batch among the arguments, as the module's own `Transition`."""
    make = getattr(dqn, "Transition", Transition)
    return make(*(args[name] for name in FIELDS))


def key_of(args: Args) -> jax.Array:
    """Return the key among the arguments, of the same kind for every hand-in."""
    return jax.random.wrap_key_data(args["key"], impl="threefry2x32")


def update_Q_TD0(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """Build: Q [S,A], one episode [T] -> Q [S,A]."""
    names = ("Q", "states", "actions", "rewards", "next_states", "terminateds")
    rates = spec["alpha"], spec["gamma"]

    def program(args: Args) -> Args:
        Q = part(dqn, "update_Q_TD0")(*(args[name] for name in names), *rates)
        return {"Q": as_output("update_Q_TD0", Q)}

    return program


def discounted_returns(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """Build: reward [T] -> returns [T]."""

    def program(args: Args) -> Args:
        returns = part(dqn, "discounted_returns")(args["reward"], spec["gamma"])
        return {"returns": as_output("discounted_returns", returns)}

    return program


def mc_loss(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """Build: theta_Q, one episode [T] -> loss and its gradient in theta_Q."""
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
    """Build: key [2] -> the leaves of a fresh network's parameters."""
    sizes = spec["state_dim"], spec["num_actions"]

    def program(args: Args) -> Args:
        net = fresh_network(dqn, key_of(args), *sizes)
        leaves = jax.tree.leaves(eqx.filter(net, eqx.is_array))
        # JAX turns NumPy's float64 into float32, unless the hand-in enables float64.
        return {"theta": [jnp.asarray(leaf) for leaf in leaves]}

    return program


def epsilon_greedy(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """Build: key [2], q_values [N,A], epsilon -> actions [N]."""

    def program(args: Args) -> Args:
        key, q_values = key_of(args), args["q_values"]
        actions = part(dqn, "epsilon_greedy")(key, q_values, args["epsilon"])
        return {"actions": as_output("epsilon_greedy", actions)}

    return program


def forward(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """Build: theta, state [B,D] or [D] -> q_values [B,A] or [A]."""
    structure, model = network(dqn, spec)

    def program(args: Args) -> Args:
        net = eqx.combine(jax.tree.unflatten(structure, args["theta"]), model)
        values = net if args["state"].ndim == 1 else jax.vmap(net)
        return {"q_values": as_output("the network", values(args["state"]))}

    return program


def td_loss(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """Build: theta_Q, theta_T, a batch -> loss and its gradient in theta_Q."""
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
    """Build: theta_Q, theta_T, a batch, opt_state -> theta_Q, opt_state, loss."""
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
    """Return the function that answers a part.

    Args:
        dqn: the hand-in's module.
        name: name of the part; a name that is not in `PROGRAMS` is a plain function's.
        spec: settings of the part; for a plain function, `arguments` has the names of
            its arguments in order.
    """
    if name in PROGRAMS:
        return PROGRAMS[name](dqn, spec)

    def program(args: Args) -> Args:
        arguments = [{**spec, **args}[argument] for argument in spec["arguments"]]
        return {"result": as_output(name, part(dqn, name)(*arguments))}

    return program


def with_gradient(loss_of: Callable, theta: list[jax.Array]) -> Args:
    """Return a loss of any shape, and the gradient of its sum in theta.

    Raises:
        ContractError: the loss is no float.
    """
    loss, pull_back = jax.vjp(loss_of, theta)
    if not jnp.issubdtype(loss.dtype, jnp.floating):
        raise ContractError(f"the loss is of type {loss.dtype}, expected a float")
    return {"loss": loss, "grads": pull_back(jnp.ones_like(loss))[0]}


# ---------------------------------------------------------------- calls


def episode_terminateds(dqn: Any, spec: Spec, args: Args) -> Args:
    """Return the flags of an episode that ends in a terminal state, bool [T]."""
    flags = part(dqn, "episode_terminateds")(spec["num_steps"])
    return {"terminateds": as_array("episode_terminateds", flags)}


def replay_buffer(dqn: Any, spec: Spec, args: Args) -> Args:
    """Play a script of operations on a new buffer.

    The operations:

    - ["add", i, j] add rows i to j-1 of the arguments
    - ["plain", i, j] the same, with Python's numbers instead of NumPy's
    - ["len"] note the length
    - ["rng", seed] make a new generator
    - ["sample", B] draw a batch
    - ["samples", n, B] draw n batches, stacked
    - ["reread", k] note what the k-th batch of "sample" holds now
    - ["scribble"] overwrite the arrays that `add` was given: the buffer must have
      stored copies

    Returns:
        The `lengths`, in order.
        The `samples` of "sample", "samples" and "reread", in order.
    """
    buffer = part(dqn, "ReplayBuffer")(spec["capacity"])
    rng = np.random.default_rng(0)
    lengths: list[int] = []
    batches: list[tuple[Any, int]] = []  # each batch with its B
    samples: list[Args] = []
    for name, *numbers in spec["script"]:
        if name == "add":
            add_rows(buffer, args, *numbers)
        elif name == "plain":
            for i in range(*numbers):
                values = [args[field][i] for field in FIELDS]
                buffer.add(*(v if v.ndim else v.item() for v in values))
        elif name == "len":
            lengths.append(len(buffer))
        elif name == "rng":
            rng = np.random.default_rng(numbers[0])
        elif name == "sample":
            batches.append((buffer.sample(numbers[0], rng), numbers[0]))
            samples.append(batch_fields(*batches[-1]))
        elif name == "samples":
            samples.append(stacked_samples(buffer, numbers[0], numbers[1], rng))
        elif name == "reread":
            samples.append(batch_fields(*batches[numbers[0]]))
        elif name == "scribble":
            args["state"][...] = args["next_state"][...] = -12345.0
    return {"lengths": lengths, "samples": samples}


def add_rows(buffer: Any, rows: Args, first: int, last: int) -> None:
    """Add the rows from first to last - 1, one by one."""
    for i in range(first, last):
        buffer.add(*(rows[name][i] for name in FIELDS))


def stacked_samples(buffer: Any, n: int, batch_size: int, rng: Any) -> Args:
    """Return n batches from a buffer, an array [n,B,...] for each field.

    Raises:
        ContractError: a field has different shapes in different batches.
    """
    batches = [
        batch_fields(buffer.sample(batch_size, rng), batch_size) for _ in range(n)
    ]
    for name in FIELDS:
        shapes = list(dict.fromkeys(batch[name].shape for batch in batches))
        if len(shapes) > 1:
            raise ContractError(
                f"sample's {name} has the shape {shapes[0]} in one batch and "
                f"{shapes[1]} in another, with B = {batch_size} for both: each has to "
                "have B rows" + ", s′ where d is true as well" * (name == "next_state")
            )
    return {name: np.stack([batch[name] for batch in batches]) for name in FIELDS}


def batch_fields(batch: Any, batch_size: int) -> Args:
    """Return the five arrays of a batch of `batch_size` rows.

    Args:
        batch: result of `sample`, a Transition or a similar tuple.
        batch_size: number of rows that were asked for.

    Raises:
        ContractError: the batch is something else.
    """
    if all(hasattr(batch, name) for name in FIELDS):
        values = [getattr(batch, name) for name in FIELDS]
    elif dataclasses.is_dataclass(batch):
        values = [getattr(batch, field.name) for field in dataclasses.fields(batch)]
    elif isinstance(batch, tuple | list):
        values = list(batch)
    else:
        raise ContractError(returned("sample", batch, "a Transition"))
    rows = {len(v) for v in values if isinstance(v, tuple | list)} == {len(FIELDS)}
    if rows and len(values) == batch_size:
        raise ContractError(
            f"sample returned a list of its {batch_size} rows, expected one "
            f"Transition of five arrays with {batch_size} entries each"
        )
    if len(values) != len(FIELDS):
        raise ContractError(returned("sample", batch, "5 fields"))
    return {
        name: as_array(f"the sample's {name}", value)
        for name, value in zip(FIELDS, values, strict=True)
    }


def sync_target(dqn: Any, spec: Spec, args: Args) -> Args:
    """Return the target parameters after a gradient update."""
    structure = structure_of(dqn, spec["net"], spec["state_dim"], spec["num_actions"])
    trees = [
        jax.tree.unflatten(structure, [jnp.asarray(leaf) for leaf in args[name]])
        for name in ("theta_Q", "theta_T")
    ]
    theta_T = part(dqn, "sync_target")(*trees, spec["step"], spec["period"])
    leaves = as_leaves("the returned theta_T", theta_T, structure)
    return {"theta_T": [as_array("a parameter", leaf) for leaf in leaves]}


def sync_schedule(dqn: Any, steps: Iterable[int], period: int) -> list[int]:
    """Return what `sync_target` returns after each update: 1 θ_Q, 0 θ_T, -1 neither.

    The two trees of parameters are small and mean nothing.

    Args:
        dqn: the hand-in's module.
        steps: numbers of the updates.
        period: updates from one sync to the next.
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
