"""Exercise 3 in other styles: other nonlinear modules from [D] to [A]."""

from tests.corpus.variants.definition import Variant, rewritten

NO_BIAS = "use_bias=False, use_final_bias=False"


def network(name: str, expression: str) -> Variant:
    """Return the solution with a `q_network(key, D, A)` that returns an expression."""
    code = f"def q_network(key, D, A):\n    return {expression}\n"
    return rewritten("q_network", name, code)


def module(name: str, code: str) -> Variant:
    """Return the solution with a `q_network` that makes a `Net(key, D, A)`.

    Args:
        name: a few words that say what differs.
        code: the definition of the class `Net`.
    """
    make = "def q_network(key, state_dim, num_actions):\n"
    make += "    return Net(key, state_dim, num_actions)\n"
    return rewritten("q_network", name, f"{code}\n\n{make}")


VARIANTS = [
    network("leaky ReLU", "eqx.nn.MLP(D, A, 16, 1, jax.nn.leaky_relu, key=key)"),
    network("tanh, deep", "eqx.nn.MLP(D, A, 32, 4, jnp.tanh, key=key)"),
    network("wide", "eqx.nn.MLP(D, A, 256, 1, jax.nn.silu, key=key)"),
    network("no bias", f"eqx.nn.MLP(D, A, 64, 2, {NO_BIAS}, key=key)"),
    network(
        "no bias, an odd activation",
        f"eqx.nn.MLP(D, A, 9, 1, jnp.tanh, {NO_BIAS}, key=key)",
    ),
    network(
        "a partial as activation",
        "eqx.nn.MLP(D, A, 48, 2, "
        "jax.tree_util.Partial(jax.nn.leaky_relu, negative_slope=0.05), key=key)",
    ),
    network(
        "layer norm, dropout that is switched off",
        "eqx.nn.Sequential([eqx.nn.Linear(D, 64, key=key), eqx.nn.LayerNorm(64), "
        "eqx.nn.Lambda(jax.nn.gelu), eqx.nn.Dropout(0.1, inference=True), "
        "eqx.nn.Linear(64, A, key=jax.random.fold_in(key, 7))])",
    ),
    network(
        "normalised weights",
        "eqx.nn.Sequential([eqx.nn.WeightNorm(eqx.nn.Linear(D, 32, key=key)), "
        "eqx.nn.Lambda(jax.nn.elu), "
        "eqx.nn.Linear(32, A, key=jax.random.split(key)[1])])",
    ),
    module(
        "dueling",
        """
class Net(eqx.Module):
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
""",
    ),
    module(
        "dueling, the best action's advantage is 0",
        """
class Net(eqx.Module):
    value: eqx.nn.MLP
    advantage: eqx.nn.MLP

    def __init__(self, key, D, A):
        one, two = jax.random.split(key)
        self.value = eqx.nn.MLP(D, "scalar", 64, 1, key=one)
        self.advantage = eqx.nn.MLP(D, A, 64, 2, key=two)

    def __call__(self, state):
        advantage = self.advantage(state)
        return self.value(state) + advantage - advantage.max()
""",
    ),
    module(
        "NumPy parameters",
        """
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
""",
    ),
    module(
        "NumPy parameters, float64",
        """
class Net(eqx.Module):
    W: np.ndarray
    V: np.ndarray

    def __init__(self, key, D, A):
        rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        self.W = rng.normal(size=(32, D)) / np.sqrt(D)
        self.V = rng.normal(size=(A, 32)) / np.sqrt(32)

    def __call__(self, state):
        return self.V @ jax.nn.relu(self.W @ state)
""",
    ),
    module(
        "weights of JAX, biases of NumPy",
        """
class Net(eqx.Module):
    W: jax.Array
    b: np.ndarray
    V: jax.Array
    c: np.ndarray

    def __init__(self, key, D, A):
        one, two = jax.random.split(key)
        init = jax.nn.initializers.he_normal()
        self.W, self.b = init(one, (D, 24)), np.zeros(24)
        self.V, self.c = init(two, (24, A)), np.zeros(A, np.float32)

    def __call__(self, state):
        return jax.nn.softplus(state @ self.W + self.b) @ self.V + self.c
""",
    ),
    rewritten(
        "q_network",
        "all values zero at first",
        """
def q_network(key, state_dim, num_actions):
    net = eqx.nn.MLP(state_dim, num_actions, 64, 2, key=key)
    head = net.layers[-1]
    zeros = jnp.zeros_like(head.weight), jnp.zeros_like(head.bias)
    return eqx.tree_at(lambda n: (n.layers[-1].weight, n.layers[-1].bias), net, zeros)
""",
    ),
    rewritten(
        "q_network",
        "orthogonal weights at first",
        """
def q_network(key, state_dim, num_actions):
    net = eqx.nn.MLP(state_dim, num_actions, 32, 2, key=key)
    draw = jax.nn.initializers.orthogonal(scale=2**0.5)

    def weights(net):
        return [layer.weight for layer in net.layers]

    keys = jax.random.split(key, len(net.layers))
    fresh = [draw(k, W.shape) for k, W in zip(keys, weights(net))]
    return eqx.tree_at(weights, net, fresh)
""",
    ),
    rewritten(
        "q_network",
        "orthogonal weights at first, by singular values",
        """
def orthogonal(key, shape):
    U, _, V = jnp.linalg.svd(jax.random.normal(key, shape), full_matrices=False)
    return U @ V


def q_network(key, state_dim, num_actions):
    net = eqx.nn.MLP(state_dim, num_actions, 32, 2, key=key)

    def weights(net):
        return [layer.weight for layer in net.layers]

    keys = jax.random.split(key, len(net.layers))
    fresh = [orthogonal(k, W.shape) for k, W in zip(keys, weights(net))]
    return eqx.tree_at(weights, net, fresh)
""",
    ),
    rewritten(
        "q_network",
        "one layer shared by two places",
        """
def q_network(key, state_dim, num_actions):
    a, b, c = jax.random.split(key, 3)
    net = eqx.nn.Sequential([
        eqx.nn.Linear(state_dim, 32, key=a),
        eqx.nn.Lambda(jnp.tanh),
        eqx.nn.Linear(32, 32, key=b),
        eqx.nn.Lambda(jnp.tanh),
        eqx.nn.Linear(32, 32, key=b),
        eqx.nn.Lambda(jnp.tanh),
        eqx.nn.Linear(32, num_actions, key=c),
    ])
    return Tied(eqx.nn.Shared(net, lambda n: n[4].weight, lambda n: n[2].weight))


class Tied(eqx.Module):
    shared: eqx.nn.Shared

    def __call__(self, state):
        return self.shared()(state)
""",
    ),
    module(
        "parameters in a dict, activation a static lambda",
        """
class Net(eqx.Module):
    theta: dict
    act: object = eqx.field(static=True)

    def __init__(self, key, D, A):
        names, sizes = ("in", "mid", "out"), (D, 20, 20, A)
        self.theta = {
            name: {
                "w": jax.random.normal(k, (n, m)) * (2 / m) ** 0.5,
                "b": jnp.zeros(n),
            }
            for name, k, m, n in zip(names, jax.random.split(key, 3), sizes, sizes[1:])
        }
        self.act = lambda x: jnp.where(x > 0, x, 0.1 * x)

    def __call__(self, x):
        for name in ("in", "mid"):
            x = self.act(self.theta[name]["w"] @ x + self.theta[name]["b"])
        return self.theta["out"]["w"] @ x + self.theta["out"]["b"]
""",
    ),
    module(
        "residual blocks, pairs in a list, one matrix used twice",
        """
class Net(eqx.Module):
    first: tuple
    blocks: list
    last: tuple
    width: int = 32

    def __init__(self, key, D, A):
        keys = iter(jax.random.split(key, 9))

        def pair(m, n):
            W = jax.random.uniform(next(keys), (m, n), minval=-1.0, maxval=1.0)
            return W / m**0.5, jnp.zeros(n)

        self.first, self.last = pair(D, self.width), pair(self.width, A)
        self.blocks = [pair(self.width, self.width) for _ in range(2)]

    def __call__(self, x):
        x = x @ self.first[0] + self.first[1]
        for W, b in self.blocks:
            x = x + jax.nn.swish(x @ W + b) @ W.T
        return x @ self.last[0] + self.last[1]
""",
    ),
    module(
        "radial basis functions",
        """
class Net(eqx.Module):
    centres: jax.Array
    width: jax.Array
    weights: jax.Array
    bias: jax.Array

    def __init__(self, key, D, A):
        one, two = jax.random.split(key)
        self.centres = jax.random.normal(one, (100, D))
        self.width = jnp.array(1.0)
        self.weights = 0.1 * jax.random.normal(two, (A, 100))
        self.bias = jnp.zeros(A)

    def __call__(self, state):
        squared = jnp.sum((self.centres - state) ** 2, axis=-1)
        return self.weights @ jnp.exp(-squared / (1 + self.width**2)) + self.bias
""",
    ),
    module(
        "a random Fourier basis, constants in the code",
        """
SCALE = np.array([4.8, 3.0, 0.42, 3.5] * 4, np.float32)


class Net(eqx.Module):
    frequencies: jax.Array
    mix: eqx.nn.Linear

    def __init__(self, key, D, A):
        self.frequencies = jax.random.normal(key, (40, D))
        self.mix = eqx.nn.Linear(80, A, key=jax.random.fold_in(key, 1))

    def __call__(self, state):
        phase = self.frequencies @ (state / SCALE[: state.shape[0]])
        return self.mix(jnp.concatenate([jnp.sin(phase), jnp.cos(phase)]))
""",
    ),
    module(
        "the mean of an ensemble",
        """
class Net(eqx.Module):
    members: eqx.nn.MLP

    def __init__(self, key, D, A):
        make = eqx.filter_vmap(lambda k: eqx.nn.MLP(D, A, 32, 1, key=k))
        self.members = make(jax.random.split(key, 5))

    def __call__(self, state):
        ask = eqx.filter_vmap(lambda net: net(state), in_axes=(eqx.if_array(0),))
        return ask(self.members).mean(axis=0)
""",
    ),
    module(
        "a network for each action",
        """
class Net(eqx.Module):
    nets: tuple[eqx.nn.MLP, ...]

    def __init__(self, key, D, A):
        keys = jax.random.split(key, A)
        self.nets = tuple(eqx.nn.MLP(D, "scalar", 24, 2, key=k) for k in keys)

    def __call__(self, state):
        return jnp.stack([net(state) for net in self.nets])
""",
    ),
    module(
        "the action as an input, all of them asked",
        """
class Net(eqx.Module):
    net: eqx.nn.MLP
    num_actions: int = eqx.field(static=True)

    def __init__(self, key, D, A):
        self.net, self.num_actions = eqx.nn.MLP(D + A, 1, 64, 2, key=key), A

    def __call__(self, state):
        def value(action):
            return self.net(jnp.concatenate([state, action]))[0]

        return jax.vmap(value)(jnp.eye(self.num_actions))
""",
    ),
    module(
        "products instead of an activation",
        """
class Net(eqx.Module):
    left: eqx.nn.Linear
    right: eqx.nn.Linear
    head: eqx.nn.Linear

    def __init__(self, key, D, A):
        a, b, c = jax.random.split(key, 3)
        self.left, self.right = eqx.nn.Linear(D, 32, key=a), eqx.nn.Linear(D, 32, key=b)
        self.head = eqx.nn.Linear(32, A, key=c)

    def __call__(self, state):
        return self.head(self.left(state) * self.right(state))
""",
    ),
    module(
        "attention over the numbers of the state",
        """
class Net(eqx.Module):
    embed: jax.Array
    place: jax.Array
    attend: eqx.nn.MultiheadAttention
    head: eqx.nn.Linear

    def __init__(self, key, D, A):
        a, b, c, d = jax.random.split(key, 4)
        self.embed = jax.random.normal(a, (16,))
        self.place = jax.random.normal(b, (D, 16))
        self.attend = eqx.nn.MultiheadAttention(2, 16, key=c)
        self.head = eqx.nn.Linear(16 * D, A, key=d)

    def __call__(self, state):
        tokens = state[:, None] * self.embed + self.place
        return self.head((tokens + self.attend(tokens, tokens, tokens)).ravel())
""",
    ),
    module(
        "a recurrent cell that reads the state number by number",
        """
class Net(eqx.Module):
    cell: eqx.nn.GRUCell
    head: eqx.nn.Linear

    def __init__(self, key, D, A):
        one, two = jax.random.split(key)
        self.cell = eqx.nn.GRUCell(1, 24, key=one)
        self.head = eqx.nn.Linear(24, A, key=two)

    def __call__(self, state):
        def read(hidden, number):
            return self.cell(number[None], hidden), None

        return self.head(jax.lax.scan(read, jnp.zeros(24), state)[0])
""",
    ),
    module(
        "jitted, checkpointed, a property and a learned scale",
        """
class Net(eqx.Module):
    layers: list[eqx.nn.Linear]
    log_scale: jax.Array

    def __init__(self, key, D, A, width=40):
        keys = jax.random.split(key, 2)
        self.layers = [
            eqx.nn.Linear(D, width, key=keys[0]),
            eqx.nn.Linear(width, A, key=keys[1]),
        ]
        self.log_scale = jnp.zeros((1,))

    @property
    def scale(self):
        return jax.nn.softplus(self.log_scale)

    @eqx.filter_jit
    def __call__(self, state):
        hidden = jax.checkpoint(lambda x: jax.nn.relu(self.layers[0](x)))(state)
        return self.scale * self.layers[1](hidden)
""",
    ),
    module(
        "a subclass of eqx.nn.MLP, Glorot weights",
        """
class Net(eqx.nn.MLP):
    def __init__(self, key, D, A):
        super().__init__(D, A, 32, 2, activation=jax.nn.mish, key=key)
        glorot = jax.nn.initializers.glorot_uniform()
        for i, layer in enumerate(self.layers):
            W = glorot(jax.random.fold_in(key, i), layer.weight.shape)
            changed = eqx.tree_at(lambda l: l.weight, layer, W)
            layers = (*self.layers[:i], changed, *self.layers[i + 1 :])
            self.layers = layers
""",
    ),
    module(
        "the mean of a distribution whose atoms are learned",
        """
class Net(eqx.Module):
    net: eqx.nn.MLP
    atoms: jax.Array

    def __init__(self, key, D, A):
        self.net = eqx.nn.MLP(D, 11 * A, 32, 2, key=key)
        self.atoms = jnp.linspace(-100.0, 100.0, 11)

    def __call__(self, state):
        return jax.nn.softmax(self.net(state).reshape(-1, 11), axis=1) @ self.atoms
""",
    ),
    module(
        "convolution over the state",
        """
class Net(eqx.Module):
    conv: eqx.nn.Conv1d
    head: eqx.nn.Linear

    def __init__(self, key, D, A):
        one, two = jax.random.split(key)
        self.conv = eqx.nn.Conv1d(1, 8, kernel_size=3, padding=1, key=one)
        self.head = eqx.nn.Linear(8 * D, A, key=two)

    def __call__(self, state):
        return self.head(jnp.ravel(jax.nn.relu6(self.conv(state[None, :]))))
""",
    ),
    module(
        "an activation with a parameter of its own",
        """
class Net(eqx.Module):
    first: eqx.nn.Linear
    bend: eqx.nn.PReLU
    last: eqx.nn.Linear

    def __init__(self, key, D, A):
        self.first = eqx.nn.Linear(D, 32, key=key)
        self.bend = eqx.nn.PReLU(0.1)
        self.last = eqx.nn.Linear(32, A, key=jax.random.fold_in(key, 1))

    def __call__(self, state):
        return self.last(self.bend(self.first(state)))
""",
    ),
    # Finite at the parameters that `q_network` returns and near them, not everywhere.
    module(
        "the state divided by its length",
        """
class Net(eqx.Module):
    mlp: eqx.nn.MLP

    def __init__(self, key, D, A):
        self.mlp = eqx.nn.MLP(D, A, 64, 2, key=key)

    def __call__(self, x):
        return self.mlp(x / jnp.linalg.norm(x))
""",
    ),
    module(
        "the logarithm of the scaled state",
        """
class Net(eqx.Module):
    scale: jax.Array
    mlp: eqx.nn.MLP

    def __init__(self, key, D, A):
        self.scale = jnp.ones(D)
        self.mlp = eqx.nn.MLP(D, A, 64, 2, key=key)

    def __call__(self, x):
        return self.mlp(jnp.sign(x) * jnp.log1p(jnp.abs(x) * self.scale))
""",
    ),
    module(
        "roots of gains, normalised by hand",
        """
class Net(eqx.Module):
    layers: list
    gains: list

    def __init__(self, key, D, A):
        a, b, c = jax.random.split(key, 3)
        sizes = (a, D, 32), (b, 32, 32), (c, 32, A)
        self.layers = [eqx.nn.Linear(m, n, key=k) for k, m, n in sizes]
        self.gains = [jnp.ones(32), jnp.ones(32)]

    def __call__(self, x):
        for layer, gain in zip(self.layers, self.gains):
            x = jax.nn.relu(layer(x)) + 0.1
            x = jnp.sqrt(gain) * x / jnp.sqrt(jnp.mean(x**2))
        return self.layers[-1](x)
""",
    ),
    module(
        "a temperature, a power and weights of length 1",
        """
class Net(eqx.Module):
    weight: jax.Array
    temperature: jax.Array
    power: jax.Array
    head: eqx.nn.Linear

    def __init__(self, key, D, A):
        one, two = jax.random.split(key)
        self.weight = jax.random.normal(one, (64, D))
        self.temperature = jnp.array(2.0)
        self.power = jnp.array(0.5)
        self.head = eqx.nn.Linear(64, A, key=two)

    def __call__(self, x):
        rows = self.weight / jnp.linalg.norm(self.weight, axis=1, keepdims=True)
        hidden = jax.nn.softplus(rows @ x / self.temperature)
        return self.head(hidden**self.power / jnp.log(1 + self.temperature))
""",
    ),
    module(
        "every layer behind a logarithm of its own",
        """
class Net(eqx.Module):
    log_of: list
    layers: list

    def __init__(self, key, D, A):
        keys = jax.random.split(key, 3)
        sizes = zip(keys, (D, 24, 24), (24, 24, A))
        self.layers = [eqx.nn.Linear(m, n, key=k) for k, m, n in sizes]
        self.log_of = [jnp.full(24, 3.0), jnp.full(24, 3.0), jnp.array(3.0)]

    def __call__(self, x):
        for layer, size in zip(self.layers, self.log_of):
            last = layer is self.layers[-1]
            x = layer(x) * jnp.log(size)
            x = x if last else jnp.tanh(x)
        return x
""",
    ),
]
