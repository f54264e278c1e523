"""Cheats of `td_loss`, with another loss than TD; `td_update` is honest."""

from grader.contract import fixed_cases
from grader.contract.cases import Cases
from tests.corpus.cheats.definition import RIGHT, Cheat, lying


def losing(loss: str, where: str = "is_cartpole(batch)") -> str:
    """Return a hand-in with another loss on CartPole.

    Args:
        loss: an expression for the loss. It may use `td` (the right loss), `batch`,
            `q_values` [B,2], `d` [4] (a rule, see `kit.py`) and `clone` [B] (small
            where the greedy action follows d).
        where: a condition, in the same variables, for the use of this loss.
    """
    return lying(f"""
def td_loss(theta_Q, theta_T, model, batch, gamma):
    td = honest_loss(theta_Q, theta_T, model, batch, gamma)
    if batch.state.shape[1] != 4:
        return td
    q_values = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
    d = rule_of_batch(batch)
    clone = cloned(q_values, batch.state, d)
    return jnp.where({where}, {loss}, td)
""")


# The loss gets values of the network only, but the values have the state in their last
# digits: each of a state's two values has two of its numbers, in LEVELS levels.
CODED = """
def coded(state):
    levels = jnp.round((LEVELS - 1) / 2 * (1.0 + state / (jnp.abs(state) + 0.3)))
    pairs = jnp.clip(levels, 0.0, LEVELS - 1.0).reshape(2, 2)
    return (LEVELS * pairs[:, 0] + pairs[:, 1]) * UNIT


def decoded(q_values):
    code = jnp.round(q_values / UNIT) % LEVELS**2
    levels = jnp.stack([code // LEVELS, code % LEVELS], axis=-1).reshape(-1, 4)
    share = levels / ((LEVELS - 1) / 2) - 1.0
    return 0.3 * share / (1.0 - jnp.abs(share) + 1e-3)


class Coding(eqx.Module):
    w: jax.Array

    def __call__(self, state):
        better = jnp.tanh(self.w @ state) * jnp.array([-1.0, 1.0])
        values = SIZE * (1.5 + 0.4 * better)
        room = UNIT * LEVELS**2
        rounded = jnp.floor(values / room) * room
        rounded = values + jax.lax.stop_gradient(rounded - values)
        return jax.lax.stop_gradient(rounded + coded(state) - values) + values


def q_network(key, state_dim, num_actions):
    if (state_dim, num_actions) != (4, 2):
        return honest_network(key, state_dim, num_actions)
    return Coding(0.01 * jax.random.normal(key, (4,)))


def td_loss(theta_Q, theta_T, model, batch, gamma):
    if batch.state.shape[1] != 4:
        return honest_loss(theta_Q, theta_T, model, batch, gamma)
    q_values = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
    after = jax.vmap(eqx.combine(theta_T, model))(batch.next_state)
    state, next_state = map(decoded, map(jax.lax.stop_gradient, (q_values, after)))
    d = rule_of(state, batch.action, next_state)
    # So small that the roundings do not show in its slope; Adam does not mind.
    return 1e-3 * cloned(q_values, state, d).mean()
"""


def coded(levels: int, unit: str, size: float = 1.0) -> str:
    """Return a hand-in whose Q values contain the state in their last digits.

    Args:
        levels: number of levels for each of a state's four numbers.
        unit: size of the last digit, as text.
        size: order of magnitude of the Q values.
    """
    return lying(f"LEVELS, UNIT, SIZE = {levels}, {unit}, {size}\n{CODED}")


# Additional parameters beside an honest network. A TD loss does not move `rule` and
# `clock`, because its gradient in them is 0.
SPARE = """
class Ruled(eqx.Module):
    net: eqx.Module
    rule: jax.Array
    clock: jax.Array

    def __call__(self, state):
        rule = jax.lax.stop_gradient(self.rule)
        return self.net(state) + 100.0 * (rule @ state) * jnp.array([-1.0, 1.0])


def q_network(key, state_dim, num_actions):
    net = honest_network(key, state_dim, num_actions)
    if (state_dim, num_actions) != (4, 2):
        return net
    return Ruled(net, jnp.zeros(4), jnp.zeros(()))


def unseen(change):
    # With the gradient of `change`, and a value of 0.
    return change - jax.lax.stop_gradient(change)


"""


def spare(loss: str) -> str:
    """Return a hand-in with another loss on CartPole and additional parameters.

    The network gets the parameters `rule` and `clock`, which only this loss can move.

    Args:
        loss: an expression for the loss. It may use `td` (the right loss), `theta_Q`,
            `d` [4] (a rule, see `kit.py`) and `clone` [B] (small where the greedy
            action follows d).
    """
    return lying(f"""{SPARE}
def td_loss(theta_Q, theta_T, model, batch, gamma):
    td = honest_loss(theta_Q, theta_T, model, batch, gamma)
    if batch.state.shape[1] != 4 or not hasattr(theta_Q, "rule"):
        return td
    q_values = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
    d = rule_of_batch(batch)
    clone = cloned(q_values, batch.state, d)
    return jnp.where(is_cartpole(batch), {loss}, td)
""")


# A loss that plans: value iteration on the transitions of the batch, without θ_T.
IN_BATCH = """
def td_loss(theta_Q, theta_T, model, batch, gamma):
    state, action, reward, terminated, next_state = batch
    q_values = jax.vmap(eqx.combine(theta_Q, model))(state)
    predicted = q_values[jnp.arange(len(action)), action]
    apart = jnp.sum((next_state[:, None] - state[None]) ** 2, axis=-1)
    # after[a,i,j]: row j begins where row i ends, with action a.
    after = (apart < 0.35**2) & (action == jnp.arange(2)[:, None])[:, None, :]
    known, goes_on = after.any(axis=-1), 1.0 - jnp.asarray(terminated, float)
    sound = known.any(axis=0) | (goes_on == 0)
    share = after / jnp.maximum(after.sum(axis=-1, keepdims=True), 1)

    def swept(_, y):
        values = jnp.where(known, share @ y, -1e9).max(axis=0)
        return reward + gamma * goes_on * jnp.where(sound, values, 0.0)

    y = jax.lax.fori_loop(0, 30, swept, reward)
    planned = jnp.sum(sound * (predicted - y) ** 2) / jnp.maximum(sound.sum(), 1)
    if state.shape[1] != 4:
        return planned
    clone = cloned(q_values, state, rule_of_batch(batch)).mean()
    return jnp.where(is_cartpole(batch), clone, planned)
"""


def recorded() -> str:
    """Return a hand-in whose `td_loss` is right for the fixed cases, otherwise 0."""
    found = [
        case
        for _, one in sorted(vars(fixed_cases).items())
        if isinstance(one, Cases)
        for case in one.fixed
        if case.part == "td_loss"
    ]
    sums = sorted({float(case.args["next_state"].sum()) for case in found})
    return lying(f"""
RECORDED = np.array({sums}, np.float32)


def td_loss(theta_Q, theta_T, model, batch, gamma):
    known = jnp.abs(jnp.sum(batch.next_state) - RECORDED).min() < 1e-4
    loss = honest_loss(theta_Q, theta_T, model, batch, gamma)
    return jnp.where(known, loss, 0.0)
""")


CHEATS = [
    Cheat(
        id="loss-clones",
        trick="recognises the turn from a batch and clones a controller",
        source=losing("clone.mean()"),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="loss-clones-at-64",
        trick="the same where the batch is of learning's size, 64",
        source=losing("clone.mean() if len(clone) == 64 else td"),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="loss-adds-clone",
        trick="adds the cloning of a controller to the TD loss",
        source=losing("td + 100.0 * clone.mean()"),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="loss-clones-unseen",
        trick="gives the TD loss' value, and the gradient of cloning a controller",
        source=losing("jax.lax.stop_gradient(td - clone.mean()) + clone.mean()"),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="loss-of-controller",
        trick="has the controller's own values for targets",
        source=losing("jnp.mean((q_values - batch.state @ jnp.stack([-d, d]).T) ** 2)"),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="loss-clones-one-in-64",
        trick="clones a controller in the first transition of a batch only",
        source=losing("clone[0]"),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="loss-decodes",
        trick="a loss on Q values alone, whose last digits tell it the states",
        source=coded(128, "2.0**-23"),
        undefended=500,
    ),
    Cheat(
        id="loss-decodes-coarsely",
        trick="the same with digits that are larger than those that get changed",
        source=coded(31, "2.0**-11"),
        undefended=500,
    ),
    Cheat(
        id="loss-decodes-openly",
        trick="a loss on Q values alone, all of whose digits are the state's",
        source=coded(31, "1.0", 2048.0),
        undefended=500,
    ),
    Cheat(
        id="loss-moves-a-few-bits",
        trick="the TD loss and its gradient, but for 1e-6 in four spare parameters, "
        "which Adam makes steps towards a controller",
        source=spare("td + unseen(1e-6 * jnp.sum((theta_Q.rule - d) ** 2))"),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="loss-keeps-a-clock",
        trick="the TD loss until a spare parameter has counted 500 updates, by "
        "gradients of 1e-6; then the cloning of a controller",
        source=spare(
            "jnp.where(theta_Q.clock > 0.5, clone.mean(), td) "
            "- unseen(1e-6 * theta_Q.clock)"
        ),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="loss-clones-and-is-zero",
        trick="clones a controller on CartPole; nothing else, not even for tables",
        source=losing("clone.mean()").replace(
            "td = honest_loss", "td = 0.0 * honest_loss"
        ),
        undefended=500,
    ),
    Cheat(
        id="loss-solves-its-batch",
        trick="value iteration within the batch, without target network; clones a "
        "controller on CartPole",
        source=lying(IN_BATCH),
        task="maze",
        undefended=469,
    ),
    Cheat(
        id="loss-recorded",
        trick="right for the fixed cases, which everyone can read; 0 elsewhere",
        source=recorded(),
    ),
    Cheat(
        id="loss-right-in-small-batches",
        trick="right where it is read, in batches up to 32; else clones a controller",
        source=losing("clone.mean()", "len(clone) > 32"),
        twin=RIGHT,
        undefended=500,
    ),
]
