"""What a part takes and returns: its arrays and trees, checked and made to travel."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

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


class ContractError(Exception):
    """An answer is not of the kind that the contract asks for."""


def part(dqn: Any, name: str) -> Any:
    """Return the function or class of that name in the module.

    Raises:
        ContractError: the module does not define it.
    """
    if not hasattr(dqn, name):
        raise ContractError(f"dqn.py does not define `{name}`")
    return getattr(dqn, name)


def as_array(what: str, value: Any) -> np.ndarray:
    """Return a part's result as a NumPy array that can travel in a frame.

    Args:
        what: names the result in messages.
        value: the result.

    Raises:
        ContractError: it is no array of numbers.
    """
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


def as_output(what: str, value: Any) -> jax.Array:
    """Return a part's result as one JAX array, which may be a tracer.

    Args:
        what: names the result in messages.
        value: the result.

    Raises:
        ContractError: it is not one array of numbers.
    """
    if isinstance(value, tuple | dict):
        raise ContractError(f"{what} returned {describe(value)}, expected one array")
    if isinstance(value, jax.Array):
        return value
    if isinstance(value, list) and any(isinstance(v, jax.Array) for v in value):
        return jnp.stack(value)
    return jnp.asarray(as_array(what, value))


def as_leaves(what: str, tree: Any, structure: Any) -> list[Any]:
    """Return the leaves of a tree that must have this structure.

    Args:
        what: names the tree in messages.
        tree: a part's result.
        structure: a JAX tree definition.

    Raises:
        ContractError: it has another structure.
    """
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
    """Return a number of things in words: "1 array", "2 arrays"."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def describe(value: Any) -> str:
    """Name the kind of thing that a part returned, in a few words."""
    size = f" of {len(value)}" if isinstance(value, tuple | list | dict) else ""
    return f"a {type(value).__name__}{size}"
