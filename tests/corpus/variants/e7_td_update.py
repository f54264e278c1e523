"""Exercise 7 in other styles: other ways to compute and apply the gradient."""

from tests.corpus.variants.definition import Variant, changed, rewritten, with_body

SIGNATURE = "theta_Q, theta_T, model, batch, optimizer, opt_state, gamma"
GRAD = "jax.value_and_grad(td_loss)(theta_Q, theta_T, model, batch, gamma)"
APPLY = "eqx.apply_updates(theta_Q, updates)"
RETURN = "return theta_Q, opt_state, loss"


def update(name: str, *changes: tuple[str, str]) -> Variant:
    """Return the solution with changes in the text of `td_update`."""
    return changed("td_update", name, *changes)


def by_gradient(name: str, body: str) -> Variant:
    """Return the solution with other lines that compute `loss` and `grads`."""
    rest = "\nupdates, opt_state = optimizer.update(grads, opt_state, theta_Q)\n"
    rest += "return optax.apply_updates(theta_Q, updates), opt_state, loss"
    return with_body("td_update", SIGNATURE, name, body.strip("\n") + rest)


VARIANTS = [
    update("tree map", (APPLY, "jax.tree.map(jnp.add, theta_Q, updates)")),
    update("optax.apply_updates", (APPLY, "optax.apply_updates(theta_Q, updates)")),
    update("filter_value_and_grad", (GRAD, f"eqx.filter_{GRAD.removeprefix('jax.')}")),
    update("returns a list", (RETURN, "return [theta_Q, opt_state, loss]")),
    update("tree_utils", (APPLY, "optax.tree_utils.tree_add(theta_Q, updates)")),
    update(
        "parameters by keyword",
        ("grads, opt_state, theta_Q", "grads, state=opt_state, params=theta_Q"),
    ),
    update(
        "leaf by leaf, None told apart",
        (
            APPLY,
            "jax.tree.map(lambda p, u: None if p is None else p + u, "
            "theta_Q, updates, is_leaf=lambda x: x is None)",
        ),
    ),
    update(
        "extra arguments",
        (
            "optimizer.update(grads, opt_state, theta_Q)",
            "optax.with_extra_args_support(optimizer).update("
            "grads, opt_state, theta_Q, value=loss, grad=grads)",
        ),
    ),
    update(
        "applied to the whole network",
        (
            APPLY,
            "eqx.filter(eqx.apply_updates(eqx.combine(theta_Q, model), updates), "
            "eqx.is_array)",
        ),
    ),
    by_gradient(
        "loss and gradient apart",
        """
loss = td_loss(theta_Q, theta_T, model, batch, gamma)
grads = jax.grad(td_loss, argnums=0)(theta_Q, theta_T, model, batch, gamma)
""",
    ),
    by_gradient(
        "vjp",
        """
loss, pull = jax.vjp(lambda th: td_loss(th, theta_T, model, batch, gamma), theta_Q)
(grads,) = pull(jnp.ones_like(loss))
""",
    ),
    by_gradient(
        "has_aux",
        """
def with_itself(theta):
    loss = td_loss(theta, theta_T, model, batch, gamma)
    return loss, {"loss": loss}

grads, info = jax.grad(with_itself, has_aux=True)(theta_Q)
loss = info["loss"]
""",
    ),
    by_gradient(
        "forward mode",
        """
loss = td_loss(theta_Q, theta_T, model, batch, gamma)
grads = jax.jacfwd(td_loss)(theta_Q, theta_T, model, batch, gamma)
""",
    ),
    by_gradient(
        "one long vector",
        """
from jax.flatten_util import ravel_pytree

vector, unravel = ravel_pytree(theta_Q)
loss, slope = jax.value_and_grad(
    lambda v: td_loss(unravel(v), theta_T, model, batch, gamma)
)(vector)
grads = unravel(slope)
""",
    ),
    by_gradient(
        "the gradient in the whole network",
        """
@eqx.filter_value_and_grad
def loss_and_grads(net):
    theta, rest = eqx.partition(net, eqx.is_array)
    return td_loss(theta, theta_T, rest, batch, gamma)

loss, grads = loss_and_grads(eqx.combine(theta_Q, model))
""",
    ),
    by_gradient(
        "the loss written out again",
        """
def loss_of(theta):
    q = jax.vmap(eqx.combine(theta, model))(batch.state)
    v = jax.vmap(eqx.combine(theta_T, model))(batch.next_state).max(axis=1)
    y = batch.reward + gamma * v * (1 - batch.terminated)
    return jnp.mean((q[jnp.arange(len(y)), batch.action] - y) ** 2)

loss, grads = jax.value_and_grad(loss_of)(theta_Q)
""",
    ),
    rewritten(
        "td_update",
        "value_and_grad of td_loss made at import",
        f"""
loss_and_grad = eqx.filter_value_and_grad(td_loss)


def td_update({SIGNATURE}):
    loss, grads = loss_and_grad(theta_Q, theta_T, model, batch, gamma)
    updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
    return eqx.apply_updates(theta_Q, updates), opt_state, loss
""",
    ),
    rewritten(
        "td_update",
        "jitted, model and optimizer static",
        f"""
import functools


@functools.partial(jax.jit, static_argnames=["model", "optimizer"])
def td_update({SIGNATURE}):
    differentiate = jax.value_and_grad(td_loss)
    loss, slope = differentiate(theta_Q, theta_T, model, batch, gamma)
    step, opt_state = optimizer.update(slope, opt_state, theta_Q)
    return jax.tree.map(lambda p, u: p + u, theta_Q, step), opt_state, loss
""",
    ),
    rewritten(
        "td_update",
        "a training state that is replaced",
        f"""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Training:
    theta: PyTree
    opt_state: PyTree
    optimizer: optax.GradientTransformation

    def stepped(self, grads):
        u, state = self.optimizer.update(grads, self.opt_state, self.theta)
        theta = eqx.apply_updates(self.theta, u)
        return dataclasses.replace(self, theta=theta, opt_state=state)


def td_update({SIGNATURE}):
    training = Training(theta_Q, opt_state, optimizer)
    loss, grads = eqx.filter_value_and_grad(td_loss)(
        training.theta, theta_T, model, batch, gamma
    )
    training = training.stepped(grads)
    return training.theta, training.opt_state, loss
""",
    ),
    rewritten(
        "td_update",
        "filter_jit around it, printing the loss",
        f"""
@eqx.filter_jit
def td_update({SIGNATURE}):
    f = eqx.Partial(td_loss, theta_T=theta_T, model=model, batch=batch, gamma=gamma)
    loss, grads = eqx.filter_value_and_grad(lambda theta: f(theta))(theta_Q)
    jax.debug.print("loss {{x}}", x=loss)
    updates, new_state = optimizer.update(grads, opt_state, theta_Q)
    return eqx.apply_updates(theta_Q, updates), new_state, loss
""",
    ),
    rewritten(
        "td_update",
        "jitted, model, optimizer and gamma static",
        """
import functools

@functools.partial(jax.jit, static_argnums=(2, 4, 6))
def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    loss, grads = jax.value_and_grad(td_loss)(theta_Q, theta_T, model, batch, gamma)
    updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
    return eqx.apply_updates(theta_Q, updates), opt_state, loss
""",
    ),
    rewritten(
        "td_update",
        "a step made and kept for each gamma",
        """
import functools

@functools.lru_cache
def step_with(model, optimizer, gamma):
    assert type(gamma) is float and 0 < gamma <= 1

    @jax.jit
    def step(theta_Q, theta_T, batch, opt_state):
        value = jax.value_and_grad(td_loss)
        loss, grads = value(theta_Q, theta_T, model, batch, gamma)
        updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
        return optax.apply_updates(theta_Q, updates), opt_state, loss

    return step

def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    return step_with(model, optimizer, gamma)(theta_Q, theta_T, batch, opt_state)
""",
    ),
]
