"""Exercise 1 in other styles: with JAX, NumPy or plain Python, vectorised or looped."""

from tests.corpus.variants.definition import Variant, rewritten, with_body

SIGNATURE = "Q, states, actions, rewards, next_states, terminateds, alpha, gamma"


def table(name: str, body: str) -> Variant:
    """Return the solution with another body of `update_Q_TD0`."""
    return with_body("update_Q_TD0", SIGNATURE, name, body)


def flags(name: str, expression: str) -> Variant:
    """Return the solution with an `episode_terminateds` that returns an expression."""
    return with_body("episode_terminateds", "num_steps", name, f"return {expression}")


VARIANTS = [
    table(
        "online, by Python loop",
        """
Q = np.array(Q)
for s, a, r, s2, d in zip(states, actions, rewards, next_states, terminateds):
    target = r if d else r + gamma * Q[s2].max()
    Q[s, a] += alpha * (target - Q[s, a])
return Q
""",
    ),
    table(
        "lists of Python numbers",
        """
old, new = np.asarray(Q).tolist(), np.asarray(Q).tolist()
steps = (states, actions, rewards, next_states, terminateds)
for s, a, r, s2, d in zip(*(np.asarray(x).tolist() for x in steps)):
    new[s][a] -= alpha * (old[s][a] - (r + (not d) * gamma * max(old[s2])))
return np.array(new)
""",
    ),
    table(
        "float64 of NumPy",
        """
Q, s, a = np.array(Q, dtype=np.float64), np.asarray(states), np.asarray(actions)
future = np.where(np.asarray(terminateds), 0, Q[np.asarray(next_states)].max(1))
eta = Q[s, a] - (np.asarray(rewards) + gamma * future)
np.add.at(Q, (s, a), -alpha * eta)
return Q
""",
    ),
    rewritten(
        "update_Q_TD0",
        "online, by scan under jit",
        f"""
@jax.jit
def update_Q_TD0({SIGNATURE}):
    def step(Q, transition):
        s, a, r, s2, d = transition
        return Q.at[s, a].add(alpha * (r + gamma * (1 - d) * Q[s2].max() - Q[s, a])), 0

    return jax.lax.scan(
        step, Q, (states, actions, rewards, next_states, terminateds)
    )[0]
""",
    ),
    table(
        "one-hot matrices",
        """
S, A = Q.shape
at_s, at_a = jax.nn.one_hot(states, S), jax.nn.one_hot(actions, A)
d = jnp.asarray(terminateds).astype(bool)
y = rewards + jnp.where(d, 0.0, gamma * jnp.max(Q[next_states], axis=-1))
eta = jnp.einsum("ts,sa,ta->t", at_s, Q, at_a) - y
return Q - alpha * jnp.einsum("ts,ta,t->sa", at_s, at_a, eta)
""",
    ),
    table(
        "the gradient of half the squared errors",
        """
not_d = jnp.where(jnp.asarray(terminateds) > 0, 0.0, 1.0)
y = rewards + gamma * not_d * jnp.asarray(Q)[next_states].max(1)

def half_squares(table):
    return 0.5 * jnp.sum((table[states, actions] - y) ** 2)

return Q - alpha * jax.grad(half_squares)(jnp.asarray(Q))
""",
    ),
    table(
        "bincount over flat cells",
        """
Q = np.asarray(Q)
s, a, r, s2, d = (
    np.asarray(x) for x in (states, actions, rewards, next_states, terminateds)
)
cells = s * Q.shape[1] + a
eta = Q.ravel()[cells] - (r + gamma * np.logical_not(d) * Q.max(axis=1)[s2])
moves = np.bincount(cells, weights=eta, minlength=Q.size)
return Q - alpha * moves.reshape(Q.shape)
""",
    ),
    table(
        "fori_loop, every error from the incoming table",
        """
old = jnp.asarray(Q)
d = jnp.asarray(terminateds, dtype=bool)

def step(t, new):
    s, a = states[t], actions[t]
    future = jax.lax.select(d[t], jnp.zeros(()), gamma * old[next_states[t]].max())
    return new.at[s, a].add(-alpha * (old[s, a] - rewards[t] - future))

return jax.lax.fori_loop(0, len(states), step, old)
""",
    ),
    table(
        "online, as a weighted mean of old value and target, in a dict",
        """
table = {(s, a): float(q) for (s, a), q in np.ndenumerate(np.asarray(Q))}
S, A = np.shape(Q)
for t in range(len(rewards)):
    s, a, after = int(states[t]), int(actions[t]), int(next_states[t])
    target = float(rewards[t])
    if not bool(terminateds[t]):
        target += gamma * max(table[after, b] for b in range(A))
    table[s, a] = (1 - alpha) * table[s, a] + alpha * target
return np.array([[table[s, a] for a in range(A)] for s in range(S)])
""",
    ),
    table(
        "errors by vmap, then jnp.add.at",
        """
Q = jnp.asarray(Q)

def error(s, a, r, after, d):
    return Q[s, a] - r - gamma * jnp.max(Q[after]) * jnp.logical_not(d)

eta = jax.vmap(error)(states, actions, rewards, next_states, terminateds)
return jnp.add.at(Q, (states, actions), -alpha * eta, inplace=False)
""",
    ),
    table(
        "rows of the table in a list of arrays",
        """
old = [np.array(row) for row in np.asarray(Q)]
new = [row.copy() for row in old]
for t, (s, a) in enumerate(zip(map(int, states), map(int, actions))):
    future = 0 if terminateds[t] else gamma * old[int(next_states[t])].max()
    new[s][a] += alpha * (rewards[t] + future - old[s][a])
return new
""",
    ),
    table(
        "segment_sum",
        """
S, A = Q.shape
cell = states * A + actions
keep = 1 - jnp.asarray(terminateds).astype(jnp.int32)
eta = jnp.take(Q, cell) - (rewards + keep * gamma * jnp.amax(Q, 1)[next_states])
return Q - alpha * jax.ops.segment_sum(eta, cell, S * A).reshape(S, A)
""",
    ),
    rewritten(
        "update_Q_TD0",
        "an object with a method for each step of the algorithm",
        f"""
class TD0:
    def __init__(self, *, alpha, gamma):
        self.alpha, self.gamma = alpha, gamma

    def target(self, table, reward, after, ended):
        return reward if ended else reward + self.gamma * np.max(table[after])

    def __call__(self, table, episode):
        result = np.array(table, np.float32, order="F")
        for s, a, r, after, d in episode:
            result[s, a] -= self.alpha * (table[s, a] - self.target(table, r, after, d))
        return result


def update_Q_TD0({SIGNATURE}):
    columns = states, actions, rewards, next_states, terminateds
    episode = zip(*map(np.asarray, columns), strict=True)
    return TD0(alpha=alpha, gamma=gamma)(np.asarray(Q), episode)
""",
    ),
    rewritten(
        "update_Q_TD0",
        "one step, and recursion over the rest",
        f"""
def update_Q_TD0({SIGNATURE}):
    if len(states) == 0:
        return Q
    s, a, d = states[0], actions[0], jnp.asarray(terminateds[0], bool)
    y = rewards[0] + jnp.where(d, 0.0, gamma) * jnp.max(Q[next_states[0]])
    return update_Q_TD0(
        jnp.asarray(Q).at[s, a].set(Q[s, a] - alpha * (Q[s, a] - y)),
        states[1:], actions[1:], rewards[1:], next_states[1:], terminateds[1:],
        alpha, gamma,
    )
""",
    ),
    flags("flags in a list", "[False] * (num_steps - 1) + [True]"),
    flags("flags by comparison", "np.arange(num_steps) == num_steps - 1"),
    flags(
        "flags by .at", "jnp.zeros(num_steps, dtype=bool).at[num_steps - 1].set(True)"
    ),
    table(
        "asserts on its rates",
        """
assert isinstance(alpha, float) and isinstance(gamma, float)
assert 0.0 < alpha <= 1.0 and 0.0 < gamma <= 1.0, f"{alpha:.2f}, {gamma:.2f}"
eta = Q[states, actions] - rewards
eta -= jnp.where(jnp.asarray(terminateds, bool), 0, gamma * Q[next_states].max(axis=1))
return Q.at[states, actions].add(-alpha * eta)
""",
    ),
]
