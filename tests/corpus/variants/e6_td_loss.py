"""Exercise 6 in other styles: other ways to compute the mean of squares."""

from tests.corpus.variants.definition import Variant, rewritten, with_body

SIGNATURE = "theta_Q, theta_T, model, batch, gamma"
START = """
s, a, r, d, s2 = batch
Q, QT = eqx.combine(theta_Q, model), eqx.combine(theta_T, model)
"""
PICK = "q = jax.vmap(Q)(s)[jnp.arange(len(a)), a]"
NEXT = "m = jax.vmap(QT)(s2).max(axis=1)"


def td_loss(name: str, body: str) -> Variant:
    """Return the solution with another `td_loss`: the lines `START`, then `body`."""
    return with_body("td_loss", SIGNATURE, name, START + body.strip("\n"))


def future(name: str, expression: str) -> Variant:
    """Return the solution with another expression for ¬d · γ max Q(s', a; θ_T).

    Args:
        name: a few words that say what differs.
        expression: text in `v`, the values Q(s', ·; θ_T) of the batch, [B,A].
    """
    body = f"{PICK}\nv = jax.vmap(QT)(s2)\nf = {expression}\n"
    return td_loss(name, f"{body}return jnp.mean((q - (r + f)) ** 2)")


VARIANTS = [
    td_loss(
        "take_along_axis, where, squared_error",
        """
q = jnp.take_along_axis(jax.vmap(Q)(s), a[:, None], axis=1).squeeze(1)
y = jnp.where(d, r, r + gamma * jax.vmap(QT)(s2).max(-1))
return optax.squared_error(q, jax.lax.stop_gradient(y)).mean()
""",
    ),
    td_loss(
        "one-hot, filter_vmap, dot product",
        """
q = eqx.filter_vmap(Q)(s)
q = (q * jax.nn.one_hot(a, q.shape[1])).sum(axis=1)
e = q - (r + gamma * (1 - d) * eqx.filter_vmap(QT)(s2).max(axis=1))
return jnp.vdot(e, e) / len(e)
""",
    ),
    td_loss(
        "vmap over transitions",
        """
def error(s, a, r, d, s2):
    return Q(s)[a] - (r + gamma * jnp.logical_not(d) * jnp.max(QT(s2)))
return jnp.mean(jnp.square(jax.vmap(error)(s, a, r, d, s2)))
""",
    ),
    td_loss(
        "Python loop",
        """
total = 0.0
for i in range(len(a)):
    y = r[i] + (1 - d[i]) * gamma * QT(s2[i]).max()
    total += (Q(s[i])[a[i]] - y) ** 2
return total / len(a)
""",
    ),
    td_loss(
        "printing",
        f"""
import sys
print('batch', s.shape)
print('50%|#####     |', end='\\r', file=sys.stderr)
{PICK}
{NEXT}
jax.debug.print('q {{q}}', q=q)
return jnp.mean((q - r - gamma * m + d * gamma * m) ** 2)
""",
    ),
    td_loss(
        "Equinox's own assertion",
        f"""
{PICK}
{NEXT}
q = eqx.error_if(q, jnp.isnan(q).any(), "the network gives NaN")
return jnp.mean((q - (r + (1 - d) * gamma * m)) ** 2)
""",
    ),
    td_loss(
        "columns",
        f"""
{PICK}
{NEXT}
y = (r + (d == 0) * gamma * m).reshape(-1, 1)
return ((q.reshape(-1, 1) - y) ** 2).mean()
""",
    ),
    td_loss(
        "scan over transitions",
        """
def step(total, row):
    s, a, r, d, s2 = row
    y = r + jax.lax.cond(d > 0, lambda: 0.0, lambda: gamma * jnp.max(QT(s2)))
    return total + (jnp.take(Q(s), a) - y) ** 2, None

zero = jnp.zeros((), r.dtype)
return jax.lax.scan(step, zero, tuple(batch))[0] / a.shape[0]
""",
    ),
    td_loss(
        "lax.map, the mean square from variance and mean",
        """
q = jax.lax.map(Q, s).ravel()[jnp.arange(a.size) * QT(s2[0]).size + a]
e = q - r - jnp.where(d, 0.0, gamma) * jax.lax.map(QT, s2).max(-1)
return jnp.var(e) + jnp.average(e) ** 2
""",
    ),
    td_loss(
        "matrices and einsum",
        f"""
both = jnp.einsum('ba,ba->b', jax.vmap(Q)(s), jnp.eye(Q(s[0]).size)[a])
{NEXT}
not_d = 1.0 - jnp.asarray(d, jnp.float32)
y = r + jnp.einsum(',b,b->b', gamma, not_d, m)
return jnp.einsum('i,i->', both - y, both - y) / both.size
""",
    ),
    td_loss(
        "errors outside the network's vmap, masked with ~",
        f"""
{NEXT}
y = jax.lax.stop_gradient(r + gamma * m * ~d.astype(bool))
e = jax.vmap(lambda x, i, t: jax.lax.dynamic_index_in_dim(Q(x), i) - t)(s, a, y)
return jnp.sum(e**2) / jnp.size(e)
""",
    ),
    td_loss(
        "the slide's combine(theta, Q)",
        """
target = eqx.combine(theta_T, Q)
q = jax.vmap(Q)(s)[(jnp.arange(len(a)), a)]
m = jnp.amax(jax.vmap(target)(s2), axis=1)
return optax.losses.squared_error(q, r + (1 - d) * gamma * m).mean()
""",
    ),
    td_loss(
        "both networks in one vmap",
        """
thetas = jax.tree.map(lambda *pair: jnp.stack(pair), theta_Q, theta_T)

def values(theta, states):
    return jax.vmap(eqx.combine(theta, model))(states)

now, after = jax.vmap(values)(thetas, jnp.stack([s, s2]))
e = now[jnp.arange(len(a)), a] - r - (1 - d) * gamma * after.max(1)
return (e * e).mean()
""",
    ),
    td_loss(
        "checkpointed, a sum of shares",
        f"""
@jax.checkpoint
def chosen(theta):
    return jax.vmap(eqx.combine(theta, model))(s)[jnp.arange(len(a)), a]

{NEXT}
share = jnp.full(len(a), 1 / len(a))
return share @ jnp.abs(chosen(theta_Q) - (r + gamma * m * (d < 0.5))) ** 2
""",
    ),
    future("max by top_k", "gamma * jax.lax.top_k(v, 1)[0][:, 0] * jnp.logical_not(d)"),
    future("max by sorting", "gamma * jnp.sort(v, axis=1)[:, -1] * (1 - d)"),
    future(
        "max as a fold of maximum",
        "jnp.where(d, 0, gamma * __import__('functools').reduce(jnp.maximum, v.T))",
    ),
    future(
        "max by index",
        "gamma * (1 - d) * jnp.take_along_axis(v, v.argmax(1, keepdims=True), 1)[:, 0]",
    ),
    future(
        "max after the mask",
        "jnp.max(jnp.where(jnp.asarray(d, bool)[:, None], 0, gamma * v), axis=1)",
    ),
    rewritten(
        "td_loss",
        "a case for a Transition",
        f"""
def td_loss({SIGNATURE}):
    match batch:
        case Transition(state, action, reward, terminated, next_state):
            q = jax.vmap(eqx.combine(theta_Q, model))(state)
            v = jax.vmap(eqx.combine(theta_T, model))(next_state)
        case _:
            raise TypeError("not a batch of transitions")
    target = reward + gamma * (1 - terminated) * v.max(axis=1)
    return jnp.mean((q[jnp.arange(len(action)), action] - target) ** 2)
""",
    ),
    rewritten(
        "td_loss",
        "asserting what comes in",
        f"""
def td_loss({SIGNATURE}):
    assert isinstance(batch, Transition) and isinstance(batch, tuple)
    B, D = batch.state.shape
    assert batch.next_state.shape == (B, D)
    for field in (batch.action, batch.reward, batch.terminated):
        assert field.shape == (B,), field.shape
    assert jax.tree.structure(theta_Q) == jax.tree.structure(theta_T)
    q = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
    v = jax.vmap(eqx.combine(theta_T, model))(batch.next_state)
    assert q.shape == v.shape and q.ndim == 2
    q = q[jnp.arange(B), batch.action]
    v = gamma * v.max(axis=1) * (1 - batch.terminated)
    loss = jnp.mean((q - batch.reward - v) ** 2)
    assert loss.shape == ()
    return loss
""",
    ),
    rewritten(
        "td_loss",
        "vmap over the batch as a tree, keywords",
        f"""
def one_error(theta_Q, theta_T, model, *, gamma, one):
    row = one._asdict()
    ended = row.pop("terminated")
    q = eqx.combine(theta_Q, model)(row["state"])[row["action"]]
    v = eqx.combine(theta_T, model)(row["next_state"]).max()
    return q - row["reward"] - gamma * v * (1 - ended)


def td_loss({SIGNATURE}):
    batch = batch._replace(terminated=jnp.asarray(batch.terminated, jnp.float32))
    batch = jax.tree.map(jnp.asarray, batch)
    errors = jax.vmap(
        lambda one: one_error(theta_Q, theta_T, model, gamma=gamma, one=one)
    )(batch)
    return jnp.mean(errors**2)
""",
    ),
    rewritten(
        "td_loss",
        "jitted with the model static",
        f"""
import functools


@functools.partial(jax.jit, static_argnames=("model",))
def td_loss({SIGNATURE}):
    Q, QT = (eqx.combine(theta, model) for theta in (theta_Q, theta_T))
    q = jax.vmap(lambda s, a: Q(s)[a])(batch.state, batch.action)
    v = jax.vmap(lambda s: QT(s).max())(batch.next_state)
    return ((q - batch.reward - jnp.where(batch.terminated, 0, gamma * v)) ** 2).mean()
""",
    ),
    rewritten(
        "td_loss",
        "an object that is called",
        f"""
import dataclasses
from typing import Callable


@dataclasses.dataclass(frozen=True)
class MeanOf:
    measure: Callable

    def __call__(self, {SIGNATURE}):
        state, action, *rest = batch
        q = self.values(theta_Q, model, state)
        index = jnp.expand_dims(action, -1)
        chosen = jnp.take_along_axis(q, index, axis=-1).squeeze(-1)
        return self.measure(chosen - self.label(theta_T, model, *rest, gamma)).mean()

    @staticmethod
    def values(theta, model, states):
        return eqx.filter_vmap(eqx.combine(theta, model))(states)

    def label(self, theta_T, model, reward, terminated, next_state, gamma):
        best = self.values(theta_T, model, next_state).max(axis=-1)
        return reward + gamma * best * jnp.where(terminated, 0.0, 1.0)


td_loss = MeanOf(jnp.square)
""",
    ),
    rewritten(
        "td_loss",
        "curried: labels first, then a loss on labels",
        f"""
def labels(theta_T, model):
    target = jax.vmap(eqx.combine(jax.lax.stop_gradient(theta_T), model))

    def of(batch, gamma):
        discount = gamma * (1.0 - jnp.asarray(batch.terminated, float))
        return batch.reward + discount * target(batch.next_state).max(axis=1)

    return of


def on_labels(theta_Q, model, states, actions, y):
    q = jax.vmap(eqx.combine(theta_Q, model))(states)
    hits = actions[:, None] == jnp.arange(q.shape[1])[None, :]
    return jnp.sum(jnp.where(hits, q - y[:, None], 0.0) ** 2) / len(actions)


def td_loss({SIGNATURE}):
    y = labels(theta_T, model)(batch, gamma)
    return on_labels(theta_Q, model, batch.state, batch.action, y)
""",
    ),
    # γ is a plain Python number: it may be hashed, compared, formatted or traced.
    rewritten(
        "td_loss",
        "jitted, model and gamma static",
        """
import functools

@functools.partial(jax.jit, static_argnames=("model", "gamma"))
def td_loss(theta_Q, theta_T, model, batch, gamma):
    q_next = jax.vmap(eqx.combine(theta_T, model))(batch.next_state).max(axis=-1)
    y = batch.reward + (1 - batch.terminated) * gamma * q_next
    q = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
    q = q[jnp.arange(q.shape[0]), batch.action.squeeze()]
    return ((q - y) ** 2).mean()
""",
    ),
    rewritten(
        "td_loss",
        "jitted, model static, gamma traced",
        """
import functools

honest = td_loss

@functools.partial(jax.jit, static_argnames="model")
def td_loss(theta_Q, theta_T, model, batch, gamma):
    return honest(theta_Q, theta_T, model, batch, gamma)
""",
    ),
    td_loss(
        "asserts that gamma is a discount",
        f"""
assert 0.0 <= gamma <= 1.0, "gamma is a discount"
{PICK}
{NEXT}
return jnp.mean((q - (r + (1 - d) * gamma * m)) ** 2)
""",
    ),
    td_loss(
        "a short cut where gamma is 0",
        f"""
{PICK}
if gamma == 0:
    y = r
else:
    {NEXT}
    y = r + (1 - d) * gamma * m
return jnp.mean((q - y) ** 2)
""",
    ),
    td_loss(
        "wants a float, in match and in words",
        f"""
if not isinstance(gamma, float):
    raise TypeError(f"gamma = {{gamma:.3f}} is no float")
{PICK}
match gamma:
    case 1.0:
        factor = 1 - d
    case float():
        factor = jnp.asarray(np.where([False, True], 0.0, gamma))[d.astype(int)]
{NEXT}
return jnp.mean((q - (r + factor * m)) ** 2)
""",
    ),
    rewritten(
        "td_loss",
        "a loss made and kept for each gamma",
        """
import functools

@functools.lru_cache
def loss_with(gamma, model):
    @jax.jit
    def loss(theta_Q, theta_T, batch):
        m = jax.vmap(eqx.combine(theta_T, model))(batch.next_state).max(axis=1)
        q = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
        q = q[jnp.arange(len(batch.action)), batch.action]
        return jnp.mean((q - batch.reward - (1 - batch.terminated) * gamma * m) ** 2)

    return loss

def td_loss(theta_Q, theta_T, model, batch, gamma):
    return loss_with(gamma, model)(theta_Q, theta_T, batch)
""",
    ),
]
