"""Write unusual and hostile programs into a folder: `python crafted.py FOLDER`.

This script needs its own process, because the tests' process must not import JAX. It
numbers the programs. For each program it writes two files, such as 07 and 07.json. The
first file has the program's bytes. The second file has a list of two texts: the
program's name, and a part of the message with which the runner must refuse the program.
This second text is "" if the runner must accept the program.
"""

import dataclasses
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["JAX_PLATFORMS"] = "cpu"
import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from jax._src.lib import _jax
from jax.interpreters import mlir
from jaxlib.mlir import ir

X = jax.ShapeDtypeStruct((6, 6), jnp.float32)
MATRIX = {"x": X}

# StableHLO that says an array of 6 rows has 1 000 000 rows, and sums them.
RESIZED = """
%90 = stablehlo.constant dense<1000000> : tensor<i32>
%91 = stablehlo.set_dimension_size %arg0, %90, dim = 0 :
  (tensor<6x6xf32>, tensor<i32>) -> tensor<?x6xf32, #stablehlo.bounds<6, ?>>
%92 = stablehlo.constant dense<0.0> : tensor<f32>
%93 = stablehlo.reduce(%91 init: %92) applies stablehlo.add across dimensions = [0, 1] :
  (tensor<?x6xf32, #stablehlo.bounds<6, ?>>, tensor<f32>) -> tensor<f32>
%94 = stablehlo.broadcast_in_dim %93, dims = [] : (tensor<f32>) -> tensor<6x6xf32>
return %94 """


def made(function: Callable, *args: Any, platforms: Any = ("cpu",)) -> export.Exported:
    """Export a function as a program.

    Args:
        function: a function that takes arrays and returns arrays.
        args: the shapes and dtypes of its arguments. If none are given, the argument
            is `MATRIX`: a dict with a float32 matrix x [6,6].
        platforms: the names of the platforms on which the program can run.
    """
    return export.export(jax.jit(function), platforms=platforms)(*args or [MATRIX])


def wide(function: Callable) -> export.Exported:
    """Export a function as a program with 64-bit numbers; its argument is `MATRIX`."""
    with jax.enable_x64(True):
        return made(function)


def reworded(exported: export.Exported, *changes: tuple[str, str]) -> export.Exported:
    """Return a copy of the program with changes in the text of its StableHLO module.

    Args:
        exported: the program.
        changes: pairs of an old text, which the module must contain, and its new text.
    """
    text = exported.mlir_module()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    with mlir.make_ir_context():
        module = mlir.module_to_bytecode(ir.Module.parse(text))
    portable = _jax.mlir.serialize_portable_artifact(module, "1.8.0")
    return dataclasses.replace(exported, mlir_module_serialized=portable)


def smooth(args: Any) -> Any:
    """Return tanh(x @ x) for the matrix x in `args`."""
    return {"y": jnp.tanh(args["x"] @ args["x"])}


def factors(args: Any) -> Any:
    """Return the raw QR decomposition of the matrix x in `args`.

    The program has one call of LAPACK.
    """
    return {"y": jnp.linalg.qr(args["x"], mode="raw")[0]}


def orthogonal(args: Any) -> Any:
    """Return Q of the QR decomposition of the matrix x in `args`.

    The program has two calls of LAPACK.
    """
    return {"y": jnp.linalg.qr(args["x"]).Q}


def triangular(args: Any) -> Any:
    """Return the solution Y of the triangular system x Y = B.

    The matrix x is in `args`. B has the first two columns of x.
    """
    solve = jax.lax.linalg.triangular_solve
    return {"y": solve(args["x"], args["x"][:, :2], left_side=True)}


def lower(args: Any) -> Any:
    """Return the LU decomposition of the matrix x in `args`, without the pivots.

    Both factors are in one matrix.
    """
    return {"y": jax.lax.linalg.lu(args["x"])[0]}


def solved(args: Any) -> Any:
    """Return the solution Y of the linear system (x + 9 I) Y = x.

    The matrix x is in `args`. JAX finds the solution by LU decomposition.
    """
    return {"y": jnp.linalg.solve(args["x"] + 9 * jnp.eye(6), args["x"])}


def sorts(args: Any) -> Any:
    """Return results of JAX functions that sort, for keys of many dtypes.

    Args:
        args: a dict with the matrix x [6,6], whose entries are sorted.
    """
    x, key = args["x"], jax.random.key(0)
    flat = x.ravel()
    kinds = (bool, "u1", "i4", "u4", "i8", "f2", jnp.bfloat16, "f4", "f8", "c8", "c16")
    return {
        "every dtype": [jnp.sort(x.astype(kind), axis=0) for kind in kinds],
        "indices": [jnp.argsort(x.astype(kind), stable=False) for kind in kinds],
        "downwards": [jnp.argsort(x.astype(kind), descending=True) for kind in kinds],
        "many keys": jax.lax.sort((x > 0, x, x.astype(int), x), num_keys=3),
        "unstable": jax.lax.sort((x + 1j, x, x), num_keys=2, is_stable=False),
        "lexsort": jnp.lexsort((x, x > 0, x.astype(int))),
        "top_k": [jax.lax.top_k(x.astype(kind), 2) for kind in ("u1", "i4", "f4")],
        "partitions": (jnp.partition(x, 2), jnp.argpartition(x, 2)),
        "statistics": (jnp.median(x), jnp.quantile(x, 0.3), jnp.nanmedian(x, axis=1)),
        "sets": (jnp.unique(x, size=4), jnp.union1d(x, x, size=9)),
        "searched": jnp.searchsorted(flat, flat, method="sort"),
        "shuffled": jax.random.permutation(key, x, axis=1, independent=True),
        "drawn": jax.random.choice(key, 36, (5,), replace=False, p=flat / 9),
    }


def constants(args: Any) -> Any:
    """Return the matrix x in `args`, and constants of many dtypes.

    The constants are arrays of 1, 7 and 300 numbers, and arrays with NaN and infinity.
    StableHLO does not print 300 numbers as readable text.
    """
    kinds = (bool, "u1", "i4", "i8", "f2", jnp.bfloat16, "f4", "f8", "c8", "c16")
    numbers = np.random.default_rng(0).normal(size=300) * 2
    taken = [jnp.asarray(numbers[:n].astype(k)) for k in kinds for n in (1, 7, 300)]
    odd = [jnp.asarray(np.array([np.nan, -np.inf, 1], k)) for k in kinds[4:]]
    return {"y": args["x"], "constants": (taken, odd, jnp.full(9, jnp.nan))}


def padded(args: Any) -> Any:
    """Return the matrix x in `args` after padding, cut to its first 6 rows and columns.

    The padding is positive, negative and between the entries.
    """
    return {"y": jax.lax.pad(args["x"], 0.0, ((900, -900, 0), (2, 1, 1)))[:6, :6]}


def large(args: Any) -> Any:
    """Return the first 6 rows of an array of 777 rows.

    Each entry is the sum of the matrix x in `args`.
    """
    return {"y": jnp.broadcast_to(args["x"].sum(), (777, 6))[:6]}


def with_short_constant() -> export.Exported:
    """Return a program with a constant of 4 numbers whose type says 60 numbers."""
    numbers = np.array([1.25, 2.5, 3.75, 4.125], np.float32)
    honest = made(lambda a: {"y": a["x"] + jnp.asarray(numbers).sum()})
    # The bytes of the constant's type: a code (41), the rank, and the size times 4 + 1.
    old, new = bytes([41, 3, 4 << 2 | 1]), bytes([41, 3, 60 << 2 | 1])
    data = honest.mlir_module_serialized
    assert data.count(old) == 1
    return dataclasses.replace(honest, mlir_module_serialized=data.replace(old, new))


def lines(count: int) -> str:
    """Return lines of a StableHLO program: y = tanh(x), and then often y = y + x.

    Args:
        count: the number of additions.
    """
    first = "%9000000 = stablehlo.tanh %arg0 : tensor<6x6xf32>\n"
    return first + "".join(
        f"%{9000001 + i} = stablehlo.add %{9000000 + i}, %arg0 : tensor<6x6xf32>\n"
        for i in range(count)
    )


def programs() -> dict[str, tuple[Any, str]]:
    """Return all programs by name, each with a part of the expected message.

    A program is an `Exported` of JAX, or bytes. The message is "" if the runner must
    accept the program.
    """
    sizes = export.symbolic_shape("a, a")
    unknown = {"x": jax.ShapeDtypeStruct(sizes, jnp.float32)}
    plain, asked = made(smooth), "others than it was asked for"
    banned, other_device = "which is not allowed", "not for one cpu device"
    tau = ("tensor<6xf32>", "tensor<1xf32>")
    by_no_order = "sorts in a way that JAX does not write"
    column = made(lambda a: {"y": jnp.sort(a["x"], axis=0)})
    places = made(lambda a: {"y": jnp.argsort(a["x"].astype(int), axis=0)})
    tied = made(lambda a: {"y": jax.lax.sort((a["x"] > 0, a["x"]), num_keys=2)[1]})
    less, same = "compare LT, %arg1, %arg2", "compare EQ, %arg1, %arg2"
    return {
        "honest": (plain, ""),
        "orthogonal weights": (made(orthogonal), ""),
        "gelu": (made(lambda a: {"y": jax.nn.gelu(a["x"], approximate=False)}), ""),
        "top_k": (made(lambda a: {"y": jax.lax.top_k(a["x"], 2)[1]}), ""),
        "every sort": (wide(sorts), ""),
        "every constant": (wide(constants), ""),
        "negative padding": (made(padded), ""),
        "sorted by <=": (
            reworded(column, ("is_stable = true", "is_stable = false"), (" LT", " LE")),
            by_no_order,
        ),
        "sorted by what NaN is not": (
            reworded(column, ("TOTALORDER", "FLOAT")),
            by_no_order,
        ),
        "sorted by another zero on one side": (
            reworded(column, ("compare EQ, %arg2, %cst_0", "compare EQ, %arg2, %cst")),
            by_no_order,
        ),
        "sorted by what moves along": (
            reworded(places, (less, "compare LT, %arg1, %arg4")),
            by_no_order,
        ),
        "sorted by one side": (
            reworded(places, (less, "compare LT, %arg1, %arg1")),
            by_no_order,
        ),
        "sorted by integers and <=": (
            reworded(places, (less, "compare LE, %arg1, %arg2")),
            by_no_order,
        ),
        "sorted by keys, ties taken for less": (
            reworded(tied, (same, "compare NE, %arg1, %arg2")),
            by_no_order,
        ),
        "sorted by keys, either of them": (
            reworded(tied, ("stablehlo.and", "stablehlo.or")),
            by_no_order,
        ),
        "sorted by keys, the first downwards": (
            reworded(tied, (less, "compare GT, %arg1, %arg2")),
            by_no_order,
        ),
        "sizes that wrap around": (
            reworded(made(large), ("777x6xf32", f"{1 << 62}x6xf32")),
            "more than 1024 MB",
        ),
        "too much padding": (
            reworded(made(padded), ("900", str(1 << 60))),
            "too much padding",
        ),
        "a size set when it runs": (
            reworded(plain, ("    return %1 ", RESIZED)),
            "set_dimension_size, which is not allowed",
        ),
        "a constant that is too short": (
            with_short_constant(),
            "does not stand in its bytes",
        ),
        "a composite of its own": (
            made(jax.lax.composite(smooth, "my.smooth")),
            "calls my.smooth, which is not allowed",
        ),
        "QR with too small a result": (reworded(made(factors), tau), banned),
        "triangular system": (made(triangular), ""),
        "linear system": (made(solved), ""),
        "Cholesky": (made(lambda a: {"y": jnp.linalg.cholesky(a["x"] @ a["x"].T)}), ""),
        "a system on its other side": (
            reworded(made(triangular), ("side = 76", "side = 82")),
            banned,
        ),
        "LU with too few pivots": (
            reworded(made(lower), ("tensor<6xi32>", "tensor<1xi32>")),
            banned,
        ),
        "singular values": (made(lambda a: {"y": jnp.linalg.svd(a["x"])[1]}), banned),
        "its own random generator": (
            made(lambda a: {"y": jax.lax.rng_uniform(0.0, 1.0, (6,))}),
            banned,
        ),
        "other sizes": (
            made(smooth, {"x": jax.ShapeDtypeStruct((5, 5), jnp.float32)}),
            asked,
        ),
        "another dtype": (
            made(smooth, {"x": jax.ShapeDtypeStruct((6, 6), jnp.int32)}),
            asked,
        ),
        "other names": (made(lambda a: {"y": a["z"]}, {"z": X}), "other arguments"),
        "sizes left open": (made(smooth, unknown), asked),
        "another platform": (made(smooth, platforms=["tpu"]), other_device),
        "two platforms": (made(smooth, platforms=["cpu", "tpu"]), other_device),
        "checks left out": (
            dataclasses.replace(
                plain,
                disabled_safety_checks=(export.DisabledSafetyCheck.custom_call("x"),),
            ),
            "checks left out",
        ),
        "half a gigabyte": (
            made(lambda a: {"y": jnp.broadcast_to(a["x"].sum(), (1 << 14, 1 << 13))}),
            "at most 32 are taken",
        ),
        "too many operations": (
            reworded(plain, ("    return %1 ", f"{lines(50_100)} return %9050100 ")),
            "more than 50000 operations",
        ),
        "a derivative": (
            bytes(plain.serialize(vjp_order=1)),
            "comes with a derivative, which was not asked",
        ),
        "nothing": (b"", "not a program"),
    }


if __name__ == "__main__":
    for number, (name, (program, said)) in enumerate(programs().items()):
        data = program if isinstance(program, bytes) else bytes(program.serialize())
        path = Path(sys.argv[1]) / f"{number:02}"
        path.write_bytes(data)
        path.with_suffix(".json").write_text(json.dumps([name, said]))
