"""Exercise 3: what goes wrong in the network."""

from tests.corpus.mutants.definition import Mutant, changed, rewritten

PART = "q_network"
DQN = "(slides: Deep Q Networks)"
REVIEW = "(slides: Deep Learning Review)"

FIRST = "eqx.nn.Linear(state_dim, 64, key=keys[0]),"
SECOND = "eqx.nn.Linear(64, 64, key=keys[1]),"
HEAD = "eqx.nn.Linear(64, num_actions, key=keys[2]),"
RELU = "eqx.nn.Lambda(jax.nn.relu),"
FIRST_RELU = f"{FIRST}\n            {RELU}"
SECOND_RELU = f"{SECOND}\n            {RELU}"

# A right network, defined as a class.
CLASS = """
class QNetwork(eqx.Module):
    layers: list

    def __init__(self, key, state_dim, num_actions):
        one, two = jax.random.split(key)
        self.layers = [
            eqx.nn.Linear(state_dim, 128, key=one),
            eqx.nn.Linear(128, num_actions, key=two),
        ]

    def __call__(self, state):
        hidden = jax.nn.relu(self.layers[0](state))
        return self.layers[1](hidden)


def q_network(key, state_dim, num_actions):
    return QNetwork(key, state_dim, num_actions)
"""
# A dueling network with a mistake: the state's value V cannot be negative.
POSITIVE_VALUE = """
class QNetwork(eqx.Module):
    body: eqx.nn.Linear
    value: eqx.nn.Linear
    advantage: eqx.nn.Linear

    def __init__(self, key, state_dim, num_actions):
        one, two, three = jax.random.split(key, 3)
        self.body = eqx.nn.Linear(state_dim, 128, key=one)
        self.value = eqx.nn.Linear(128, 1, key=two)
        self.advantage = eqx.nn.Linear(128, num_actions, key=three)

    def __call__(self, state):
        hidden = jax.nn.relu(self.body(state))
        value = jax.nn.relu(self.value(hidden))
        advantage = self.advantage(hidden)
        return value + advantage - advantage.mean()


def q_network(key, state_dim, num_actions):
    return QNetwork(key, state_dim, num_actions)
"""
CALL = "def __call__(self, state):"
HIDDEN = "jax.nn.relu(self.layers[0](state))"
OUTPUT = "return self.layers[1](hidden)"
FIELD = "    layers: list\n"
BUILT = "key=two),\n        ]\n"


def head(
    id: str, severity: str, misconception: str, hint: str, function: str
) -> Mutant:
    """Return a mutant whose network applies one more function after its last layer."""
    more = f"{HEAD} eqx.nn.Lambda({function}),"
    return changed(PART, id, severity, misconception, hint, (HEAD, more))


def own_class(
    id: str, severity: str, misconception: str, hint: str, *changes: tuple[str, str]
) -> Mutant:
    """Return a mutant whose network is the class `CLASS`, with changes in its text."""
    code = CLASS
    for old, new in changes:
        if code.count(old) != 1:
            raise ValueError(f"{old!r} stands {code.count(old)} times in CLASS")
        code = code.replace(old, new)
    return rewritten(PART, id, severity, misconception, hint, code)


MUTANTS = [
    # What comes out
    head(
        "out-activation",
        "S",
        "ReLU on the output",
        "Your network never answers a negative number: an activation like ReLU stands "
        "after the last layer. Q values can be any numbers, so the last layer stays "
        f"bare {DQN}.",
        "jax.nn.relu",
    ),
    head(
        "out-softmax",
        "F",
        "probabilities instead of values",
        "Your outputs are positive and sum to 1, like the probabilities that a "
        f"softmax makes. Q is a regression of returns, which can be any numbers {DQN}.",
        "jax.nn.softmax",
    ),
    head(
        "out-tanh",
        "F",
        "output between -1 and 1",
        "Your outputs stay between -1 and 1, as after a tanh. Returns are much "
        f"larger, so nothing may bound Q {DQN}.",
        "jnp.tanh",
    ),
    head(
        # Right for CartPole's returns of up to 500, for no others. The hint has no
        # number: any bound above 1 gives this fingerprint.
        "out-scaled-sigmoid",
        "S",
        "output between 0 and 500",
        "Your outputs are never negative and bounded from above, as after a sigmoid "
        "with a factor. Other tasks have other returns, also negative ones: nothing "
        f"may bound Q {DQN}.",
        "lambda q: 500 * jax.nn.sigmoid(q)",
    ),
    head(
        "out-centred",
        "F",
        "dueling head without the value",
        "The values of the actions always sum to 0: you output only by how much one "
        "action is better than another. How good the state itself is has to be in "
        f"them, too {DQN}.",
        "lambda q: q - q.mean()",
    ),
    rewritten(
        PART,
        "out-positive-value",
        "S",
        "dueling head with a ReLU on the value",
        "The mean of your actions' values is never negative, as in a dueling network "
        "with a ReLU on the state's value V. Returns can be any numbers, so nothing "
        f"may bound V {DQN}.",
        POSITIVE_VALUE,
    ),
    changed(
        PART,
        "out-same-for-all",
        "F",
        "one value for all actions",
        "All actions always get one and the same value, as when one output is "
        f"repeated. Each action needs an output of its own {DQN}.",
        (
            HEAD,
            f"{HEAD.replace('num_actions', '1')} "
            "eqx.nn.Lambda(lambda v: jnp.repeat(v, num_actions)),",
        ),
    ),
    changed(
        PART,
        "out-scalar",
        "X",
        "V(s): a single output",
        "Your network has a single output, as for V(s). It has to give the values of "
        f"all actions at once, one output for each {DQN}.",
        (HEAD, HEAD.replace("num_actions", "1")),
    ),
    own_class(
        "out-sa",
        "X",
        "Q(s, a): takes an action too",
        "Your network asks for a state and an action. It gets the state alone, and "
        f"gives the values of all actions at once {DQN}.",
        (CALL, "def __call__(self, state, action):"),
        (OUTPUT, f"{OUTPUT}[action]"),
    ),
    changed(
        PART,
        "out-state-size",
        "X",
        "as many outputs as inputs",
        "Your network has as many outputs as the state has numbers. It needs one "
        f"output for each action {DQN}.",
        (HEAD, HEAD.replace("num_actions", "state_dim")),
    ),
    changed(
        PART,
        "out-two",
        "S",
        "CartPole's number of actions built in",
        "Your network always has two outputs, as CartPole needs them. The number of "
        f"actions is an argument: use it for the size of the last layer {DQN}.",
        (HEAD, HEAD.replace("num_actions", "2")),
    ),
    own_class(
        "no-vmap",
        "X",
        "expects a batch, as in PyTorch",
        "Your network expects a whole batch of states. It has to take one state; "
        f"whoever has a batch puts a vmap around it {REVIEW}.",
        (HIDDEN, "jax.nn.relu(jax.vmap(self.layers[0])(state))"),
        (OUTPUT, "return jax.vmap(self.layers[1])(hidden)"),
    ),
    own_class(
        "vmap-axis",
        "X",
        "adds a batch axis of its own",
        "Your network answers one state with an array of one row: it adds a batch axis "
        "of its own. One state in, one flat array of values out; vmap adds the batch "
        f"{REVIEW}.",
        (HIDDEN, "jax.nn.relu(jax.vmap(self.layers[0])(state[None, :]))"),
        (OUTPUT, "return jax.vmap(self.layers[1])(hidden)"),
    ),
    # What is in between
    changed(
        PART,
        "linear",
        "F",
        "no activation",
        "Your network is a straight line: without an activation between them, linear "
        f"layers in a row are one linear layer {REVIEW}.",
        (FIRST_RELU, FIRST),
        (SECOND_RELU, SECOND),
    ),
    changed(
        PART,
        "part-of-state",
        "D",
        "leaves out the state's first numbers",
        "Your network looks at a part of the state only. The values depend on all of "
        f"its numbers {DQN}.",
        (
            FIRST,
            "eqx.nn.Lambda(lambda state: state[2:]), "
            f"{FIRST.replace('state_dim', 'state_dim - 2')}",
        ),
    ),
    changed(
        PART,
        "raw-fn-in-sequential",
        "X",
        "a bare function in Sequential",
        "A plain function stands in your Sequential, which calls each member as a "
        f"layer with a key. Equinox has a layer that wraps a function {REVIEW}.",
        (FIRST_RELU, f"{FIRST}\n            jax.nn.relu,"),
    ),
    changed(
        PART,
        "dropout",
        "X",
        "dropout without a key",
        "Your dropout layer needs a key at every call, and the network gets a state "
        f"alone: leave it out; the same state has to give the same values {REVIEW}.",
        (SECOND_RELU, f"{SECOND_RELU}\n            eqx.nn.Dropout(0.1),"),
    ),
    own_class(
        "numpy-forward",
        "X",
        "NumPy in the forward pass",
        "Your forward pass calls NumPy, which cannot work under vmap, jit and grad: "
        f"use the functions of jax.numpy or jax.nn there {REVIEW}.",
        (HIDDEN, "np.maximum(0.0, self.layers[0](state))"),
    ),
    # Parameters
    changed(
        PART,
        "net-fixed-key",
        "S",
        "a key of its own",
        "The parameters are the same for every key, as when a network makes a key of "
        f"its own. They have to come from the key that is given {REVIEW}.",
        ("split(key, 3)", "split(jax.random.key(0), 3)"),
    ),
    changed(
        PART,
        "net-zeros",
        "F",
        "all parameters start at zero",
        "Where all parameters start at the same number, such as 0, the units of a "
        "layer never become different. They have to start at random, from the key "
        f"{REVIEW}.",
        ("return eqx.nn.Sequential(", "net = eqx.nn.Sequential("),
        ("]\n    )", "]\n    )\n    return jax.tree.map(zeros, net)"),
        (
            "keys = jax",
            "zeros = lambda x: 0 * x if eqx.is_array(x) else x\n    keys = jax",
        ),
    ),
    own_class(
        "net-int-field",
        "X",
        "sizes kept in an array",
        "Your module keeps an array of whole numbers, and every array in it counts "
        "as a parameter, to be trained. Plain Python numbers or constants in the "
        f"code are not {REVIEW}.",
        (FIELD, f"{FIELD}    sizes: jax.Array\n"),
        (BUILT, f"{BUILT}        self.sizes = jnp.array([state_dim, num_actions])\n"),
    ),
    own_class(
        "net-static-layers",
        "F",
        "layers marked as static",
        "partition finds no parameters in your network, as when its layers are marked "
        "as static. Then nothing can be trained: they have to be ordinary fields "
        f"{REVIEW}.",
        (FIELD, "    layers: tuple = eqx.field(static=True)\n"),
        ("self.layers = [", "self.layers = ("),
        (BUILT, "key=two),\n        )\n"),
    ),
    own_class(
        "net-undeclared-field",
        "X",
        "fields not declared, as in PyTorch",
        "Your module sets a field that it does not declare. An Equinox module lists "
        f"its fields with their types at the top of the class {REVIEW}.",
        (FIELD, ""),
    ),
    changed(
        PART,
        "net-partitioned",
        "X",
        "returns θ and model",
        "You return the two halves of the network. Return the network as a whole; it "
        f"is taken apart elsewhere {REVIEW}.",
        ("return eqx.nn.Sequential(", "net = eqx.nn.Sequential("),
        ("]\n    )", "]\n    )\n    return eqx.partition(net, eqx.is_array)"),
    ),
]
