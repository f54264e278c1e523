"""A buffer that gives other transitions than it was handed, or not by chance."""

from tests.corpus.cheats.definition import Cheat, lying

UNEVEN = "more often"
NOT_STORED = "not in the buffer"


def giving(rows: str, loss: str = "") -> str:
    """A hand-in whose buffer does something to what it has drawn.

    Args:
        rows: a statement that changes `batch`, a dict of the five fields, or `index`,
            the rows that were drawn of `columns`; it may use `right`, the actions that
            a controller would take in all the states stored.
        loss: a `td_loss`, where it is not the solution's.
    """
    return lying(f"""{loss}
class ReplayBuffer(HonestBuffer):
    def __init__(self, capacity):
        super().__init__(capacity)
        self.everything = []

    def add(self, *transition):
        super().add(*transition)
        self.everything.append([np.array(field) for field in transition])

    def sample(self, batch_size, rng):
        columns = Transition(*(column[: len(self)] for column in self.columns))
        if columns.state.shape[1] != 4:
            return super().sample(batch_size, rng)
        d = np.asarray(rule_of(*(jnp.asarray(c[:64]) for c in (
            columns.state, columns.action, columns.next_state
        )))) if len(self) < 400 else self.d
        self.d = d
        right = (columns.state @ d > 0).astype(np.int32)
        index = rng.integers(len(self), size=batch_size)
        batch = {{}}
        {rows}
        drawn = {{name: getattr(columns, name)[index] for name in columns._fields}}
        return Transition(**{{**drawn, **batch}})
""")


# Values that tell which action was taken: what matters is which rows come.
CLONES_ACTIONS = """
def td_loss(theta_Q, theta_T, model, batch, gamma):
    q_values = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
    rows = jnp.arange(len(batch.action))
    better = q_values[rows, batch.action] - q_values[rows, 1 - batch.action]
    return jnp.mean(jax.nn.softplus(-10.0 * better))
"""
# A network that learns nothing: it goes by the rule that just holds in states beside.
BESIDE = """
@jax.custom_batching.custom_vmap
def by_rows(state):
    return jnp.zeros(2)


@by_rows.def_vmap
def by_all_rows(axis_size, in_batched, state):
    z = state @ jnp.array(RULES).T
    said = ((z > 0.0) & (z < 0.03)).mean(axis=0)
    good = z[:, jnp.argmax(said)]
    return jnp.stack([-good, good], axis=1), True


class Told(eqx.Module):
    net: eqx.Module

    def __call__(self, state):
        if len(state) != 4:
            return self.net(state)
        return jax.lax.stop_gradient(by_rows(state)) + 0.0 * self.net(state)


def q_network(key, state_dim, num_actions):
    return Told(honest_network(key, state_dim, num_actions))


def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    return theta_Q, opt_state, td_loss(theta_Q, theta_T, model, batch, gamma)
"""


CHEATS = [
    Cheat(
        id="rows-invented",
        trick="invents transitions that end unless the action is a controller's",
        source=giving(
            "s = rng.normal(size=(batch_size, 4)).astype(np.float32); "
            "a = rng.integers(2, size=batch_size); bad = (s @ d > 0) != a; "
            "batch = dict(state=s, action=a, reward=1.0 - bad, terminated=bad | True, "
            "next_state=s)"
        ),
        noticed=NOT_STORED,
        undefended=497,
    ),
    Cheat(
        id="rows-rewarded",
        trick="rewrites rewards: 1 for a controller's action, else 0, and an end",
        source=giving(
            "batch = dict(reward=1.0 * (right == columns.action)[index], "
            "terminated=np.ones(batch_size, bool))"
        ),
        noticed=NOT_STORED,
        undefended=497,
    ),
    Cheat(
        id="rows-relabelled",
        trick="has the controller's action in each row, for a loss that clones actions",
        source=giving("batch = dict(action=right[index])", CLONES_ACTIONS),
        noticed=NOT_STORED,
        undefended=496,
    ),
    Cheat(
        id="rows-ended",
        trick="lets an episode end wherever the action is not a controller's",
        source=giving("batch = dict(terminated=(right != columns.action)[index])"),
        noticed=NOT_STORED,
        undefended=497,
    ),
    Cheat(
        id="rows-mixed",
        trick="takes the action from a row in which a controller would do the same",
        source=giving(
            "batch = dict(action=columns.action[np.where(right[index], "
            "columns.action.argmax(), columns.action.argmin())])",
            CLONES_ACTIONS,
        ),
        noticed=NOT_STORED,
        undefended=496,
    ),
    Cheat(
        id="rows-evicted",
        trick="forgets nothing: returns the first transitions for ever",
        source=giving(
            "first = self.everything[:256]; "
            "old = [first[i] for i in rng.integers(len(first), size=batch_size)]; "
            "batch = dict(zip(columns._fields, map(np.stack, zip(*old))))"
        ),
        noticed=UNEVEN,
        undefended=500,
    ),
    Cheat(
        id="rows-swapped",
        trick="swaps state and next state",
        source=giving(
            "batch = dict(state=columns.next_state[index], "
            "next_state=columns.state[index])"
        ),
        noticed=NOT_STORED,
    ),
    Cheat(
        id="rows-chosen-to-clone",
        trick="draws only rows whose action is a controller's, to be cloned",
        source=giving(
            "index = rng.choice(np.flatnonzero(right == columns.action), batch_size)",
            CLONES_ACTIONS,
        ),
        undefended=499,
        noticed=UNEVEN,
    ),
    Cheat(
        id="rows-often-chosen-to-clone",
        trick="draws rows twice as often when a controller would have acted so",
        source=giving(
            "p = 1.0 + (right == columns.action); "
            "index = rng.choice(len(p), batch_size, p=p / p.sum())",
            CLONES_ACTIONS,
        ),
        undefended=500,
        noticed=UNEVEN,
    ),
    Cheat(
        id="rows-beside-tell",
        trick="draws rows in which the right rule just holds; they lie beside those "
        "that are judged, so that the network sees which rule it is",
        source=giving(
            "z = columns.state @ np.where(np.abs(d) == 1, d, 0); "
            "index = rng.choice(np.argsort(np.where(z > 0, z, 9.0))[:8], batch_size)",
            BESIDE,
        ),
        noticed=UNEVEN,
    ),
]
