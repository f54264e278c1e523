"""The translation of a program computes the same values and gradients as the program.

It is a JAX function, made by reading the program operation by operation.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export, lax
from jax.interpreters import mlir
from jaxlib.mlir import ir

from grader.inside import worker
from grader.inside.networks import own_network
from grader.inside.parts import program_of
from grader.inside.programs import checked
from grader.inside.translation.attributes import Untranslatable
from grader.inside.translation.blocks import Run
from grader.inside.translation.translate import Reader, translated
from tests.corpus.variants import VARIANTS, WHOLE
from tests.support.edits import SOLUTION

SPEC = {"net": "own", "state_dim": 4, "num_actions": 2}
NETWORKS = {
    "solution": SOLUTION,
    **{v.id: v.source for v in VARIANTS if v.name.startswith("q_network: ")},
    **{v.id: v.source for v in WHOLE},
}
# XLA compiles faster without its optimisations.
jitted = partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
X = np.random.default_rng(0).normal(size=5).astype(np.float32)
MATRICES = np.random.default_rng(1).normal(size=(3, 5, 5)).astype(np.float32)


@pytest.fixture(autouse=True)
def settings_of_jax() -> Iterator[None]:
    """Set JAX up as the worker does; restore the settings after the test."""
    worker.prepare_jax()
    names = ("jax_enable_x64", "jax_numpy_rank_promotion")
    before = {name: getattr(jax.config, name) for name in names}
    yield
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.fixture
def runner_settings(settings_of_jax: None) -> None:
    """Enable 64-bit types, as the runner does."""
    jax.config.update("jax_enable_x64", True)


def translation_of(function: Callable, *arrays: Any) -> Callable[..., list[Any]]:
    """Export a function, translate the exported program, and return the translation.

    Args:
        function: the function.
        arrays: its arguments, of which only shapes and dtypes matter.

    Returns:
        A function of such arrays that returns the results as a list.
    """
    args = list(arrays)
    program = jax.jit(lambda args: function(*args))
    data = export.export(program, platforms=["cpu"])(args).serialize()
    return translated(checked(bytes(data), args))


def functional(function: Callable, arrays: Any) -> Any:
    """Return the results of a function, and the gradient of their weighted sum.

    The weights are different numbers, so that a wrong gradient is noticed.

    Args:
        function: the function.
        arrays: a list of its arguments.
    """

    def total(arrays: Any) -> Any:
        results = [jnp.asarray(x) for x in jax.tree.leaves(function(*arrays))]
        floats = [x for x in results if jnp.issubdtype(x.dtype, jnp.floating)]
        weights = [jnp.cos(1 + jnp.arange(x.size)).reshape(x.shape) for x in floats]
        terms = [jnp.vdot(x, w) for x, w in zip(floats, weights, strict=True)]
        return sum(terms, jnp.zeros(())), results

    (_, results), slopes = jax.value_and_grad(total, has_aux=True)(arrays)
    return results, slopes


def assert_same(found: Any, expected: Any) -> None:
    """Fail unless two pairs of results and gradients, from `functional`, are close."""
    for tolerance, *sides in zip((1e-6, 1e-5), found, expected, strict=True):
        leaves = [jax.tree.leaves(side) for side in sides]
        assert len(leaves[0]) == len(leaves[1])
        for a, b in zip(*leaves, strict=True):
            assert a.dtype == b.dtype
            assert np.isfinite(b).all()
            size = float(np.abs(b).max(initial=0))
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * size)


def assert_equal_functions(function: Callable, *arrays: Any) -> None:
    """Fail unless a function and its translation have the same results and gradients.

    Args:
        function: the function.
        arrays: its arguments.
    """
    given = [jnp.asarray(array) for array in arrays]
    ours = translation_of(function, *given)
    found, expected = jitted(
        lambda given: (functional(ours, given), functional(function, given))
    )(given)
    assert_same(found, expected)


# ------------------------------------------------------------------- hand-ins


def generic_theta(dqn: Any) -> list[np.ndarray]:
    """Return random parameters for a hand-in's network; none of them is 0.

    Those in vectors lie between 0.5 and 1.5.
    """
    rng = np.random.default_rng(3)
    theta = []
    for leaf in jax.tree.leaves(own_network(dqn, 4, 2)[0]):
        values = rng.uniform(0.5, 1.5, leaf.shape)
        if len(leaf.shape) > 1:
            values = rng.normal(size=leaf.shape) / np.sqrt(leaf.shape[-1])
        theta.append(values.astype(jax.dtypes.canonicalize_dtype(leaf.dtype)))
    return theta


@pytest.mark.parametrize("source", NETWORKS.values(), ids=NETWORKS.keys())
@pytest.mark.filterwarnings("ignore")
def test_right_networks(source):
    """The translation of a right network computes the same values and gradients.

    This also holds under `vmap`.
    """
    hand_in = worker.Worker()
    hand_in.load_text(source, Path("dqn.py").resolve())
    theta, rng = generic_theta(hand_in.dqn), np.random.default_rng(4)
    states = rng.normal(size=(3, 4)).astype(np.float32)
    args = {"theta": theta, "state": states[0]}
    data = hand_in.do_export("forward", SPEC, args, ["cpu"])["program"].tobytes()
    ours = translated(checked(data, args))
    theirs = program_of(hand_in.dqn, "forward", SPEC)

    def mapped(network: Callable) -> Any:
        def of_one(state: Any) -> Any:
            return functional(network, [theta, state])

        return jax.vmap(of_one)(states)

    found, expected = jitted(
        lambda: (
            mapped(lambda theta, state: ours(state, *theta)),
            mapped(lambda theta, state: theirs({"theta": theta, "state": state})),
        )
    )()
    assert_same(found, expected)


# ----------------------------------------------------------------- operations


def activations(x: Any) -> Any:
    """Compute activation functions and other elementwise functions."""
    size = jnp.abs(x)
    names = "gelu silu elu selu mish softplus log_sigmoid hard_swish squareplus relu6"
    smooth = [getattr(jax.nn, name)(x) for name in names.split()]
    exact = jax.nn.gelu(x, approximate=False), lax.erf_inv(x / 9), lax.erfc(x)
    powers = size**1.3, x**3, x**-2, jnp.cbrt(x), lax.rsqrt(size), jnp.exp2(x)
    angles = jnp.arctan2(x, 2), jnp.sinh(x), jnp.tan(x), jnp.arcsinh(x), jnp.sinc(x)
    steps = jnp.rint(x), jnp.trunc(x), jnp.floor(x), jnp.ceil(x), jnp.mod(x, 0.7)
    rounded = lax.round(x * 2, lax.RoundingMethod.AWAY_FROM_ZERO)
    return smooth, exact, powers, angles, steps, rounded, jnp.log1p(size), jnp.expm1(x)


def reductions(x: Any) -> Any:
    """Compute sums, maxima, products and other reductions."""
    place = jnp.argmax(x), jnp.argmin(jnp.outer(x, x), axis=1)
    odd = lax.reduce(x, np.float32(0), lambda a, b: a + b + a * b, (0,))
    both = jnp.any(x > 0), jnp.all(x > 0)
    others = x.var(), x.max(), x.min(), jnp.prod(x), jax.nn.logsumexp(x)
    return place, odd, both, others, jax.nn.softmax(x), jnp.cumsum(x), lax.cummax(x)


def indexing(x: Any) -> Any:
    """Read and write entries of an array, some of them at indices that depend on x."""
    i = (jnp.abs(x[0]) * 9).astype(int)
    taken = jnp.take(x, jnp.array([3, -1])), x[jnp.array([0, 0])], x[i], x[::-2]
    cut = lax.dynamic_slice(x, (i,), (2,))
    put = (
        lax.dynamic_update_slice(x, 3 * x[:2], (i,)),
        x.at[jnp.array([1, 1])].add(x[2]),
    )
    changed = x.at[jnp.array([1, 9])].set(x[2]), x.at[i].multiply(x[3])
    padded = jnp.pad(x, (1, 2), constant_values=7.0), jnp.roll(x, 2)
    return taken, cut, put, changed, padded, lax.pad(x, x[0], [(-1, 2, 1)])


def orders(x: Any) -> Any:
    """Sort the entries of x, and search for them in a sorted table."""
    table = jnp.linspace(-2, 2, 9)
    pairs = lax.sort((jnp.round(x), x), num_keys=2)
    searched = jnp.searchsorted(table, x), jnp.interp(x, table, jnp.sin(table))
    return jnp.sort(x), jnp.argsort(-x), jnp.median(x), pairs, searched, lax.top_k(x, 2)


def branches(x: Any) -> Any:
    """Choose among functions; some conditions depend on x, and one is constant."""
    index = (jnp.abs(x) * 10).astype(int)[0] % 3
    chosen = lax.switch(index, [lambda: x**2, lambda: jnp.exp(x), lambda: x * 3])
    table = jnp.arange(6).reshape(2, 3).T[:, 1:]  # [3], [4], [5]
    fixed = lax.cond(table[1, 0] > 3, lambda: x * 2, lambda: x * 3)
    return chosen, fixed, lax.cond(x.sum() > 0, jnp.sin, jnp.cos, x)


def number_types(x: Any) -> Any:
    """Compute with arrays and constants of all number types."""
    types = "bool int8 uint16 int64 float16 bfloat16 float64 complex64 complex128"
    several = [jnp.array([0, 1, 2, 3, 4]).astype(name) for name in types.split()]
    written = [jnp.array([0.5, 1, 2, 3, 4], name) for name in ("bfloat16", "complex64")]
    one = [jnp.full(5, 1, name) for name in types.split()]
    products = [(x * c).real.astype(jnp.float32) for c in several + written + one]
    bits = jnp.bitwise_count((x * 9).astype(int)), lax.clz((x * 9).astype(jnp.int32))
    return products, bits, jnp.abs(jnp.fft.rfft(x)), lax.reduce_precision(x, 8, 7)


def windows(x: Any, images: Any) -> Any:
    """Compute pools and a convolution with unusual strides, paddings and dilations."""
    pools = eqx.nn.MaxPool1d(3, 2, padding=1), eqx.nn.AvgPool1d(2, 1)
    convolved = lax.conv_general_dilated(
        images[None],
        images[:, :2, :4].reshape(2, 2, 2, 3)[:, :, :1],
        window_strides=(1, 2),
        padding=[(1, 0), (0, 2)],
        lhs_dilation=(2, 1),
        rhs_dilation=(1, 2),
        dimension_numbers=("NCHW", "HWIO", "NHWC"),
        feature_group_count=3,
    )
    return [pool(x[None]) for pool in pools], convolved


def random_numbers(x: Any) -> Any:
    """Compute with random numbers of a fixed key."""
    key = jax.random.key(3)
    return x * jax.random.normal(key, (5,)), jax.random.bernoulli(key, 0.3, (5,))


def unused(x: Any, y: Any, z: Any) -> Any:
    """Return twice the second argument, and a constant; ignore x and z."""
    return 2 * y, jnp.ones(3)


@pytest.mark.usefixtures("runner_settings")
@pytest.mark.parametrize(
    ("function", "arrays"),
    [
        (activations, [X]),
        (reductions, [X]),
        (indexing, [X]),
        (orders, [X]),
        (branches, [X]),
        (number_types, [X]),
        (windows, [X, MATRICES]),
        (random_numbers, [X]),
        (unused, [X, X, X]),
        (lambda x: jnp.einsum("bij,bjk->kb", x, x[::-1]), [MATRICES]),
        (lambda x: jax.checkpoint(lambda y: jnp.tanh(y) * y)(x), [X]),
    ],
)
def test_operations(function, arrays):
    """The translation of a function computes the same values and gradients."""
    assert_equal_functions(function, *arrays)


@pytest.mark.usefixtures("runner_settings")
def test_loops_of_known_length():
    """A loop whose length is known is unrolled.

    In an exported program, a scan over layers is such a loop.
    """

    def layers(x: Any, matrices: Any) -> Any:
        def layer(h: Any, W: Any) -> Any:
            return jnp.tanh(W @ h), h

        forward = lax.scan(layer, x, matrices)
        backward = lax.scan(layer, x, matrices, reverse=True)
        return (
            forward,
            backward,
            lax.fori_loop(1, 3, lambda i, h: h * matrices[i, 0], x),
        )

    assert_equal_functions(layers, X, MATRICES)


def test_subgradients_at_zero():
    """At 0 the translation of softplus has the derivative ½, and that of |x| has 0."""
    zeros = jnp.zeros(3)
    for function, slope in ((jax.nn.softplus, 0.5), (jnp.abs, 0.0)):
        ours = translation_of(function, zeros)
        slopes = jax.grad(lambda x, ours=ours: ours(x)[0].sum())(zeros)
        assert slopes.tolist() == [slope] * 3


# ---------------------------------------------------------------------- tricks


def test_derivative_is_that_of_the_values():
    """A translation's gradient follows from its values; `custom_vjp` has no effect."""

    @jax.custom_vjp
    def square(x: Any) -> Any:
        return x**2

    square.defvjp(lambda x: (x**2, x), lambda x, g: (100.0 * g,))
    ours = translation_of(square, np.float32(3.0))
    assert jax.grad(square)(3.0) == 100.0
    assert jax.grad(lambda x: ours(x)[0])(3.0) == 6.0


def test_rows_do_not_see_each_other():
    """Under `vmap`, a translation computes each row alone; it ignores `custom_vmap`."""

    @jax.custom_batching.custom_vmap
    def network(x: Any) -> Any:
        return 2 * x

    @network.def_vmap
    def rule(size: int, batched: Any, x: Any) -> Any:
        return x - x.mean(axis=0), True

    ours = translation_of(network, X)
    rows = jnp.stack([X, X + 1])
    assert (jax.vmap(network)(rows) == rows - rows.mean(axis=0)).all()
    assert (jax.vmap(ours)(rows)[0] == 2 * rows).all()


# --------------------------------------------------------------------- refusals


def noise(x: Any) -> Any:
    """Compute with random numbers of the device's own generator."""
    return x * jax.random.uniform(jax.random.key(0, impl="rbg"), x.shape)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (noise, "stablehlo.rng_bit_generator"),
        (lambda x: jnp.linalg.qr(jnp.outer(x, x))[0], "custom_call lapack_sgeqrf_ffi"),
        (lambda x: x.at[0].max(x[1]), "stablehlo.scatter"),
    ],
)
def test_unknown_operations(function, name):
    """A program with an unknown operation is refused; the message names it."""
    with pytest.raises(Untranslatable, match=name):
        translation_of(function, X)


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (partial(lax.while_loop, lambda x: x.sum() < 9, lambda x: x + 1), "while"),
        (partial(lax.fori_loop, 0, 9999, lambda i, x: x + i), "more than 20000"),
    ],
)
def test_loops_that_cannot_be_unrolled(function, problem):
    """A loop of unknown length, or of more than 20000 operations, is refused.

    The refusal comes when the translation is called.
    """
    ours = translation_of(function, X)
    with pytest.raises(Untranslatable, match=problem):
        ours(X)


@pytest.mark.filterwarnings("ignore")
def test_types_that_jax_does_not_keep():
    """A program with 64-bit types is refused if JAX's 64-bit types are off."""
    with jax.enable_x64(True):
        ours = translation_of(lambda x: x.astype(jnp.float64) * 2, X)
    with jax.enable_x64(False), pytest.raises(Untranslatable, match="another shape or"):
        ours(X)


def run_text(text: str, *arrays: Any) -> list[Any]:
    """Translate a program that is given as text, and return its results.

    The text allows programs that JAX would not export.

    Args:
        text: the program in StableHLO.
        arrays: its arguments.
    """
    with mlir.make_ir_context():
        main = Reader(ir.Module.parse(text)).function("main")
    return Run().block(main, [jnp.asarray(array) for array in arrays])


def test_function_that_calls_itself():
    """A program whose function calls itself is refused."""
    text = """func.func @main(%x: tensor<f32>) -> tensor<f32> {
      %y = call @main(%x) : (tensor<f32>) -> tensor<f32>
      return %y : tensor<f32> }"""
    with pytest.raises(Untranslatable, match="more than 40 loops and calls"):
        run_text(text, np.float32(1))


def test_endless_loop_of_no_operations():
    """An endless loop is refused, even if its body has no operation."""
    text = """func.func @main() -> tensor<i1> {
      %c = stablehlo.constant dense<true> : tensor<i1>
      %y = stablehlo.while(%a = %c) : tensor<i1>
        cond { stablehlo.return %a : tensor<i1> }
        do { stablehlo.return %a : tensor<i1> }
      return %y : tensor<i1> }"""
    with pytest.raises(Untranslatable, match="more than 20000"):
        run_text(text)


@pytest.mark.parametrize("index", [-3, 0, 1, 2, 9])
def test_places_outside_of_an_array(index):
    """An index out of range has the effect that StableHLO specifies.

    The start of a slice is moved into the array. If there is no branch with this index,
    the last branch is used.
    """
    text = """func.func @main(%x: tensor<5xf32>, %i: tensor<i32>)
        -> (tensor<2xf32>, tensor<f32>, tensor<2xf32>, tensor<f32>) {
      %two = stablehlo.constant dense<2.0> : tensor<f32>
      %six = stablehlo.constant dense<6.0> : tensor<f32>
      %k = stablehlo.constant dense<INDEX> : tensor<i32>
      %t = stablehlo.iota dim = 0 : tensor<5xf32>
      %a = stablehlo.dynamic_slice %x, %i, sizes = [2]
        : (tensor<5xf32>, tensor<i32>) -> tensor<2xf32>
      %b = "stablehlo.case"(%i) ({ stablehlo.return %two : tensor<f32> },
        { stablehlo.return %six : tensor<f32> }) : (tensor<i32>) -> tensor<f32>
      %c = stablehlo.dynamic_slice %t, %k, sizes = [2]
        : (tensor<5xf32>, tensor<i32>) -> tensor<2xf32>
      %d = "stablehlo.case"(%k) ({ stablehlo.return %two : tensor<f32> },
        { stablehlo.return %six : tensor<f32> }) : (tensor<i32>) -> tensor<f32>
      return %a, %b, %c, %d
        : tensor<2xf32>, tensor<f32>, tensor<2xf32>, tensor<f32> }"""
    text = text.replace("INDEX", str(index))
    cut, branch, known_cut, known_branch = run_text(text, X, np.int32(index))
    start = min(max(index, 0), 3)
    assert cut.tolist() == X[start : start + 2].tolist()
    assert known_cut.tolist() == [start, start + 1]
    assert branch == known_branch == (2 if index == 0 else 6)
