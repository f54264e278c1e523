"""Exercise 4 in other styles: other ways to draw, and to find the best action."""

from tests.corpus.variants.definition import Variant, rewritten, with_body

START = """
N, A = q_values.shape
one, two = jax.random.split(key)
"""
RANDOM = "anything = jax.random.randint(two, (N,), 0, A)"


def explore(name: str, body: str) -> Variant:
    """Return the solution with another `epsilon_greedy`: lines `START`, then `body`."""
    return with_body(
        "epsilon_greedy", "key, q_values, epsilon", name, START + body.strip("\n")
    )


def greedy(name: str, expression: str) -> Variant:
    """Return the solution with another expression for the greedy actions, [N]."""
    body = f"best = {expression}\n{RANDOM}\n"
    body += "return jnp.where(jax.random.uniform(one, (N,)) < epsilon, anything, best)"
    return explore(f"the best by {name}", body)


VARIANTS = [
    explore(
        "a key for each row",
        """
def choose(k, q):
    coin, anything = jax.random.split(k)
    a = jax.random.randint(anything, (), 0, A)
    return jax.lax.cond(
        jax.random.bernoulli(coin, epsilon), lambda: a, lambda: jnp.argmax(q)
    )
return jax.vmap(choose)(jax.random.split(key, N), q_values)
""",
    ),
    explore(
        "one draw from the mixture",
        """
p = jnp.full((N, A), epsilon / A)
p = p.at[jnp.arange(N), q_values.argmax(1)].add(1 - epsilon)
return jax.random.categorical(key, jnp.log(p))
""",
    ),
    explore(
        "floats, ties at random",
        """
best = q_values == q_values.max(axis=1, keepdims=True)
greedy = jnp.argmax(best * jax.random.uniform(key, (N, A)), axis=1)
anything = jnp.floor(A * jax.random.uniform(one, (N,)))
u = jax.random.uniform(two, (N,))
return jnp.where(u >= 1 - epsilon, anything, greedy)
""",
    ),
    explore(
        "at most epsilon, categorical of equal logits",
        """
anything = jax.random.categorical(two, jnp.zeros((N, A)))
lucky = jax.random.uniform(one, (N,)) <= epsilon
return jax.lax.select(lucky, anything, jnp.argmax(q_values, -1).astype(anything.dtype))
""",
    ),
    explore(
        "random values take the place of Q",
        """
noise = jax.random.uniform(two, (N, A))
explores = jax.random.bernoulli(one, epsilon, shape=(N, 1))
return jnp.argmax(jnp.where(explores, noise, q_values), axis=1).astype(jnp.int32)
""",
    ),
    explore(
        "random.choice with probabilities, row by row",
        """
def probabilities(q):
    return epsilon / A + (1 - epsilon) * jax.nn.one_hot(jnp.argmax(q), A)

keys = jax.random.split(key, N)
return jnp.stack([
    jax.random.choice(keys[i], A, p=probabilities(q_values[i])) for i in range(N)
])
""",
    ),
    explore(
        "Gumbel noise on the logarithms of the probabilities",
        """
greedy = jax.nn.one_hot(jnp.argmax(q_values, axis=1), A)
logits = jnp.log(greedy * (1 - epsilon) + (1 - greedy) * 0.0 + epsilon / A)
return jnp.argmax(logits + jax.random.gumbel(two, (N, A)), axis=1)
""",
    ),
    explore(
        "one uniform number a row, cut at the cumulated probabilities",
        """
p = jnp.full((N, A), 1.0) * epsilon / A
p = p + (1 - epsilon) * (jnp.arange(A) == jnp.argmax(q_values, axis=1)[:, None])
u = jax.random.uniform(key, (N, 1))
return jnp.minimum((u >= jnp.cumsum(p, axis=1)).sum(axis=1), A - 1)
""",
    ),
    explore(
        "one uniform number for coin and action",
        """
u = jax.random.uniform(key, (N,))
share = u / jnp.maximum(epsilon, 1e-9)
anything = jnp.clip((A * share).astype(jnp.int32), 0, A - 1)
return jnp.where(u < epsilon, anything, q_values.argmax(axis=-1))
""",
    ),
    explore(
        "keys folded in, scanned over the rows",
        """
def row(i, q):
    k = jax.random.fold_in(key, i)
    coin = jax.random.uniform(jax.random.fold_in(k, 0))
    anything = jax.random.randint(jax.random.fold_in(k, 1), (), 0, A)
    return i + 1, jnp.where(coin < epsilon, anything, jnp.argmax(q))

return jax.lax.scan(row, 0, q_values)[1]
""",
    ),
    explore(
        "mixed by arithmetic, small integers",
        f"""
{RANDOM}
e = (jax.random.uniform(one, (N,)) < epsilon).astype(jnp.int32)
return (e * anything + (1 - e) * jnp.argmax(q_values, axis=1)).astype(jnp.uint8)
""",
    ),
    explore(
        "the first of a random order of the actions",
        """
orders = jax.random.permutation(two, jnp.tile(jnp.arange(A), (N, 1)), 1, True)
keep = jax.random.bernoulli(one, 1 - epsilon, (N,))
return jnp.select([keep], [jnp.argmax(q_values, axis=1)], orders[:, 0])
""",
    ),
    explore(
        "raw bits, a loop that fills in",
        """
bits = jax.random.bits(two, (N,))
explores = jax.random.uniform(one, (N,)) < epsilon

def fill(i, actions):
    action = jnp.where(explores[i], (bits[i] % A).astype(jnp.int32), actions[i])
    return actions.at[i].set(action)

return jax.lax.fori_loop(0, N, fill, jnp.argmax(q_values, 1).astype(jnp.int32))
""",
    ),
    explore(
        "Python list of scalars, debug prints",
        f"""
from jax.debug import print as show
{RANDOM}
show("anything {{}}", anything)
coins = jax.random.bernoulli(one, epsilon, (N,))
jax.debug.callback(lambda c: print("coins", c), coins)
return [jnp.where(coins[i], anything[i], q_values[i].argmax()) for i in range(N)]
""",
    ),
    greedy("top_k", "jax.lax.top_k(q_values, 1)[1][:, 0]"),
    greedy("sorting, the last of ties", "jnp.argsort(q_values, axis=1)[:, -1]"),
    greedy("argmin of the negative", "jnp.argmin(-q_values, axis=1)"),
    greedy("a method of rows", "jnp.array([row.argmax() for row in q_values])"),
    greedy(
        "asking each action whether it is the largest",
        "jnp.stack([a * (q_values[:, a] == q_values.max(1)) for a in range(A)]).max(0)",
    ),
    rewritten(
        "epsilon_greedy",
        "a jitted policy object",
        """
import functools


class EpsilonGreedy:
    @functools.partial(jax.jit, static_argnums=0)
    def __call__(self, key, q_values, epsilon):
        coin_key, action_key = jax.random.split(key, 2)
        return jnp.where(
            self.tosses(coin_key, epsilon, n=len(q_values)),
            self.draws(action_key, like=q_values),
            q_values.argmax(axis=1),
        )

    def tosses(self, key, epsilon, *, n):
        return jax.vmap(jax.random.bernoulli, (0, None))(
            jax.random.split(key, n), epsilon
        )

    def draws(self, key, *, like):
        return jax.random.choice(key, jnp.arange(like.shape[1]), like.shape[:1])


epsilon_greedy = EpsilonGreedy()
""",
    ),
    rewritten(
        "epsilon_greedy",
        "ties broken at random",
        """
def epsilon_greedy(key, q_values, epsilon):
    coin, tie, any_of = jax.random.split(key, 3)
    best = q_values == q_values.max(axis=1, keepdims=True)
    greedy = jax.random.categorical(tie, jnp.where(best, 0.0, -jnp.inf))
    anything = jax.random.randint(any_of, greedy.shape, 0, q_values.shape[1])
    return jnp.where(jax.random.uniform(coin, greedy.shape) < epsilon, anything, greedy)
""",
    ),
    rewritten(
        "epsilon_greedy",
        "the last of the best",
        """
def epsilon_greedy(key, q_values, epsilon):
    coin, any_of = jax.random.split(key)
    N, A = q_values.shape
    greedy = A - 1 - jnp.argmax(q_values[:, ::-1], axis=1)
    anything = jax.random.randint(any_of, (N,), 0, A)
    return jnp.where(jax.random.uniform(coin, (N,)) < epsilon, anything, greedy)
""",
    ),
]
