"""Exercise 8 in other styles: other ways to return one of two trees."""

from tests.corpus.variants.definition import Variant, rewritten, with_body


def sync(name: str, expression: str) -> Variant:
    """Return the solution with a `sync_target` that returns an expression."""
    signature = "theta_Q, theta_T, step, period"
    return with_body("sync_target", signature, name, f"return {expression}")


VARIANTS = [
    sync(
        "where",
        "jax.tree.map(lambda q, t: jnp.where(step % period, t, q), theta_Q, theta_T)",
    ),
    sync("optax", "optax.periodic_update(theta_Q, theta_T, jnp.asarray(step), period)"),
    sync(
        "NumPy copies", "theta_T if step % period else jax.tree.map(np.array, theta_Q)"
    ),
    sync("no copy", "theta_Q if step % period == 0 else theta_T"),
    sync("an index", "[theta_Q, theta_T][bool(step % period)]"),
    sync("a dict", "{0: theta_Q}.get(step % period, theta_T)"),
    sync(
        "a deep copy",
        "__import__('copy').deepcopy(theta_T if step % period else theta_Q)",
    ),
    sync(
        "lax.cond",
        "jax.lax.cond(jnp.mod(step, period) == 0, lambda: theta_Q, lambda: theta_T)",
    ),
    sync(
        "incremental_update, all or nothing",
        "optax.incremental_update(theta_Q, theta_T, float(step % period == 0))",
    ),
    sync(
        "leaf by leaf",
        "jax.tree.unflatten(jax.tree.structure(theta_T), "
        "jax.tree.leaves(theta_T if divmod(step, period)[1] else theta_Q))",
    ),
    sync(
        "through a pickle",
        "__import__('pickle').loads(__import__('pickle').dumps("
        "theta_Q if step in range(0, step + 1, period) else theta_T))",
    ),
    rewritten(
        "sync_target",
        "jitted with two branches",
        """
import functools


@functools.partial(jax.jit, static_argnums=(2, 3))
def sync_target(theta_Q, theta_T, step, period):
    if (step // period) * period != step:
        print("keep", step)
        return theta_T
    return jax.tree.map(lambda leaf: leaf.copy(), theta_Q)
""",
    ),
    rewritten(
        "sync_target",
        "jitted, step and period static",
        """
import functools

@functools.partial(jax.jit, static_argnames=("step", "period"))
def sync_target(theta_Q, theta_T, step, period):
    assert isinstance(step, int) and isinstance(period, int)
    return theta_Q if divmod(step, period)[1] == 0 else theta_T
""",
    ),
]
