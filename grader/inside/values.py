"""Check the results of parts and convert them to arrays that can be sent in frames."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from grader.inside.protocol import is_sendable

Args = dict[str, Any]
Spec = dict[str, Any]


class Transition(NamedTuple):
    """One transition or a batch of transitions, with the fields of the contract."""

    state: Any
    action: Any
    reward: Any
    terminated: Any
    next_state: Any


FIELDS = Transition._fields


class ContractError(Exception):
    """Raised if a part is missing or its result has a wrong type or structure."""


def part(dqn: Any, name: str) -> Any:
    """Return a function or class of the hand-in.

    Args:
        dqn: the hand-in's module.
        name: name of the function or class.

    Raises:
        ContractError: the module does not define the name.
    """
    if not hasattr(dqn, name):
        raise ContractError(f"dqn.py does not define `{name}`")
    return getattr(dqn, name)


def as_array(what: str, value: Any) -> np.ndarray:
    """Return a part's result as a NumPy array that can be sent in a frame.

    Args:
        what: name of the result, for messages.
        value: the result.

    Raises:
        ContractError: the result is no array of numbers.
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
    """Return a part's result as one JAX array, which is a tracer during tracing.

    Args:
        what: name of the result, for messages.
        value: the result.

    Raises:
        ContractError: the result is not one array of numbers.
    """
    if isinstance(value, tuple | dict):
        raise ContractError(f"{what} returned {describe(value)}, expected one array")
    if isinstance(value, jax.Array):
        return value
    if isinstance(value, list) and any(isinstance(v, jax.Array) for v in value):
        return jnp.stack(value)
    return jnp.asarray(as_array(what, value))


def as_leaves(what: str, tree: Any, structure: Any) -> list[Any]:
    """Return the leaves of a tree, checked for the tree's structure.

    Args:
        what: name of the tree, for messages.
        tree: a part's result.
        structure: the structure that the tree must have, a JAX tree definition.

    Raises:
        ContractError: the tree has another structure.
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
    """Return a number with a noun: "1 array", "2 arrays".

    Args:
        count: the number.
        one: the noun in the singular.
        many: the noun in the plural; "" for the singular with an "s".
    """
    return f"{count} {one if count == 1 else many or one + 's'}"


def describe(value: Any) -> str:
    """Return the type and the length of a part's result in words, as "a list of 2"."""
    size = f" of {len(value)}" if isinstance(value, tuple | list | dict) else ""
    return f"a {type(value).__name__}{size}"
