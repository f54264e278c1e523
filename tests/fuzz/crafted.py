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


def made(function: Callable, *args: Any, platforms: Any = ("cpu",)) -> export.Exported:
    """The function as an exported program."""
    return export.export(jax.jit(function), platforms=platforms)(*args or [MATRIX])


def reworded(exported: export.Exported, *changes: tuple[str, str]) -> export.Exported:
    """The program with other words in its module."""
    text = exported.mlir_module()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    with mlir.make_ir_context():
        module = mlir.module_to_bytecode(ir.Module.parse(text))
    portable = _jax.mlir.serialize_portable_artifact(module, "1.8.0")
    return dataclasses.replace(exported, mlir_module_serialized=portable)


def smooth(args: Any) -> Any:
    """What any hand-in could hand over."""
    return {"y": jnp.tanh(args["x"] @ args["x"])}


def factors(args: Any) -> Any:
    """The QR decomposition, as it comes from LAPACK."""
    return {"y": jnp.linalg.qr(args["x"], mode="raw")[0]}


def orthogonal(args: Any) -> Any:
    """Both calls of LAPACK."""
    return {"y": jnp.linalg.qr(args["x"]).Q}


def triangular(args: Any) -> Any:
    """A triangular system, its matrix on the left."""
    solve = jax.lax.linalg.triangular_solve
    return {"y": solve(args["x"], args["x"][:, :2], left_side=True)}


def lower(args: Any) -> Any:
    """The factors of LU alone."""
    return {"y": jax.lax.linalg.lu(args["x"])[0]}


def solved(args: Any) -> Any:
    """A linear system, by LU."""
    return {"y": jnp.linalg.solve(args["x"] + 9 * jnp.eye(6), args["x"])}


def with_other_derivative(order: int) -> bytes:
    """A good program with a derivative that is none, or that calls what it may not."""
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
    return {
        "honest": (plain, ""),
        "orthogonal weights": (made(orthogonal), ""),
        "gelu": (made(lambda a: {"y": jax.nn.gelu(a["x"], approximate=False)}), ""),
        "top_k": (made(lambda a: {"y": jax.lax.top_k(a["x"], 2)[1]}), ""),
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
