"""Read types, attributes and constants of StableHLO operations."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo as hlo

from grader.inside.operations import UNBUFFERED, kind_of, printed_bytes

Kind = tuple[tuple[int, ...], np.dtype]  # shape and dtype of an array

DTYPES = {
    "i1": np.dtype(bool),
    **{f"i{bits}": np.dtype(f"int{bits}") for bits in (8, 16, 32, 64)},
    **{f"ui{bits}": np.dtype(f"uint{bits}") for bits in (8, 16, 32, 64)},
    **{f"f{bits}": np.dtype(f"float{bits}") for bits in (16, 32, 64)},
    "bf16": np.dtype(jnp.bfloat16),
    "complex<f32>": np.dtype("complex64"),
    "complex<f64>": np.dtype("complex128"),
}


class Untranslatable(Exception):
    """Raised for a program that cannot be translated; the message names the reason."""


def short_name(operation: ir.Operation) -> str:
    """Return an operation's name without the dialect: "add" for "stablehlo.add"."""
    return operation.name.partition(".")[2]


def array_kind(value: ir.Value) -> Kind:
    """Return the shape and the dtype of a value of a program."""
    shape, element = kind_of(value)
    return shape, DTYPES[element]


def constant_array(operation: ir.Operation) -> np.ndarray:
    """Return the array that an operation `constant` contains."""
    shape, element = kind_of(operation.results[0])
    if element in UNBUFFERED:
        data = printed_bytes(str(operation), UNBUFFERED[element])
        array = np.frombuffer(data, DTYPES[element])
        return array.reshape(shape) if array.size > 1 else np.full(shape, array)
    value = ir.DenseElementsAttr(operation.attributes["value"])
    if value.is_splat and element == "i1":
        return np.full(shape, ir.BoolAttr(value.get_splat_value()).value)
    return np.array(value, DTYPES[element]).reshape(shape)


def integers(
    operation: ir.Operation, name: str, default: tuple[int, ...] = ()
) -> tuple[int, ...]:
    """Return the integers in an attribute of an operation, as a tuple.

    Args:
        operation: the operation.
        name: name of the attribute.
        default: the result if the operation does not have this attribute.
    """
    if name not in operation.attributes:
        return default
    attribute: Any = operation.attributes[name]
    return tuple(int(number) for number in attribute)


def integer(operation: ir.Operation, name: str) -> int:
    """Return the integer in the attribute `name` of an operation."""
    return ir.IntegerAttr(operation.attributes[name]).value


def flag(operation: ir.Operation, name: str) -> bool:
    """Return the bool in the attribute `name` of an operation.

    The result is False if the operation does not have this attribute.
    """
    present = name in operation.attributes
    return present and ir.BoolAttr(operation.attributes[name]).value


def comparison(operation: ir.Operation) -> tuple[str, bool]:
    """Return the direction of an operation `compare`, and whether its order is total.

    Returns:
        A pair (direction, is_total). `direction` is "EQ", "NE", "LT", "LE", "GT" or
        "GE". `is_total` is True if floats are compared by their total order, in which
        NaN is the largest number.
    """
    attribute = operation.attributes["comparison_direction"]
    kind = str(operation.attributes.get("compare_type", None))
    direction = hlo.ComparisonDirectionAttr(attribute).value
    return direction, kind.endswith(" TOTALORDER>")


def pairs(numbers: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return the numbers [a, b, c, d, ...] as pairs [(a, b), (c, d), ...]."""
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def rank(value: ir.Value) -> int:
    """Return the number of axes of a value of a program."""
    return len(kind_of(value)[0])
