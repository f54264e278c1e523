"""The contract's parts as functions of plain arrays.

The same file serves the worker, on the hand-in's `dqn` module, and the runner, on
the solution's: so both are asked in exactly the same way. A network's parameters
travel as the list of their leaves; the tree that holds them never leaves the process.

`PROGRAMS` are the parts that are functions of arrays: a builder takes the module and a
spec, and returns what can be traced and exported, or called as it is where the hand-in
is plain Python. `CALLS` are the parts that are more, or less, than that. A part that
is in neither is a plain function of the arguments that its spec lists.

What the contract calls a plain Python value (gamma and alpha, sizes, step, period) is
in the spec and reaches the hand-in as one; what it has traced is in the arrays.
"""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from grader.inside.protocol import is_sendable

Args = dict[str, Any]
Spec = dict[str, Any]


class Transition(NamedTuple):
    """One transition, or a batch of them; the contract's own field order."""

    state: Any
    action: Any
    reward: Any
    terminated: Any
    next_state: Any


FIELDS = Transition._fields

SLOPE_RATE = 64.0  # so large that the step of "slope" is not lost in rounding
OPTIMIZERS: dict[str, Callable[[], optax.GradientTransformation]] = {
    "sgd": lambda: optax.sgd(0.1),
    "adam": lambda: optax.adam(1e-2),
    "clipped_adamw": lambda: optax.chain(
        optax.clip_by_global_norm(0.5), optax.adamw(1e-2, weight_decay=2.0)
    ),
    # Gradients vanish there, since nothing is random: by an eps as small as usual, Adam
    # would still take steps of full size.
    "chain": lambda: optax.adam(3e-2, eps=1e-3),
    "momentum": lambda: optax.sgd(0.25, momentum=0.5),  # the docstring's example
    "cartpole": lambda: optax.adam(2.3e-3),
    "slope": lambda: optax.sgd(SLOPE_RATE),  # by its step the gradient can be read
}


class ContractError(Exception):
    """An answer is not of the kind that the contract asks for."""


def part(dqn: Any, name: str) -> Any:
    """The function or class of that name in the module."""
    if not hasattr(dqn, name):
        raise ContractError(f"dqn.py does not define `{name}`")
    return getattr(dqn, name)


def as_array(what: str, value: Any) -> np.ndarray:
    """A part's result as a NumPy array that can travel."""
    if value is None:
        raise ContractError(f"{what} returned None: is a `return` missing?")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        raise ContractError(
            f"{what} is a {type(value).__name__} that is no array of numbers"
        ) from None
    if array.dtype.name in ("bfloat16", "longdouble"):
        array = array.astype(np.float32)
    if not is_sendable(array.dtype):
        raise ContractError(f"{what} is a {type(value).__name__}, expected numbers")
    return np.array(array)


def as_leaves(what: str, tree: Any, structure: Any) -> list[Any]:
    """The leaves of a tree that has to have that structure."""
    if tree is None:
        raise ContractError(f"{what} is None: is a `return` missing?")
    leaves, found = jax.tree.flatten(tree)
    if found != structure:
        arrays = sum(map(eqx.is_array_like, leaves))
        told = counted(arrays, "array")
        if others := len(leaves) - arrays:
            told += f" and {counted(others, 'other leaf', 'other leaves')}"
        wanted = structure.num_leaves
        but = "arranged otherwise" if len(leaves) == wanted else f"expected {wanted}"
        raise ContractError(
            f"{what} is not the kind of tree that came in: it has {told}, {but}"
        )
    return leaves


def counted(count: int, one: str, many: str = "") -> str:
    """A number of things in words: "1 array", "2 arrays"."""
    return f"{count} {one if count == 1 else many or one + 's'}"


# ---------------------------------------------------------------- networks


def probe_network(state_dim: int, num_actions: int) -> eqx.Module:
    """The grader's own small network: smooth, so that no gradient sits on a kink."""
    return eqx.nn.MLP(
        state_dim, num_actions, 8, 1, activation=jnp.tanh, key=jax.random.key(0)
    )


def table_network(state_dim: int, num_actions: int) -> eqx.Module:
    """A table in the shape of a network: one-hot states, one weight for each cell."""
    return eqx.nn.Linear(state_dim, num_actions, use_bias=False, key=jax.random.key(0))


def single_number(state_dim: int, num_actions: int) -> jax.Array:
    """What is no network, but a tree of arrays as well."""
    return jnp.zeros(())


def is_shape(leaf: Any) -> bool:
    """Whether an array stood here before the network was traced for its shapes."""
    return isinstance(leaf, jax.ShapeDtypeStruct)


def network(dqn: Any, spec: Spec) -> tuple[Any, Any]:
    """The structure of theta and the `model` half of a network.

    Args:
        dqn: the module whose `q_network` is asked for when `net` is "own".
        spec: `net` ("own" or one of `NETWORKS`), `state_dim`, `num_actions`.
    """
    sizes = spec["state_dim"], spec["num_actions"]
    if spec["net"] == "own":
        theta, model = own_network(dqn, *sizes)
    else:
        net = eqx.filter_eval_shape(NETWORKS[spec["net"]], *sizes)
        theta, model = eqx.partition(net, is_shape)
    return jax.tree.structure(theta), model


NETWORKS: dict[str, Callable[[int, int], Any]] = {
    "probe": probe_network,
    "table": table_network,
    "number": single_number,
}


@functools.lru_cache(maxsize=8)
def structure_of(dqn: Any, net: str, state_dim: int, num_actions: int) -> Any:
    """The structure of theta, traced once and not at each sync of a training run."""
    spec = {"net": net, "state_dim": state_dim, "num_actions": num_actions}
    return network(dqn, spec)[0]


def own_network(dqn: Any, state_dim: int, num_actions: int) -> tuple[Any, Any]:
    """The two halves of the module's own network; theta may be of shapes only."""
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
    """What the module's `q_network` makes with this key."""
    net = part(dqn, "q_network")(key, state_dim, num_actions)
    if not isinstance(net, eqx.Module):
        raise ContractError(
            f"q_network returned {describe(net)}, expected an eqx.Module"
        )
    return net


# ---------------------------------------------------------------- stand-ins
# A part that builds on another is judged given that one as the student wrote it. Where
# that one cannot be built on, these take its place: any function of the right kind will
# do, and neither of them is what the homework asks for.


@eqx.filter_jit  # one program, or each of its operations would be compiled for a call
def stand_in_loss(
    theta_Q: Any, theta_T: Any, model: Any, batch: Transition, gamma: Any
) -> jax.Array:
    """Some smooth loss of all of `td_loss`'s arguments."""
    q_values = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
    others = jax.vmap(eqx.combine(theta_T, model))(batch.next_state)
    ends = jnp.asarray(batch.terminated, dtype=q_values.dtype)[:, None]
    rewards = jnp.asarray(batch.reward)[:, None]
    return jnp.mean((q_values + gamma * others + rewards * (2.0 + ends)) ** 2)


def stand_in_returns(rewards: Any, gamma: Any) -> jax.Array:
    """Something with the arguments and the shape of `discounted_returns`."""
    return gamma - jnp.asarray(rewards)


@contextlib.contextmanager
def standing_in(dqn: Any, spec: Spec, name: str, function: Any) -> Iterator[None]:
    """Put the function in the place of the hand-in's where the spec says so."""
    if not spec.get("stand_in"):
        yield
        return
    before = dict(vars(dqn))
    setattr(dqn, name, function)
    try:
        yield
    finally:
        if name in before:
            setattr(dqn, name, before[name])
        else:
            delattr(dqn, name)


# ---------------------------------------------------------------- programs


def batch_of(dqn: Any, args: Args) -> Any:
    """The batch among the arguments, as the module's own `Transition`."""
    make = getattr(dqn, "Transition", Transition)
    return make(*(args[name] for name in FIELDS))


def key_of(args: Args) -> jax.Array:
    """The key among the arguments, whatever kind a hand-in has made the default."""
    return jax.random.wrap_key_data(args["key"], impl="threefry2x32")


def update_Q_TD0(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """Q [S,A], one episode [T] -> Q [S,A]."""
    names = ("Q", "states", "actions", "rewards", "next_states", "terminateds")
    rates = spec["alpha"], spec["gamma"]

    def program(args: Args) -> Args:
        Q = part(dqn, "update_Q_TD0")(*(args[name] for name in names), *rates)
        return {"Q": as_output("update_Q_TD0", Q)}

    return program


def discounted_returns(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """Reward [T] -> returns [T]."""

    def program(args: Args) -> Args:
        returns = part(dqn, "discounted_returns")(args["reward"], spec["gamma"])
        return {"returns": as_output("discounted_returns", returns)}

    return program


def mc_loss(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """theta_Q, one episode [T] -> loss and its gradient in theta_Q."""
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
    """Key [2] -> the parameters of a fresh network, as the list of their leaves."""
    sizes = spec["state_dim"], spec["num_actions"]

    def program(args: Args) -> Args:
        net = fresh_network(dqn, key_of(args), *sizes)
        leaves = jax.tree.leaves(eqx.filter(net, eqx.is_array))
        # NumPy's float64 is float32 in JAX, unless the hand-in asks for more.
        return {"theta": [jnp.asarray(leaf) for leaf in leaves]}

    return program


def epsilon_greedy(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """Key [2], q_values [N,A], epsilon -> actions [N]."""

    def program(args: Args) -> Args:
        key, q_values = key_of(args), args["q_values"]
        actions = part(dqn, "epsilon_greedy")(key, q_values, args["epsilon"])
        return {"actions": as_output("epsilon_greedy", actions)}

    return program


def forward(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """theta, state [B,D] or [D] -> q_values [B,A] or [A]."""
    structure, model = network(dqn, spec)

    def program(args: Args) -> Args:
        net = eqx.combine(jax.tree.unflatten(structure, args["theta"]), model)
        values = net if args["state"].ndim == 1 else jax.vmap(net)
        return {"q_values": as_output("the network", values(args["state"]))}

    return program


def td_loss(dqn: Any, spec: Spec) -> Callable[[Args], Args]:
    """theta_Q, theta_T, a batch -> loss and its gradient in theta_Q."""
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
    """theta_Q, theta_T, a batch, opt_state -> theta_Q, opt_state, loss."""
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
        if not isinstance(result, tuple | list) or len(result) != 3:
            raise ContractError(
                f"td_update returned {describe(result)}, "
                "expected the three (theta_Q, opt_state, loss)"
            )
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
    """What answers a part that is a function of arrays."""
    if name in PROGRAMS:
        return PROGRAMS[name](dqn, spec)

    def program(args: Args) -> Args:
        arguments = [{**spec, **args}[argument] for argument in spec["arguments"]]
        return {"result": as_output(name, part(dqn, name)(*arguments))}

    return program


def as_output(what: str, value: Any) -> jax.Array:
    """A result that may be traced, or a clear word on why it is none."""
    if isinstance(value, tuple | dict):
        raise ContractError(f"{what} returned {describe(value)}, expected one array")
    if isinstance(value, jax.Array):
        return value
    if isinstance(value, list) and any(isinstance(v, jax.Array) for v in value):
        return jnp.stack(value)
    return jnp.asarray(as_array(what, value))


def with_gradient(loss_of: Callable, theta: list[jax.Array]) -> Args:
    """The loss, of whatever shape it is, and the gradient of its sum."""
    loss, pull_back = jax.vjp(loss_of, theta)
    if not jnp.issubdtype(loss.dtype, jnp.floating):
        raise ContractError(f"the loss is of type {loss.dtype}, expected a float")
    return {"loss": loss, "grads": pull_back(jnp.ones_like(loss))[0]}


def describe(value: Any) -> str:
    """What kind of thing a part returned, in a few words."""
    size = f" of {len(value)}" if isinstance(value, tuple | list | dict) else ""
    return f"a {type(value).__name__}{size}"


# ---------------------------------------------------------------- calls


def episode_terminateds(dqn: Any, spec: Spec, args: Args) -> Args:
    """The supplied flags of an episode that ended in a terminal state."""
    flags = part(dqn, "episode_terminateds")(spec["num_steps"])
    return {"terminateds": as_array("episode_terminateds", flags)}


def replay_buffer(dqn: Any, spec: Spec, args: Args) -> Args:
    """Play a script of operations on a new buffer; its lengths and samples in order.

    The script's operations: ["add", i, j] rows i to j-1 of the arguments, ["plain", i,
    j] the same with Python's numbers for NumPy's, ["len"], ["rng", seed] a new
    generator, ["sample", B], ["samples", n, B] n batches stacked, ["reread", k] what
    the k-th sample reads as by now, ["scribble"] overwrite the arrays that `add` was
    handed, for the buffer has to store copies.
    """
    buffer = part(dqn, "ReplayBuffer")(spec["capacity"])
    rng = np.random.default_rng(0)
    lengths: list[int] = []
    batches: list[Any] = []
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
            batches.append(buffer.sample(numbers[0], rng))
            samples.append(batch_fields(batches[-1]))
        elif name == "samples":
            samples.append(stacked_samples(buffer, numbers[0], numbers[1], rng))
        elif name == "reread":
            samples.append(batch_fields(batches[numbers[0]]))
        elif name == "scribble":
            args["state"][...] = args["next_state"][...] = -12345.0
    return {"lengths": lengths, "samples": samples}


def add_rows(buffer: Any, rows: Args, first: int, last: int) -> None:
    """Add rows one by one."""
    for i in range(first, last):
        buffer.add(*(rows[name][i] for name in FIELDS))


def stacked_samples(buffer: Any, n: int, batch_size: int, rng: Any) -> Args:
    """N batches, each field of shape [n,B,...]."""
    batches = [batch_fields(buffer.sample(batch_size, rng)) for _ in range(n)]
    return {name: np.stack([batch[name] for batch in batches]) for name in FIELDS}


def batch_fields(batch: Any) -> Args:
    """A sampled batch's five arrays, from a Transition or a like tuple."""
    if all(hasattr(batch, name) for name in FIELDS):
        values = [getattr(batch, name) for name in FIELDS]
    elif dataclasses.is_dataclass(batch):
        values = [getattr(batch, field.name) for field in dataclasses.fields(batch)]
    elif isinstance(batch, tuple | list):
        values = list(batch)
    else:
        raise ContractError(f"sample returned {describe(batch)}, expected a Transition")
    if len(values) != len(FIELDS):
        raise ContractError(f"sample returned {describe(batch)}, expected 5 fields")
    return {
        name: as_array(f"the sample's {name}", value)
        for name, value in zip(FIELDS, values, strict=True)
    }


def sync_target(dqn: Any, spec: Spec, args: Args) -> Args:
    """The target parameters after this gradient update."""
    structure = structure_of(dqn, spec["net"], spec["state_dim"], spec["num_actions"])
    trees = [
        jax.tree.unflatten(structure, [jnp.asarray(leaf) for leaf in args[name]])
        for name in ("theta_Q", "theta_T")
    ]
    theta_T = part(dqn, "sync_target")(*trees, spec["step"], spec["period"])
    leaves = as_leaves("the returned theta_T", theta_T, structure)
    return {"theta_T": [as_array("a parameter", leaf) for leaf in leaves]}


CALLS: dict[str, Callable[[Any, Spec, Args], Args]] = {
    "episode_terminateds": episode_terminateds,
    "replay_buffer": replay_buffer,
    "sync_target": sync_target,
}
