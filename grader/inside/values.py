"""Check the results of parts and convert them to arrays that can be sent in frames."""

from collections import deque
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from grader.inside.explanations.names import renamed
from grader.inside.protocol import is_sendable

Args = dict[str, Any]
Spec = dict[str, Any]


class Transition(NamedTuple):
    """One transition or a batch of transitions, with the five fields of the homework.

    It is used if the hand-in does not define a class `Transition`.
    """

    state: Any
    action: Any
    reward: Any
    terminated: Any
    next_state: Any


FIELDS = Transition._fields
UPDATE = "(theta_Q, opt_state, loss)"
MAX_ITEMS = 5  # items of a tuple or list that a message names one by one
NUMBERS = bool | int | float | complex | np.generic | np.ndarray | jax.Array


class ContractError(Exception):
    """Raised if a part is missing or its result has a wrong type or structure.

    It is also raised if a part calls an exported program, which is not allowed.
    """


def part(dqn: Any, name: str) -> Any:
    """Return a function or class of the hand-in.

    Args:
        dqn: the hand-in's module.
        name: name of the function or class.

    Raises:
        ContractError: the module does not define the name, or gives it a value that
            cannot be called.
    """
    if not hasattr(dqn, name):
        known = [other for other, value in vars(dqn).items() if callable(value)]
        other = renamed(name, known)
        meant = f", but it has `{other}`" if other else ""
        raise ContractError(f"dqn.py does not define `{name}`{meant}")
    value = getattr(dqn, name)
    if not callable(value):
        raise ContractError(
            f"`{name}` is {describe(value)} in dqn.py and cannot be called: does a "
            f"line `{name} = …` give the name another value?"
        )
    return value


def as_array(what: str, value: Any) -> np.ndarray:
    """Return a part's result as a NumPy array that can be sent in a frame.

    Args:
        what: name of the result, for messages.
        value: the result.

    Raises:
        ContractError: the result is no array of numbers.
    """
    if value is None:
        raise ContractError(f"{what} is None: is a `return` missing?")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        raise ContractError(
            f"{what} is {describe(value)}: no array of numbers"
        ) from None
    # The type longdouble has other names: float128 on Linux.
    if array.dtype.name == "bfloat16" or array.dtype.type is np.longdouble:
        array = array.astype(np.float32)
    if array.dtype == object:
        raise ContractError(f"{what} is {objects_in(value, array)}")
    if not is_sendable(array.dtype):
        raise ContractError(f"{what} is {describe(value)}, expected numbers")
    return np.array(array)


def objects_in(value: Any, array: np.ndarray) -> str:
    """Describe a part's result that is no array of numbers, for an error message.

    Args:
        value: the part's result.
        array: the array of Python objects that NumPy has made from the result.

    Returns:
        For example "an array of type object, shape (3,), with None in it: …".
    """
    if array.ndim == 0:
        return f"{describe(value)}, expected numbers"
    odd = [x for x in array.flat if not isinstance(x, NUMBERS)]
    if any(x is None for x in odd):
        return f"{describe(array)}, with None in it: each entry has to be a number"
    if odd:
        return f"{describe(array)}, with {describe(odd[0])} in it, expected numbers"
    return f"{describe(array)}, which holds Python objects: give it a type of numbers"


def as_output(what: str, value: Any) -> jax.Array:
    """Return a part's result as one JAX array.

    While the part is traced, this array is a tracer. A list (or deque) with JAX arrays
    in it, or lists of them, is stacked.

    Args:
        what: name of the part, for messages.
        value: the part's result.

    Raises:
        ContractError: the result is not one array of numbers.
    """
    if value is None or isinstance(value, tuple | dict):
        raise ContractError(returned(what, value, "one array"))
    if isinstance(value, jax.Array):
        return value
    items = list(value) if isinstance(value, list | deque) else []
    if any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(items)):
        try:
            return jnp.asarray(items)
        except (TypeError, ValueError):
            raise ContractError(returned(what, value, "one array")) from None
    return jnp.asarray(as_array(f"the result of {what}", value))


def as_leaves(what: str, tree: Any, structure: Any) -> list[Any]:
    """Return the leaves of a tree that has the expected structure.

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
        size = counted(arrays, "array")
        wanted = structure.num_leaves
        why = "arranged otherwise" if len(leaves) == wanted else f"expected {wanted}"
        if others := len(leaves) - arrays:
            size += f" and {counted(others, 'other leaf', 'other leaves')}"
            why += " arrays alone: is it the whole network?"
        raise ContractError(
            f"{what} is not the kind of tree that came in: it has {size}, {why}"
        )
    return leaves


def require_update(result: Any, structure: Any, state_structure: Any) -> None:
    """Check that `td_update` returned theta_Q, opt_state and loss, in this order.

    The structures serve only to recognise the order. Whether each result has the right
    structure is checked by `as_leaves`.

    Args:
        result: result of `td_update`.
        structure: the right tree structure of theta_Q.
        state_structure: the right tree structure of the optimizer's state.

    Raises:
        ContractError: `result` is no tuple or list, does not have three items, or their
            order is wrong.
    """
    if not isinstance(result, tuple | list):
        raise ContractError(returned("td_update", result, f"the three {UPDATE}"))
    expected = ["a tree of parameters", "an optimizer's state", "a number"]

    def kind(item: Any) -> str:
        if jax.tree.structure(item) == structure:
            return expected[0]
        if jax.tree.structure(item) == state_structure:
            return expected[1]
        one = isinstance(item, int | float) or getattr(item, "shape", None) == ()
        return expected[2] if one else describe(item)

    found = [kind(item) for item in result[:9]]
    what = f"td_update returned ({', '.join(found)})"
    if len(result) == 3 and sorted(found) == sorted(expected) and found != expected:
        raise ContractError(f"{what}: the order is {UPDATE}")
    if len(result) != 3:
        more = [name for name in found if found.count(name) > expected.count(name)]
        end = f": {more[-1]} too many" if len(result) == 4 and more else ""
        raise ContractError(f"{what}, expected the three {UPDATE}{end}")


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun: "1 array" or "2 arrays".

    Args:
        count: the number.
        one: the noun in the singular.
        many: the noun in the plural; "" if the plural is the singular with an "s".
    """
    return f"{count} {one if count == 1 else many or one + 's'}"


def returned(what: str, value: Any, expected: str) -> str:
    """Return a message that says what a part has returned and what it should return.

    Args:
        what: name of the part.
        value: the part's result.
        expected: what the part should return, for example "one array".
    """
    missing = ": is a `return` missing?" if value is None else ""
    return f"{what} returned {describe(value)}, expected {expected}{missing}"


def describe(value: Any) -> str:
    """Return a few words that describe a part's result, for example "a dict of 3".

    For an array, the words say its dtype and shape. For a tuple or list of at most
    MAX_ITEMS items, the words say the type of each item.
    """
    if value is None:
        return "None"
    if isinstance(value, jax.Array | np.ndarray):
        return f"an array of type {value.dtype}, shape {value.shape}"
    if isinstance(value, tuple | list | dict):
        size = len(value)
        if isinstance(value, dict) or not 0 < size <= MAX_ITEMS:
            return f"a {type(value).__name__} of {size}"
        return f"a {type(value).__name__} ({', '.join(map(name_of, value))})"
    return f"a {type(value).__name__}"


def name_of(item: Any) -> str:
    """Return the name of the type of an item, for example "str" or "None".

    For an array, this is its dtype and shape, for example "int32[5]".
    """
    if isinstance(item, jax.Array | np.ndarray):
        return f"{item.dtype}[{','.join(map(str, item.shape))}]"
    return "None" if item is None else type(item).__name__
