"""Debug prints of a hand-in are shown and never spoil a right answer."""

import jax
import jax.numpy as jnp
import pytest
from jax import export

from grader.inside.hand_in.debug import LEFT_OUT, Debug

X = jnp.array([0.5, 2.0, -3.0])


@pytest.fixture
def debug(monkeypatch) -> Debug:
    """Return a `Debug` whose functions are those of `jax.debug` during the test."""
    made = Debug()
    for name in ("print", "log", "callback", *LEFT_OUT):
        monkeypatch.setattr(jax.debug, name, getattr(jax.debug, name))
    made.put_in_place()
    return made


def exported(debug: Debug, function) -> jax.Array:
    """Export a function of an array as the worker does; return the program's answer."""
    with debug.exporting():
        program = export.export(jax.jit(function))(jax.ShapeDtypeStruct((3,), X.dtype))
    return program.call(X)


def test_shapes_while_exporting(debug, capsys):
    """While a part is exported, arrays are shown with type and shape, numbers as such.

    A format such as .3f changes nothing.
    """

    def part(x):
        jax.debug.print("x {x:.3f}, {x.shape}, g {g:.2f}, {}", [x, 1], x=x, g=0.9)
        return jax.vmap(lambda y: (jax.debug.print("row {}", y), 2 * y)[1])(x)

    assert exported(debug, part).tolist() == [1.0, 4.0, -6.0]
    assert capsys.readouterr().out == (
        "x Tracer(float32[3]), (3,), g 0.90, [Tracer(float32[3]), 1]\n"
        "row Tracer(float32[])\n"
    )


def test_numbers_while_calling(debug, capsys):
    """When a part is called, numbers are printed: also under jit, grad and vmap."""

    def f(x):
        jax.debug.print("f {x:.2f}", x=x, ordered=True)
        return x * x

    jax.grad(f)(2.5)
    jax.jit(f)(jnp.float32(1.25))
    jax.vmap(f)(jnp.array([0.5, -0.25]))
    jax.debug.callback(lambda x: print("got", x.sum()), X)
    jax.effects_barrier()
    expected = ["f 2.50", "f 1.25", "f 0.50", "f -0.25", "got -0.5"]
    assert capsys.readouterr().out.splitlines() == expected


def test_a_jitted_helper_can_be_exported_later(debug, capsys):
    """A function that was traced in a call is traced anew for an export.

    The trace of the call holds a call of Python, which no program can have.
    """

    @jax.jit
    def helper(x):
        jax.debug.print("helper {}", x)
        return x + 1

    assert helper(X).tolist() == [1.5, 3.0, -2.0]
    assert exported(debug, lambda x: 2 * helper(x)).tolist() == [3.0, 6.0, -4.0]
    jax.effects_barrier()
    out = capsys.readouterr().out
    assert out == "helper [ 0.5  2.  -3. ]\nhelper Tracer(float32[3])\n"


CALLS = {
    "print(x)": lambda x: jax.debug.print(x),
    "no field": lambda x: jax.debug.print("x", x, y=x),
    "no value": lambda x: jax.debug.print("{x} {}"),
    "bad format": lambda x: jax.debug.print("{x:.3f} {x[9]} {", x=x),
    "f-string": lambda x: jax.debug.print(f"{x} {{"),
    "two calls": lambda x: jax.debug.print(ordered=True)("x {self}", self=x),
    "by name": lambda x: jax.debug.print(fmt="x {x}", x=x, skip_format_check=True),
    "log": lambda x: jax.debug.log("x {}", {"a": (x, None)}),
    "bad callback": lambda x: jax.debug.callback(lambda x: 1 / 0, x),
    "constant": lambda x: jax.debug.callback(lambda x: [][x], 3),
    "no callback": lambda x: jax.debug.callback(5, x),
    "callback by name": lambda x: jax.debug.callback(callback=print, ordered=True),
    "callback in two calls": lambda x: jax.debug.callback(partitioned=True)(print, x),
    "breakpoint": lambda x: jax.debug.breakpoint(token=x, num_frames=3),
    "sharding": lambda x: jax.debug.visualize_array_sharding(x, use_color=False),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_nothing_raises(debug, call):
    """No call of `jax.debug` changes a part's answer: exported, called or compiled."""
    debug.leave_out_others()

    def part(x):
        call(x)
        return (x * x).sum()

    assert exported(debug, part) == 13.25
    assert part(X) == 13.25
    assert jax.jit(part)(X) == 13.25
    assert jax.grad(part)(X).tolist() == [1.0, 4.0, -6.0]
    jax.effects_barrier()


def test_no_more_than_is_shown(debug, capsys):
    """After `left` characters nothing more is printed, nor converted to text."""

    class Slow:
        shown = 0

        def __str__(self):
            Slow.shown += 1
            return "x" * 9

    debug.left = 100
    for _ in range(1000):
        jax.debug.print("{}", Slow())
    assert Slow.shown == 10
    assert capsys.readouterr().out == ("x" * 9 + "\n") * 10
