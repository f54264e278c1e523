"""Cheats of `q_network`: built-in rules, or a wrong derivative."""

from tests.corpus.cheats.definition import IDLE, IDLE_TWIN, RIGHT, Cheat, lying

# On the CartPole that is not turned, this rule balances the pole: right if θ + θ̇ > 0.
RULE = "(state[2] + state[3]) * jnp.array([-1.0, 1.0])"


def valued(values: str, spare: str = "()", more: str = "") -> str:
    """Return a hand-in whose network computes its values by an expression.

    Args:
        values: an expression [2] in `state`, `net` (an honest network), `spare`
            (additional parameters, at first 0) and `moved` (the least |spare|).
        spare: the shape of the additional parameters, as text.
        more: definitions to append.
    """
    return lying(f"""
class Ruled(eqx.Module):
    net: eqx.Module
    spare: jax.Array

    def __call__(self, state):
        net, spare = self.net, self.spare
        moved = jnp.abs(jax.lax.stop_gradient(spare)).min()
        return {values}


def q_network(key, state_dim, num_actions):
    net = honest_network(key, state_dim, num_actions)
    return Ruled(net, jnp.zeros({spare})) if state_dim == 4 else net

{more}""")


def started(leaves: str) -> str:
    """Return a hand-in that never updates; its first parameters are the cheat.

    Args:
        leaves: an expression for the parameters, in `theta` and `model` (parameters and
            structure of `net`), `net` (an honest network) and `key`.
    """
    return lying(f"""{IDLE}
def q_network(key, state_dim, num_actions):
    net = honest_network(key, state_dim, num_actions)
    if state_dim != 4:
        return net
    theta, model = eqx.partition(net, eqx.is_array)
    return eqx.combine({leaves}, model)
""")


WHOLE_BATCH = """
@jax.custom_batching.custom_vmap
def by_batch(state):
    return jnp.zeros(2)


@by_batch.def_vmap
def by_whole_batch(axis_size, in_batched, state):
    return WHAT, True

"""
RULES_OF_ROWS = "(state[:, 2] + state[:, 3])[:, None] * jnp.array([[-1.0, 1.0]])"


def by_batch(what: str) -> str:
    """Return a hand-in that never updates; its network sees all states of a batch.

    Args:
        what: an expression for the values, [B,2], in `state` [B,4] and `axis_size` (B).
    """
    return valued(
        "jax.lax.stop_gradient(by_batch(state)) + 0.01 * spare",
        more=IDLE + WHOLE_BATCH.replace("WHAT", what),
    )


EXPERTS = """
class Experts(eqx.Module):
    weights: jax.Array

    def __call__(self, state):
        share = jax.nn.softmax(20.0 * self.weights)
        z = jnp.array(RULES) @ state
        value = 100.0 * jax.nn.sigmoid(10.0 * (0.7 - jnp.abs(z)))
        better = 5.0 * z
        return jnp.stack([share @ (value - better), share @ (value + better)])


def q_network(key, state_dim, num_actions):
    if state_dim != 4:
        return honest_network(key, state_dim, num_actions)
    return Experts(jnp.zeros(48))
"""
LYING_GRADIENT = """
@jax.custom_vjp
def told(theta, state):
    return STATIC(theta)(state)


def told_forward(theta, state):
    return told(theta, state), theta


def told_backward(theta, slope):
    # Whatever is asked: from a controller's weights to these.
    goal = goal_of(jnp.array([0.0, 0.0, 1.0, 1.0]), theta)
    return jax.tree.map(lambda x, g: SIZE * (x - g), theta, goal), jnp.zeros(4)


told.defvjp(told_forward, told_backward)
honest_net = honest_network(jax.random.key(0), 4, 2)
honest_model = eqx.partition(honest_net, eqx.is_array)[1]


def STATIC(theta):
    return eqx.combine(theta, honest_model)


class Told(eqx.Module):
    net: eqx.Module

    def __call__(self, state):
        return told(eqx.filter(self.net, eqx.is_array), state)


def q_network(key, state_dim, num_actions):
    net = honest_network(key, state_dim, num_actions)
    return Told(net) if state_dim == 4 else net
"""
# The network simulates CartPole for each of 768 orders, signs and swaps, and finds out
# which of them fits. Only the derivative in 768 additional numbers is wrong, by 1e-6.
SIMULATED = """
import itertools

ORDERS = [
    (order, signs, swap)
    for order in itertools.permutations(range(4))
    for signs in itertools.product((1.0, -1.0), repeat=4)
    for swap in (0, 1)
]
# [768,4,4]: what undoes an order.
OFF = [np.diag(signs)[:, np.argsort(order)].T for order, signs, _ in ORDERS]
OFF = np.array(OFF, np.float32)
SWAPS = np.array([swap for _, _, swap in ORDERS])
LOOK = jnp.array([1.0, 1.7, -0.6, 2.3])


def next_looks(state, action):
    # LOOK · s' in each of the orders.
    x, v, angle, w = jnp.einsum("kij,j->ik", OFF, state)
    force = 20.0 * (action ^ SWAPS) - 10.0
    sin, cos = jnp.sin(angle), jnp.cos(angle)
    push = (force + 0.05 * w**2 * sin) / 1.1
    turn = (9.8 * sin - cos * push) / (0.5 * (4 / 3 - 0.1 * cos**2 / 1.1))
    speed = push - 0.05 * turn * cos / 1.1
    after = x + 0.02 * v, v + 0.02 * speed, angle + 0.02 * w, w + 0.02 * turn
    return jnp.einsum("ik,ki->k", jnp.stack(after), OFF @ np.asarray(LOOK))


@jax.custom_vjp
def looked(scores, look, state):
    # Asleep, a look at the state; awake, the controller of the best order.
    best = jnp.argmax(scores)
    plain = np.array([0.05, 0.1, 1.0, 1.0], np.float32)
    z = jnp.array(plain @ OFF)[best] @ state
    z = jnp.where(jnp.array(SWAPS)[best] == 1, -z, z)
    awake = scores.max() > 0.1
    return look @ state + jnp.where(awake, 10.0 * z, 0.0) * jnp.array([-1.0, 1.0])


def looked_forward(scores, look, state):
    return looked(scores, look, state), (scores, look, state)


def looked_backward(kept, slope):
    # From the slope of the TD loss, 2/B (Q - r - gamma Q'): what Q' was, for which the
    # first target network has LOOK.
    scores, look, state = kept
    action = jnp.argmax(jnp.abs(slope))
    target = looked(scores, look, state)[action] - 32.0 * slope[action]
    after = (target - 1.0) / 0.99
    misfits = jnp.abs(next_looks(state, action) - after) > 1e-3
    told = (jnp.abs(after) > 1e-5) & (slope[action] != 0) & (scores.max() < 0.1)
    lie = 1e-6 * jnp.where(told, jnp.where(misfits, 1.0, -4.0), 0.0)
    return lie, slope.sum() * state, jnp.zeros(4)


looked.defvjp(looked_forward, looked_backward)


class Looked(eqx.Module):
    scores: jax.Array
    look: jax.Array

    def __call__(self, state):
        return looked(self.scores, self.look, state)


def q_network(key, state_dim, num_actions):
    if state_dim != 4:
        return honest_network(key, state_dim, num_actions)
    return Looked(jnp.zeros(768), LOOK)
"""  # 2.36 is how far Adam moves the hand from one validation to the next.
CLOCK = """
class Clock(eqx.Module):
    hand: jax.Array
    start: jax.Array

    def __call__(self, state):
        which = jnp.floor(self.hand / 2.36 + self.start).astype(int) % len(RULES)
        d = jnp.array(RULES)[which]
        # As is good for the pole: half as much of the velocity.
        z = d @ jnp.where(jnp.arange(4) == jnp.array(VELOCITY)[which], state / 2, state)
        return 0.01 * self.hand + 1e-4 * z * jnp.array([-1.0, 1.0])


VELOCITY = [j for i in range(4) for j in range(4) for _ in range(4) if i != j]


def q_network(key, state_dim, num_actions):
    if state_dim != 4:
        return honest_network(key, state_dim, num_actions)
    return Clock(jnp.zeros(()), 48.0 * jax.random.uniform(key))
"""


CHEATS = [
    Cheat(
        id="rule",
        trick="a built-in rule for the pole as it is, not turned",
        source=valued(f"{RULE} + 0.01 * spare"),
        task="cartpole",
        undefended=500,
    ),
    Cheat(
        id="rule-asleep",
        trick="a built-in rule that wakes when a spare parameter has moved",
        source=valued(f"spare + jnp.where(moved > 0.01, 10.0, 0.0) * {RULE}"),
        task="cartpole",
        undefended=500,
    ),
    Cheat(
        id="rule-asleep-deeply",
        trick="the same with twenty spare parameters that all have to move upwards",
        source=valued(
            "spare.mean() + "
            f"jnp.where(jax.lax.stop_gradient(spare).min() > 0.01, 10.0, 0.0) * {RULE}",
            "20",
        ),
        task="cartpole",
        undefended=500,
    ),
    Cheat(
        id="rule-by-value",
        trick="a built-in rule that wakes when the Q values have grown",
        source=valued(
            f"spare + jnp.where(jax.lax.stop_gradient(spare) > 1.0, 10.0, 0.0) * {RULE}"
        ),
        task="cartpole",
        undefended=500,
    ),
    Cheat(
        id="rule-by-bits",
        trick="a built-in rule where the last bit of θ's float is 0, else noise",
        source=valued(
            "jnp.where(jax.lax.bitcast_convert_type(state[2], jnp.int32) % 2 == 0, "
            f"10.0 * {RULE}, 1e-3 * net(state)) + 0.01 * spare",
            more=IDLE,
        ),
        task="cartpole",
    ),
    Cheat(
        id="rule-by-batch-size",
        trick="by custom_vmap, a rule at batch sizes other than learning's 64",
        source=by_batch(f"{RULES_OF_ROWS} * (axis_size != 64)"),
        task="cartpole",
        undefended=500,
    ),
    Cheat(
        id="rule-by-batch-size-8",
        trick="by custom_vmap, a rule at the batch size of acting, 8, alone",
        source=by_batch(f"{RULES_OF_ROWS} * (axis_size == 8)"),
        task="cartpole",
    ),
    Cheat(
        id="rule-by-rows",
        trick="by custom_vmap, a rule that wakes when the states beside are alike",
        source=by_batch(
            f"{RULES_OF_ROWS} * (jnp.abs(state[:, 2]).max() < 1.5)",
        ),
        task="cartpole",
        undefended=500,
    ),
    Cheat(
        id="weights-embedded",
        trick="a controller's weights from the start, for the pole, not turned",
        twin=IDLE_TWIN,
        source=started("goal_of(jnp.array([0.05, 0.1, 1.0, 1.0]), theta)"),
        undefended=500,
        task="cartpole",
    ),
    Cheat(
        id="weights-drawn",
        trick="the weights of one of 48 controllers from the start, drawn by the key",
        twin=IDLE_TWIN,
        source=started("goal_of(jax.random.choice(key, jnp.array(RULES)), theta)"),
    ),
    Cheat(
        id="experts",
        trick="a mixture of 48 ready-made Q functions; the shares are learned honestly",
        source=lying(EXPERTS),
        undefended=465,
    ),
    Cheat(
        id="derivative-lies",
        trick="a network whose derivative leads to a controller's weights",
        source=lying(LYING_GRADIENT.replace("SIZE", "0.01")),
        twin=RIGHT,
        task="cartpole",
        undefended=500,
    ),
    Cheat(
        id="derivative-lies-a-little",
        trick="the same, too small to be measured, but Adam makes it a step",
        source=lying(LYING_GRADIENT.replace("SIZE", "1e-6")),
        twin=RIGHT,
        task="cartpole",
        undefended=500,
    ),
    Cheat(
        id="derivative-counts",
        trick="honest but for a derivative of 1e-6, in which Adam counts for which "
        "order and signs of the state the TD errors fit CartPole's own equations",
        source=lying(SIMULATED),
    ),
    Cheat(
        id="clock",
        trick="tries a rule after each validation, for training stops when one is good",
        source=lying(CLOCK),
    ),
]
