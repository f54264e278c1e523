"""Replace functions of `jax.debug` by ones that work while a hand-in is graded."""

import contextlib
import functools
import math
from collections.abc import Iterator
from typing import Any

import jax

# Functions of `jax.debug` that do nothing while the hand-in is graded: nobody is there
# to use a debugger, and nobody needs to see on which device an array lies.
LEFT_OUT = (
    *("breakpoint", "inspect_array_sharding"),
    *("visualize_array_sharding", "visualize_sharding"),
)
# Options of JAX's functions. They have no effect here: all is printed in the order in
# which it is computed.
OPTIONS = ("ordered", "partitioned", "skip_format_check", "_use_logging")


class Debug:
    """Functions that replace `print`, `log` and `callback` of `jax.debug`.

    They raise no exception, because a forgotten debug print is no mistake. While a part
    is exported, its arrays have no numbers, and the exported program cannot call
    Python. So `print` then prints the types and shapes of arrays. A `callback` that
    gets such arrays is not called; a line that says so is printed.

    Attributes:
        exports: whether a part is being exported.
        left: how many characters `print` may still print. There is a limit, because a
            part may print a large tree in each of many thousand calls, which takes too
            long.
        staged: whether JAX may have cached a traced function that calls Python.
        real_callback: JAX's own function `jax.debug.callback`.
    """

    def __init__(self) -> None:
        self.exports = self.staged = False
        self.left = math.inf
        self.real_callback = jax.debug.callback

    def put_in_place(self) -> None:
        """Replace `print`, `log` and `callback` of `jax.debug` by this object's."""
        for name, function in (
            ("print", self.print),
            ("log", self.print),
            ("callback", self.callback),
        ):
            setattr(jax.debug, name, function)

    def leave_out_others(self) -> None:
        """Make each function in `LEFT_OUT` only print that it was left out."""
        for name in LEFT_OUT:
            setattr(jax.debug, name, functools.partial(self.left_out, name))

    @contextlib.contextmanager
    def exporting(self) -> Iterator[None]:
        """Set the attribute `exports` to True during a with block.

        If JAX may have cached a function that calls Python (`staged`), the caches are
        cleared first.
        """
        if self.staged:  # JAX would use the trace in its cache, which calls Python
            jax.clear_caches()
            self.staged = False
        self.exports = True
        try:
            yield
        finally:
            self.exports = False

    def print(self, fmt: Any = None, /, *args: Any, **kwargs: Any) -> Any:
        """Print a text with values, like `jax.debug.print`.

        Args:
            fmt: the text, with a field in braces for each value; None to return a
                function that takes the text and the values, as JAX's function does.
            args: the values.
            kwargs: the values with names, and JAX's options, which are ignored.
        """
        kwargs = {k: value for k, value in kwargs.items() if k not in OPTIONS}
        fmt = kwargs.pop("fmt", None) if fmt is None else fmt
        if fmt is None:
            return self.print
        if self.exports:
            with contextlib.suppress(Exception):
                args, kwargs = jax.tree.map(shown, (args, kwargs))
            return self.write(fmt, *args, **kwargs)
        return self.callback(functools.partial(self.write, fmt), *args, **kwargs)

    def write(self, fmt: Any, /, *args: Any, **kwargs: Any) -> None:
        """Print a text with values, unless the limit `left` is used up.

        If the values do not fit the fields of the text, they are printed after it.

        Args:
            fmt: the text, with a field in braces for each value.
            args: the values.
            kwargs: the values with names.
        """
        if self.left <= 0:
            return
        with contextlib.suppress(Exception):
            try:
                text = fmt.format(*args, **kwargs)
            except Exception:
                named = (f"{name}={value}" for name, value in kwargs.items())
                text = " ".join(map(str, [fmt, *args, *named]))
            self.left -= len(text) + 1
            print(text)

    def callback(self, function: Any = None, /, *args: Any, **kwargs: Any) -> Any:
        """Call a function with the values of arrays, like `jax.debug.callback`.

        If a part is being exported and an array has no values yet, the function is not
        called; a line that says so is printed.

        Args:
            function: the function to call; None to return a function that takes it
                together with its arguments, as JAX's function does.
            args: the function's arguments.
            kwargs: the function's keyword arguments, and JAX's options, which are
                ignored.
        """
        kwargs = {k: value for k, value in kwargs.items() if k not in OPTIONS}
        function = kwargs.pop("callback", None) if function is None else function
        if function is None:
            return self.callback
        with contextlib.suppress(Exception):
            leaves = jax.tree.leaves((args, kwargs))
            traced = [leaf for leaf in leaves if isinstance(leaf, jax.core.Tracer)]
            if not traced:
                self.call(function, *args, **kwargs)
            elif self.exports:
                words = "jax.debug.callback was left out: there are no numbers in {}"
                self.write(words, ", ".join(str(shown(leaf)) for leaf in traced))
            else:
                self.staged = True
                call = functools.partial(self.call, function)
                self.real_callback(call, *args, **kwargs)
        return None

    def call(self, function: Any, /, *args: Any, **kwargs: Any) -> None:
        """Call a function of the hand-in; print an exception instead of raising it."""
        try:
            function(*args, **kwargs)
        except Exception as error:
            self.write("jax.debug.callback: {}: {}", type(error).__name__, error)

    def left_out(self, name: str, /, *_: Any, **__: Any) -> None:
        """Print that a function of `jax.debug` was left out.

        Args:
            name: name of the function. All other arguments are ignored.
        """
        self.write("jax.debug.{} was left out", name)


class Traced:
    """An array without numbers, as a debug print shows it: Tracer(float32[5,3]).

    Args:
        array: the array, a tracer of JAX.
    """

    def __init__(self, array: Any) -> None:
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim
        sizes = ",".join(map(str, self.shape))
        self.text = f"Tracer({self.dtype}[{sizes}])"

    def __repr__(self) -> str:
        return self.text

    def __format__(self, spec: str) -> str:
        return self.text  # a format such as .3f is for numbers


def shown(leaf: Any) -> Any:
    """Return a value as a debug print shows it: itself, or a `Traced` for a tracer."""
    return Traced(leaf) if isinstance(leaf, jax.core.Tracer) else leaf
