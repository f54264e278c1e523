"""The solution under other settings of JAX, Python and NumPy; all are allowed."""

from grader.contract.exercises import UNITS
from tests.corpus.variants.definition import Variant
from tests.support.edits import with_definitions


def under(name: str, *lines: str) -> Variant:
    """Return the solution with lines at the start that change a setting."""
    source = with_definitions("", first="\n".join(lines))
    return Variant(f"solution {name}", tuple(UNITS), source, fresh=True)


def set_jax(name: str, setting: str, value: object) -> Variant:
    """Return the solution with a line at the start that changes a setting of JAX."""
    line = f"jax.config.update({setting!r}, {value!r})"
    return under(name, "import jax", line)


VARIANTS = [
    set_jax("with another generator behind its keys", "jax_default_prng_impl", "rbg"),
    set_jax("with jit switched off", "jax_disable_jit", True),
    set_jax("looking for NaN", "jax_debug_nans", True),
    set_jax("looking for leaked tracers", "jax_check_tracer_leaks", True),
    set_jax("with JAX's own checks", "jax_enable_checks", True),
    under(
        "with warnings as errors",
        "import warnings",
        "import numpy",
        "warnings.simplefilter('error')",
        "numpy.seterr(all='raise')",
    ),
    Variant(
        "solution jitted at the end",
        tuple(UNITS),
        with_definitions(
            """
for name in ("update_Q_TD0", "discounted_returns", "mc_loss", "epsilon_greedy",
             "td_loss", "td_update"):
    globals()[name] = eqx.filter_jit(globals()[name])
"""
        ),
    ),
]
