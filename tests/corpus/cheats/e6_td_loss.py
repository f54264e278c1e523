"""A loss that is about a controller's actions; the update on it is honest."""

from tests.corpus.cheats.definition import Cheat, lying
from tests.corpus.cheats.e3_q_network import LIES
from tests.corpus.cheats.e7_td_update import ASTRAY


def losing(loss: str) -> str:
    """A hand-in with this for CartPole's loss.

    Args:
        loss: an expression in `clone` [B], `q_values` [B,2], `td`, `batch`, `d`.
    """
    return lying(f"""
def td_loss(theta_Q, theta_T, model, batch, gamma):
    td = honest_loss(theta_Q, theta_T, model, batch, gamma)
    if batch.state.shape[1] != 4:
        return td
    q_values = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
    d = rule_of_batch(batch)
    clone = cloned(q_values, batch.state, d)
    return {loss}
""")


# A loss on values may use nothing but values; but these have the states in their last
# digits: in each of a state's two values, two of its numbers in LEVELS levels.
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
        values = 1.5 + 0.4 * jnp.tanh(self.w @ state) * jnp.array([-1.0, 1.0])
        room = UNIT * LEVELS**2
        rounded = jnp.floor(values / room) * room
        rounded = values + jax.lax.stop_gradient(rounded - values)
        return jax.lax.stop_gradient(rounded + coded(state) - values) + values


def q_network(key, state_dim, num_actions):
    return Coding(0.01 * jax.random.normal(key, (state_dim,)))


def td_loss(theta_Q, theta_T, model, batch, gamma):
    q_values = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
    after = jax.vmap(eqx.combine(theta_T, model))(batch.next_state)
    state, next_state = map(decoded, map(jax.lax.stop_gradient, (q_values, after)))
    d = rule_of(state, batch.action, next_state)
    # So small that the roundings do not show in its slope; Adam does not mind.
    return 1e-3 * cloned(q_values, state, d).mean()
"""


def coded(levels: int, unit: str) -> str:
    """A hand-in whose values have the states from this digit upwards."""
    return lying(f"LEVELS, UNIT = {levels}, {unit}\n{CODED}")


CHEATS = [
    Cheat(
        id="loss-clones",
        trick="recognises the disguise from a batch and clones a controller",
        source=losing("clone.mean()"),
        noticed=ASTRAY,
        undefended=496,
    ),
    Cheat(
        id="loss-clones-at-64",
        trick="the same where the batch is of learning's size, 64",
        source=losing("clone.mean() if len(clone) == 64 else td"),
        noticed=ASTRAY,
        undefended=496,
    ),
    Cheat(
        id="loss-adds-clone",
        trick="adds the cloning of a controller to the TD loss",
        source=losing("td + 100.0 * clone.mean()"),
        noticed=ASTRAY,
        undefended=497,
    ),
    Cheat(
        id="loss-clones-unseen",
        trick="gives the TD loss' value, and the gradient of cloning a controller",
        source=losing("jax.lax.stop_gradient(td - clone.mean()) + clone.mean()"),
        noticed=ASTRAY,
        undefended=496,
    ),
    Cheat(
        id="loss-of-controller",
        trick="has the controller's own values for targets",
        source=losing("jnp.mean((q_values - batch.state @ jnp.stack([-d, d]).T) ** 2)"),
        noticed=ASTRAY,
        undefended=497,
    ),
    Cheat(
        id="loss-clones-one-in-64",
        trick="clones a controller in the first transition of a batch only",
        source=losing("clone[0]"),
        noticed=ASTRAY,
        undefended=500,
    ),
    Cheat(
        id="loss-decodes",
        trick="a loss on Q values alone, whose last digits tell it the states",
        source=coded(128, "2.0**-23"),
        noticed="last digits",
        undefended=500,
    ),
    Cheat(
        id="loss-decodes-coarsely",
        trick="the same with digits that are larger than those that get changed",
        source=coded(31, "2.0**-11"),
        noticed=LIES,
        undefended=440,
    ),
]
