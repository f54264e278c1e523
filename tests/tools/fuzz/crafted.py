"""Programs as no honest hand-in makes them: `crafted.py FOLDER` writes them as files.

A process of its own makes them, for JAX has no business among the tests. Beside each
lies what the runner should say of it, "" where it should take it, and whether it is
asked for with its derivative.
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
# Asked for with their derivative; all others without.
WITH_DERIVATIVE = {
    *("its derivative", "no derivative of its own", "a derivative of something else"),
    *("a derivative that calls out", "a derivative of less"),
}


# The sum of as many rows as an array is told to have; there are 6.
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
    """Return the function as an exported program."""
    return export.export(jax.jit(function), platforms=platforms)(*args or [MATRIX])


def wide(function: Callable) -> export.Exported:
    """Return the same of a hand-in that computes with 64 bits."""
    with jax.enable_x64(True):
        return made(function)


def reworded(exported: export.Exported, *changes: tuple[str, str]) -> export.Exported:
    """Return the program with other words in its module."""
    text = exported.mlir_module()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    with mlir.make_ir_context():
        module = mlir.module_to_bytecode(ir.Module.parse(text))
    portable = _jax.mlir.serialize_portable_artifact(module, "1.8.0")
    return dataclasses.replace(exported, mlir_module_serialized=portable)


def smooth(args: Any) -> Any:
    """Return what any hand-in could hand over."""
    return {"y": jnp.tanh(args["x"] @ args["x"])}


def factors(args: Any) -> Any:
    """Return the QR decomposition, as it comes from LAPACK."""
    return {"y": jnp.linalg.qr(args["x"], mode="raw")[0]}


def orthogonal(args: Any) -> Any:
    """Both calls of LAPACK."""
    return {"y": jnp.linalg.qr(args["x"]).Q}


def triangular(args: Any) -> Any:
    """Return a triangular system, its matrix on the left."""
    solve = jax.lax.linalg.triangular_solve
    return {"y": solve(args["x"], args["x"][:, :2], left_side=True)}


def lower(args: Any) -> Any:
    """Return the factors of LU alone."""
    return {"y": jax.lax.linalg.lu(args["x"])[0]}


def solved(args: Any) -> Any:
    """Return a linear system, by LU."""
    return {"y": jnp.linalg.solve(args["x"] + 9 * jnp.eye(6), args["x"])}


def sorts(args: Any) -> Any:
    """Whatever of JAX sorts, by keys of all kinds."""
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
    """Constants of every dtype: one number, a few and more than are printed."""
    kinds = (bool, "u1", "i4", "i8", "f2", jnp.bfloat16, "f4", "f8", "c8", "c16")
    numbers = np.random.default_rng(0).normal(size=300) * 2
    taken = [jnp.asarray(numbers[:n].astype(k)) for k in kinds for n in (1, 7, 300)]
    odd = [jnp.asarray(np.array([np.nan, -np.inf, 1], k)) for k in kinds[4:]]
    return {"y": args["x"], "constants": (taken, odd, jnp.full(9, jnp.nan))}


def padded(args: Any) -> Any:
    """Pad in all ways, and cut the padding off again."""
    return {"y": jax.lax.pad(args["x"], 0.0, ((900, -900, 0), (2, 1, 1)))[:6, :6]}


def large(args: Any) -> Any:
    """Return an array that is large while it is made."""
    return {"y": jnp.broadcast_to(args["x"].sum(), (777, 6))[:6]}


def with_short_constant() -> export.Exported:
    """Return a program with a constant of 4 numbers whose type says 60."""
    numbers = np.array([1.25, 2.5, 3.75, 4.125], np.float32)
    honest = made(lambda a: {"y": a["x"] + jnp.asarray(numbers).sum()})
    # A type of tensors: its code, its rank, its size; that of the constant alone.
    old, new = bytes([41, 3, 4 << 2 | 1]), bytes([41, 3, 60 << 2 | 1])
    data = honest.mlir_module_serialized
    assert data.count(old) == 1
    return dataclasses.replace(honest, mlir_module_serialized=data.replace(old, new))


def with_other_derivative(order: int) -> bytes:
    """Return a good program with a derivative that is none, or that is not allowed."""
    honest = made(smooth)
    other = [
        made(lambda x, slope: (x[:3],), X, X),
        made(lambda x, slope: (jnp.linalg.svd(x)[0],), X, X),
        made(lambda x: (x,), X),
    ][order]
    changed = dataclasses.replace(honest, _get_vjp=lambda _: other)
    return bytes(changed.serialize(vjp_order=1))


def lines(count: int) -> str:
    """So many additions, one after the other."""
    first = "%9000000 = stablehlo.tanh %arg0 : tensor<6x6xf32>\n"
    return first + "".join(
        f"%{9000001 + i} = stablehlo.add %{9000000 + i}, %arg0 : tensor<6x6xf32>\n"
        for i in range(count)
    )


def programs() -> dict[str, tuple[Any, str]]:
    """Each with what should be said of it."""
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
        "a derivative": (bytes(plain.serialize(vjp_order=1)), "with its derivative"),
        "its derivative": (bytes(plain.serialize(vjp_order=1)), ""),
        "no derivative of its own": (plain, "with its derivative"),
        "nothing": (b"", "not a program"),
        "a derivative of something else": (with_other_derivative(0), "other shapes"),
        "a derivative that calls out": (with_other_derivative(1), banned),
        "a derivative of less": (with_other_derivative(2), asked),
    }


if __name__ == "__main__":
    for number, (name, (program, said)) in enumerate(programs().items()):
        data = program if isinstance(program, bytes) else bytes(program.serialize())
        path = Path(sys.argv[1]) / f"{number:02}"
        path.write_bytes(data)
        path.with_suffix(".json").write_text(
            json.dumps([name, said, name in WITH_DERIVATIVE])
        )
