"""Correct but different: hand-ins that meet the contract in another style."""

from dataclasses import dataclass

from handins import PARTS, HandIn, edited, with_definitions


@dataclass(frozen=True)
class Variant:
    """A right hand-in.

    Attributes:
        name: how it differs.
        exercises: that have to get full marks.
        source: of the hand-in.
        fresh: it changes JAX's settings.
    """

    name: str
    exercises: tuple[str, ...]
    source: str
    fresh: bool = False

    @property
    def hand_in(self) -> HandIn:
        """What to grade of it."""
        return HandIn(self.name, self.source, self.exercises, self.fresh)


def part(exercise: str, name: str, text: str) -> Variant:
    """One part written anew."""
    return Variant(f"{exercise}: {name}", (exercise,), with_definitions(text))


def td_loss(name: str, *body: str) -> Variant:
    """A `td_loss` of these lines."""
    lines = [
        "def td_loss(theta_Q, theta_T, model, batch, gamma):",
        "    s, a, r, d, s2 = batch",
        "    Q, QT = eqx.combine(theta_Q, model), eqx.combine(theta_T, model)",
        *(f"    {line}" for line in body),
    ]
    return part("td_loss", name, "\n".join(lines))


def returns(name: str, *body: str) -> Variant:
    """A `discounted_returns` of these lines."""
    lines = ["def discounted_returns(rewards, gamma):", *(f"    {b}" for b in body)]
    return part("monte_carlo", name, "\n".join(lines))


def explore(name: str, *body: str) -> Variant:
    """An `epsilon_greedy` of these lines."""
    lines = [
        "def epsilon_greedy(key, q_values, epsilon):",
        "    N, A = q_values.shape",
        "    one, two = jax.random.split(key)",
        *(f"    {line}" for line in body),
    ]
    return part("epsilon_greedy", name, "\n".join(lines))


def network(name: str, expression: str) -> Variant:
    """A `q_network` that returns this."""
    text = f"""
NO_BIAS = {{"use_bias": False, "use_final_bias": False}}


def q_network(key, D, A):
    return {expression}
"""
    return part("q_network", name, text)


def sync(name: str, expression: str) -> Variant:
    """A `sync_target` that returns this."""
    text = f"def sync_target(theta_Q, theta_T, step, period):\n    return {expression}"
    return part("sync_target", name, text)


def update(name: str, *changes: tuple[str, str]) -> Variant:
    """A `td_update` with some words changed."""
    return Variant(f"td_update: {name}", ("td_update",), edited("td_update", *changes))


TABLE_ONLINE = """
def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    Q = np.array(Q)
    for s, a, r, s2, d in zip(states, actions, rewards, next_states, terminateds):
        target = r if d else r + gamma * Q[s2].max()
        Q[s, a] += alpha * (target - Q[s, a])
    return Q
"""
TABLE_LISTS = """
def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    old, new = np.asarray(Q).tolist(), np.asarray(Q).tolist()
    steps = (states, actions, rewards, next_states, terminateds)
    for s, a, r, s2, d in zip(*(np.asarray(x).tolist() for x in steps)):
        new[s][a] -= alpha * (old[s][a] - (r + (not d) * gamma * max(old[s2])))
    return np.array(new)
"""
TABLE_NUMPY = """
def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    Q, s, a = np.array(Q, dtype=np.float64), np.asarray(states), np.asarray(actions)
    future = np.where(np.asarray(terminateds), 0, Q[np.asarray(next_states)].max(1))
    eta = Q[s, a] - (np.asarray(rewards) + gamma * future)
    np.add.at(Q, (s, a), -alpha * eta)
    return Q
"""
TABLE_SCAN = """
@jax.jit
def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    def step(Q, transition):
        s, a, r, s2, d = transition
        return Q.at[s, a].add(alpha * (r + gamma * (1 - d) * Q[s2].max() - Q[s, a])), 0

    return jax.lax.scan(
        step, Q, (states, actions, rewards, next_states, terminateds)
    )[0]
"""
FLAGS = "def episode_terminateds(num_steps): return [False] * (num_steps - 1) + [True]"
MC_LOOP = """
def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    net = eqx.combine(theta_Q, model)
    returns = jax.lax.stop_gradient(discounted_returns(rewards, gamma))
    q = jnp.stack([net(s)[a] for s, a in zip(states, actions)])
    return optax.squared_error(q, returns).mean()
"""
DUELING = """
class Dueling(eqx.Module):
    body: eqx.nn.MLP
    value: eqx.nn.Linear
    advantage: eqx.nn.Linear

    def __init__(self, key, D, A):
        a, b, c = jax.random.split(key, 3)
        relu = jax.nn.relu
        self.body = eqx.nn.MLP(D, 64, 64, 1, relu, final_activation=relu, key=a)
        self.value = eqx.nn.Linear(64, 1, key=b)
        self.advantage = eqx.nn.Linear(64, A, key=c)

    def __call__(self, state):
        features = self.body(state)
        advantage = self.advantage(features)
        return self.value(features) + advantage - advantage.mean()


def q_network(key, state_dim, num_actions):
    return Dueling(key, state_dim, num_actions)
"""
ZERO_HEAD = """
def q_network(key, state_dim, num_actions):
    net = eqx.nn.MLP(state_dim, num_actions, 64, 2, key=key)
    head = net.layers[-1]
    zeros = jnp.zeros_like(head.weight), jnp.zeros_like(head.bias)
    return eqx.tree_at(lambda n: (n.layers[-1].weight, n.layers[-1].bias), net, zeros)
"""
NUMPY_PARAMETERS = """
class Net(eqx.Module):
    layers: list
    name: str

    def __init__(self, key, D, A):
        rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        sizes = [(32, D), (32,), (A, 32)]
        self.layers = [0.3 * rng.normal(size=n).astype(np.float32) for n in sizes]
        self.name = "by hand"

    def __call__(self, state):
        W, b, V = self.layers
        return V @ jnp.tanh(W @ state + b)


def q_network(key, state_dim, num_actions):
    return Net(key, state_dim, num_actions)
"""
DEQUE = """
import collections


class ReplayBuffer:
    def __init__(self, capacity):
        self.transitions = collections.deque(maxlen=capacity)

    def add(self, state, action, reward, terminated, next_state):
        state, next_state = np.array(state), np.array(next_state)
        self.transitions.append(
            Transition(state, action, reward, terminated, next_state)
        )

    def __len__(self):
        return len(self.transitions)

    def sample(self, batch_size, rng):
        rows = rng.choice(len(self), size=batch_size, replace=False)
        return Transition(*map(np.stack, zip(*(self.transitions[i] for i in rows))))
"""
DATACLASS = """
import dataclasses


@dataclasses.dataclass
class Batch:
    state: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray
    next_state: np.ndarray


class ReplayBuffer(ReplayBuffer):
    def sample(self, batch_size, rng):
        return Batch(*super().sample(batch_size, rng))
"""
JNP_BUFFER = """
class ReplayBuffer:
    def __init__(self, capacity):
        self.capacity, self.added, self.columns = capacity, 0, None

    def add(self, *transition):
        if self.columns is None:
            shapes = [(self.capacity, *np.shape(x)) for x in transition]
            kinds = [float, int, float, float, float]
            self.columns = [jnp.zeros(s, k) for s, k in zip(shapes, kinds)]
        row = self.added % self.capacity
        self.columns = store(self.columns, row, [jnp.asarray(x) for x in transition])
        self.added += 1

    def __len__(self):
        return min(self.added, self.capacity)

    def sample(self, batch_size, rng):
        rows = jnp.asarray(rng.integers(0, len(self), batch_size))
        return Transition(*(column[rows] for column in self.columns))


@jax.jit
def store(columns, row, transition):
    pairs = zip(columns, transition)
    return [column.at[row].set(x.astype(column.dtype)) for column, x in pairs]
"""
LISTS = """
class ReplayBuffer:
    def __init__(self, capacity):
        self.capacity, self.rows = capacity, []

    def add(self, state, action, reward, terminated, next_state):
        if len(self.rows) == self.capacity:
            del self.rows[0]
        state, next_state = np.array(state).tolist(), np.array(next_state).tolist()
        self.rows.append([state, int(action), float(reward), terminated, next_state])

    def __len__(self):
        return len(self.rows)

    def sample(self, batch_size, rng):
        picked = [self.rows[int(len(self) * rng.random())] for _ in range(batch_size)]
        return tuple(list(column) for column in zip(*picked))
"""
TAKE = "q = jnp.take_along_axis(jax.vmap(Q)(s), a[:, None], axis=1).squeeze(1)"
PICK = "q = jax.vmap(Q)(s)[jnp.arange(len(a)), a]"
NEXT = "m = jax.vmap(QT)(s2).max(axis=1)"
GRAD = "jax.value_and_grad(td_loss)(theta_Q, theta_T, model, batch, gamma)"
APPLY = "eqx.apply_updates(theta_Q, updates)"

VARIANTS = [
    # 1
    part("update_Q_TD0", "online, by Python loop", TABLE_ONLINE),
    part("update_Q_TD0", "lists of Python numbers", TABLE_LISTS),
    part("update_Q_TD0", "float64 of NumPy", TABLE_NUMPY),
    part("update_Q_TD0", "online, by scan under jit", TABLE_SCAN),
    part("update_Q_TD0", "flags in a list", FLAGS),
    # 2
    returns(
        "triangular matrix",
        "i = jnp.arange(len(rewards))",
        "powers = gamma ** jnp.maximum(i[None, :] - i[:, None], 0)",
        "return jnp.triu(powers) @ rewards",
    ),
    returns(
        "divided by powers",
        "powers = gamma ** jnp.arange(len(rewards))",
        "return jnp.cumsum((powers * rewards)[::-1])[::-1] / powers",
    ),
    returns(
        "Python loop, float64",
        "G, later = [], 0.0",
        "for r in np.asarray(rewards)[::-1].tolist():",
        "    later = r + gamma * later",
        "    G.insert(0, later)",
        "return np.array(G)",
    ),
    part("monte_carlo", "mc_loss by loop", MC_LOOP),
    # 3
    part("q_network", "dueling", DUELING),
    part("q_network", "NumPy parameters", NUMPY_PARAMETERS),
    network("leaky ReLU", "eqx.nn.MLP(D, A, 16, 1, jax.nn.leaky_relu, key=key)"),
    network("tanh, deep", "eqx.nn.MLP(D, A, 32, 4, jnp.tanh, key=key)"),
    network("wide", "eqx.nn.MLP(D, A, 256, 1, jax.nn.silu, key=key)"),
    network(
        "no bias",
        "eqx.nn.MLP(D, A, 64, 2, **NO_BIAS, key=key)",
    ),
    network(
        "no bias, an odd activation",
        "eqx.nn.MLP(D, A, 9, 1, jnp.tanh, **NO_BIAS, key=key)",
    ),
    part("q_network", "all values zero at first", ZERO_HEAD),
    # 4
    explore(
        "a key for each row",
        "def choose(k, q):",
        "    coin, anything = jax.random.split(k)",
        "    a = jax.random.randint(anything, (), 0, A)",
        "    return jax.lax.cond(",
        "        jax.random.bernoulli(coin, epsilon), lambda: a, lambda: jnp.argmax(q)",
        "    )",
        "return jax.vmap(choose)(jax.random.split(key, N), q_values)",
    ),
    explore(
        "one draw from the mixture",
        "p = jnp.full((N, A), epsilon / A)",
        "p = p.at[jnp.arange(N), q_values.argmax(1)].add(1 - epsilon)",
        "return jax.random.categorical(key, jnp.log(p))",
    ),
    explore(
        "floats, ties at random",
        "best = q_values == q_values.max(axis=1, keepdims=True)",
        "greedy = jnp.argmax(best * jax.random.uniform(key, (N, A)), axis=1)",
        "anything = jnp.floor(A * jax.random.uniform(one, (N,)))",
        "u = jax.random.uniform(two, (N,))",
        "return jnp.where(u >= 1 - epsilon, anything, greedy)",
    ),
    # 5
    part("replay_buffer", "deque, without replacement", DEQUE),
    part("replay_buffer", "batch in a dataclass", DATACLASS),
    part("replay_buffer", "functional, of jnp", JNP_BUFFER),
    part("replay_buffer", "lists", LISTS),
    # 6
    td_loss(
        "take_along_axis, where, squared_error",
        TAKE,
        "y = jnp.where(d, r, r + gamma * jax.vmap(QT)(s2).max(-1))",
        "return optax.squared_error(q, jax.lax.stop_gradient(y)).mean()",
    ),
    td_loss(
        "one-hot, filter_vmap, dot product",
        "q = eqx.filter_vmap(Q)(s)",
        "q = (q * jax.nn.one_hot(a, q.shape[1])).sum(axis=1)",
        "e = q - (r + gamma * (1 - d) * eqx.filter_vmap(QT)(s2).max(axis=1))",
        "return jnp.vdot(e, e) / len(e)",
    ),
    td_loss(
        "vmap over transitions",
        "def error(s, a, r, d, s2):",
        "    return Q(s)[a] - (r + gamma * jnp.logical_not(d) * jnp.max(QT(s2)))",
        "return jnp.mean(jnp.square(jax.vmap(error)(s, a, r, d, s2)))",
    ),
    td_loss(
        "Python loop",
        "total = 0.0",
        "for i in range(len(a)):",
        "    y = r[i] + (1 - d[i]) * gamma * QT(s2[i]).max()",
        "    total += (Q(s[i])[a[i]] - y) ** 2",
        "return total / len(a)",
    ),
    td_loss(
        "printing",
        "import sys",
        "print('batch', s.shape)",
        "print('50%|#####     |', end='\\r', file=sys.stderr)",
        PICK,
        NEXT,
        "jax.debug.print('q {q}', q=q)",
        "return jnp.mean((q - r - gamma * m + d * gamma * m) ** 2)",
    ),
    td_loss(
        "columns",
        PICK,
        NEXT,
        "y = (r + (d == 0) * gamma * m).reshape(-1, 1)",
        "return ((q.reshape(-1, 1) - y) ** 2).mean()",
    ),
    # 7
    update("tree map", (APPLY, "jax.tree.map(jnp.add, theta_Q, updates)")),
    update("optax.apply_updates", (APPLY, "optax.apply_updates(theta_Q, updates)")),
    update("filter_value_and_grad", (GRAD, f"eqx.filter_{GRAD.removeprefix('jax.')}")),
    update(
        "returns a list",
        ("return theta_Q, opt_state, loss", "return [theta_Q, opt_state, loss]"),
    ),
    # 8
    sync(
        "where",
        "jax.tree.map(lambda q, t: jnp.where(step % period, t, q), theta_Q, theta_T)",
    ),
    sync("optax", "optax.periodic_update(theta_Q, theta_T, jnp.asarray(step), period)"),
    sync(
        "NumPy copies", "theta_T if step % period else jax.tree.map(np.array, theta_Q)"
    ),
]

TD_TAKE = """
def td_loss(theta_Q, theta_T, model, batch, gamma):
    q = eqx.filter_vmap(eqx.combine(theta_Q, model))(batch.state)
    q = jnp.take_along_axis(q, batch.action[:, None], axis=1)[:, 0]
    future = eqx.filter_vmap(eqx.combine(theta_T, model))(batch.next_state).max(axis=1)
    target = batch.reward + gamma * jnp.where(batch.terminated, 0.0, future)
    return optax.squared_error(q, target).mean()
"""
JITTED = """
for name in ("update_Q_TD0", "discounted_returns", "mc_loss", "epsilon_greedy",
             "td_loss", "td_update"):
    globals()[name] = eqx.filter_jit(globals()[name])
"""
FLOAT64 = "import jax\n\njax.config.update('jax_enable_x64', True)\n"
CHATTY = """
import matplotlib.pyplot as plt

print("loading", plt.get_backend())
plt.figure()
"""
NUMPY_MINDED = "\n".join([TABLE_NUMPY, LISTS, NUMPY_PARAMETERS])

WHOLE = [
    Variant("NumPy-minded", tuple(PARTS), with_definitions(NUMPY_MINDED)),
    Variant("jitted throughout", tuple(PARTS), with_definitions(JITTED)),
    Variant("float64", tuple(PARTS), with_definitions("", first=FLOAT64), fresh=True),
    Variant(
        "deque, dueling, take_along_axis",
        tuple(PARTS),
        with_definitions("\n".join([DEQUE, DUELING, TD_TAKE])),
    ),
    Variant("chatty", tuple(PARTS), with_definitions(CHATTY)),
]
