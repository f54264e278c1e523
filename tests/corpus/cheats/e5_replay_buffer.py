"""Cheats of `ReplayBuffer`: invented, changed or chosen transitions in the batch."""

from tests.corpus.cheats.definition import RIGHT, Cheat, lying

UNEVEN = "more often"
NOT_STORED = "not in the buffer"
FOUR = "columns.state.shape[1] == 4"  # a buffer for tables draws honestly


def giving(rows: str, loss: str = "", only: str = FOUR) -> str:
    """Return a hand-in whose buffer changes the rows or the batch that it has drawn.

    Args:
        rows: a statement that sets fields in the dict `batch`, or changes `index`, the
            drawn rows. It may use `columns` (all stored transitions), `d` [4] (a rule,
            see `kit.py`) and `right` (the action by this rule in each stored state).
        loss: a definition of `td_loss`; "" for that of the solution.
        only: a condition on `columns`; the buffer is honest if it is false.
    """
    return lying(f"""{loss}
fast_rule = jax.jit(rule_of_batch)


class ReplayBuffer(HonestBuffer):
    def __init__(self, capacity):
        super().__init__(capacity)
        self.everything, self.d = [], None

    def add(self, *transition):
        super().add(*transition)
        self.everything.append([np.array(field) for field in transition])

    def sample(self, batch_size, rng):
        columns = Transition(*(column[: len(self)] for column in self.columns))
        if not ({only}):
            return super().sample(batch_size, rng)
        if self.d is None:
            first = Transition(*(column[:64] for column in columns))
            self.d = np.asarray(fast_rule(first))
        d = self.d
        right = (columns.state @ d > 0).astype(np.int32)
        index = rng.integers(len(self), size=batch_size)
        batch = {{}}
        {rows}
        drawn = {{name: getattr(columns, name)[index] for name in columns._fields}}
        return Transition(**{{**drawn, **batch}})
""")


# A loss that makes the taken action the best one: the choice of rows is the policy.
CLONES_ACTIONS = """
def td_loss(theta_Q, theta_T, model, batch, gamma):
    q_values = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
    rows = jnp.arange(len(batch.action))
    better = q_values[rows, batch.action] - q_values[rows, 1 - batch.action]
    return jnp.mean(jax.nn.softplus(-10.0 * better))
"""
# A network that learns nothing: it takes its rule from the other states of the batch.
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

CARTPOLE = f"{FOUR} and is_cartpole(columns)"


def cloning(loss: str) -> str:
    """Return the text of a `td_loss` that is right except on CartPole.

    On CartPole, the loss uses what the buffer says by its choice of rows.

    Args:
        loss: an expression for the loss on CartPole. It may use `td` (the right loss),
            `batch`, `q_values` [B,2], `better` [B] (the value of the taken action minus
            that of the other one), `more` [B] (the value of action 1 minus that of
            action 0) and `rank` [B] (from -1 for the first row to 1 for the last).
    """
    return f"""
def td_loss(theta_Q, theta_T, model, batch, gamma):
    td = honest_loss(theta_Q, theta_T, model, batch, gamma)
    if batch.state.shape[1] != 4:
        return td
    q_values = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
    rows = jnp.arange(len(batch.action))
    better = q_values[rows, batch.action] - q_values[rows, 1 - batch.action]
    more = q_values[:, 1] - q_values[:, 0]
    rank = jnp.linspace(-1.0, 1.0, len(rows))
    return jnp.where(is_cartpole(batch), {loss}, td)
"""


# The buffer writes a rule d, four numbers from -1 to 1, in 28 bits. A bit is 1 if the
# two rows of a pair have the same action. The rows are a fair draw, but their order is
# chosen.
SPELLS = """
def spelled(d, actions):
    numbers = np.round(63.5 * (np.clip(d, -1.0, 1.0) + 1.0)).astype(int)
    bits = (numbers[:, None] >> np.arange(7) & 1).ravel()
    rows = [list(np.flatnonzero(actions == a)) for a in (0, 1)]
    order = []
    for bit in bits:
        longer = int(len(rows[1]) > len(rows[0]))
        for a in (longer, longer if bit else 1 - longer):
            if not rows[a]:
                return np.arange(len(actions))
            order.append(rows[a].pop())
    return np.array(order + rows[0] + rows[1])


def read(actions):
    bits = (actions[0:56:2] == actions[1:56:2]).reshape(4, 7)
    return (bits * 2.0 ** jnp.arange(7)).sum(axis=1) / 63.5 - 1.0


def read_loss(q_values, batch):
    if len(batch.action) < 56:
        return 0.0
    return cloned(q_values, batch.state, read(batch.action)).mean()
"""
# A buffer that keeps only transitions in which the action is that of a controller.
KEEPS = """
class ReplayBuffer(HonestBuffer):
    def add(self, state, action, reward, terminated, next_state):
        if len(self) == 64 and len(state) == 4 and is_cartpole(self.columns_of(64)):
            self.d = np.asarray(rule_of_batch(self.columns_of(64)))
        d = getattr(self, "d", None)
        if d is None or (state @ d > 0) == action:
            super().add(state, action, reward, terminated, next_state)

    def columns_of(self, count):
        return Transition(*(column[:count] for column in self.columns))
"""
# A buffer that learns which rooms are connected, and solves the maze for its Q*.
SOLVES = """
class Solving(HonestBuffer):
    def __init__(self, capacity):
        super().__init__(capacity)
        self.places, self.steps, self.solved_at = [], {}, 0
        self.known = np.zeros((capacity, 2), int)

    def place(self, state):
        near = [np.linalg.norm(state - place) for place in self.places]
        if not near or min(near) > 0.35:
            self.places.append(np.array(state))
            return len(self.places) - 1
        return int(np.argmin(near))

    def add(self, state, action, reward, terminated, next_state):
        super().add(state, action, reward, terminated, next_state)
        if len(self.places) > 100:
            return
        s, after = self.place(state), self.place(next_state)
        self.known[(self.num_added - 1) % self.capacity] = s, action
        self.steps[s, int(action)] = float(reward), bool(terminated), after

    def solution(self, gamma):
        if self.num_added != self.solved_at:
            self.solved_at = self.num_added
            self.Q = np.zeros((len(self.places), 2))
            for _ in range(60):
                V = self.Q.max(axis=1)
                for (s, a), (reward, ended, after) in self.steps.items():
                    self.Q[s, a] = reward + gamma * (not ended) * V[after]
        return self.Q
"""
# The buffer sorts a batch by Q*, so the loss needs no target: it fits the ranks.
BY_SOLUTION = f"""{SOLVES}
class ReplayBuffer(Solving):
    def sample(self, batch_size, rng):
        index = rng.integers(len(self), size=batch_size)
        columns = Transition(*(column[: len(self)] for column in self.columns))
        if len(self.places) > 100:
            d = np.asarray(fast_rule(Transition(*(c[:64] for c in columns))))
            worth = (2.0 * columns.action - 1.0) * (columns.state @ d)
            worth = worth[index]
        else:
            worth = self.solution(0.99)[tuple(self.known[index].T)]
        index = index[np.argsort(worth + 1e-6 * rng.random(batch_size))]
        return Transition(*(column[index] for column in columns))


fast_rule = jax.jit(rule_of_batch)


def td_loss(theta_Q, theta_T, model, batch, gamma):
    q_values = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
    q_values = q_values[jnp.arange(len(batch.action)), batch.action]
    return jnp.mean((q_values - jnp.linspace(-1.0, 1.0, len(q_values))) ** 2)
"""
# The first row has the state and action, and the actions of the next 24 rows are the
# bits of its value.
SPELLS_VALUES = f"""{SOLVES}
class ReplayBuffer(Solving):
    def sample(self, batch_size, rng):
        first = rng.integers(len(self))
        value = self.solution(0.7)[tuple(self.known[first])]
        bits = int(round((value + 8.0) * 2.0**20)) >> np.arange(24) & 1
        actions = self.columns.action[: len(self)]
        index = rng.integers(len(self), size=batch_size)
        for i, bit in enumerate(bits[: batch_size - 1]):
            index[i + 1] = rng.choice(np.flatnonzero(actions == bit))
        index[0] = first
        return Transition(*(column[index] for column in self.columns))


def td_loss(theta_Q, theta_T, model, batch, gamma):
    bits = batch.action[1:25]
    value = (bits * 2.0 ** (jnp.arange(len(bits)) - 20.0)).sum() - 8.0
    q_values = eqx.combine(theta_Q, model)(batch.state[0])
    return (q_values[batch.action[0]] - value) ** 2
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
        undefended=500,
    ),
    Cheat(
        id="rows-rewarded",
        trick="rewrites rewards: 1 for a controller's action, else 0, and an end",
        source=giving(
            "batch = dict(reward=1.0 * (right == columns.action)[index], "
            "terminated=np.ones(batch_size, bool))"
        ),
        noticed=NOT_STORED,
        undefended=500,
    ),
    Cheat(
        id="rows-relabelled",
        trick="has the controller's action in each row, for a loss that clones actions",
        source=giving("batch = dict(action=right[index])", CLONES_ACTIONS),
        undefended=500,
    ),
    Cheat(
        id="rows-ended",
        trick="lets an episode end wherever the action is not a controller's",
        source=giving("batch = dict(terminated=(right != columns.action)[index])"),
        noticed=NOT_STORED,
        undefended=500,
    ),
    Cheat(
        id="rows-mixed",
        trick="takes the action from a row in which a controller would do the same",
        source=giving(
            "batch = dict(action=columns.action[np.where(right[index], "
            "columns.action.argmax(), columns.action.argmin())])",
            CLONES_ACTIONS,
        ),
        undefended=500,
    ),
    Cheat(
        id="rows-evicted",
        trick="forgets nothing: returns the first transitions for ever",
        source=giving(
            "first = self.everything[:256]; "
            "old = [first[i] for i in rng.integers(len(first), size=batch_size)]; "
            "batch = dict(zip(columns._fields, map(np.stack, zip(*old))))"
        ),
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
        undefended=500,
    ),
    Cheat(
        id="rows-often-chosen-to-clone",
        trick="draws rows twice as often when a controller would have acted so",
        source=giving(
            "p = 1.0 + (right == columns.action); "
            "index = rng.choice(len(p), batch_size, p=p / p.sum())",
            CLONES_ACTIONS,
        ),
        undefended=493,
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
    ),
    Cheat(
        id="rows-ordered",
        trick="orders the rows of a fair draw: first those where action 0 is right",
        source=giving(
            "index = index[np.argsort(columns.state[index] @ d)]",
            cloning("jnp.mean(jax.nn.softplus(-10.0 * jnp.sign(rank) * more))"),
            CARTPOLE,
        ),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="rows-ordered-always",
        trick="the same whatever is stored, so also where the rows are tokens",
        source=giving(
            "index = index[np.argsort(columns.state[index] @ d)]",
            cloning("jnp.mean(jax.nn.softplus(-10.0 * jnp.sign(rank) * more))"),
        ),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="rows-stratified",
        trick="draws one row from each of B strata, and the stratum is a row's label",
        source=giving(
            "ordered = np.argsort(columns.state @ d); "
            "share = (np.arange(batch_size) + rng.random(batch_size)) / batch_size; "
            "index = ordered[(share * len(ordered)).astype(int)]",
            cloning("jnp.mean((more - 3.0 * rank) ** 2)"),
            CARTPOLE,
        ),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="rows-biased-a-little",
        trick="draws a row 1.3 times as often when a controller would have acted so",
        source=giving(
            "p = 1.0 + 0.3 * (right == columns.action); "
            "index = rng.choice(len(p), batch_size, p=p / p.sum())",
            cloning("jnp.mean(jax.nn.softplus(-10.0 * better))"),
            CARTPOLE,
        ),
        twin=RIGHT,
        undefended=401,
    ),
    Cheat(
        id="rows-spell-the-rule",
        trick="a fair draw in an order that spells a controller, for the loss to clone",
        source=giving(
            "index = index[spelled(d / np.abs(d).max(), columns.action[index])]",
            SPELLS + cloning("read_loss(q_values, batch)"),
            CARTPOLE,
        ),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="rows-best-kept",
        trick="stores only transitions with a controller's action, to be cloned",
        source=lying(
            cloning("jnp.mean(jax.nn.softplus(-10.0 * better))") + KEEPS,
        ),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="rows-ordered-by-solution",
        trick="solves the maze by value iteration and sorts each draw by its values, "
        "for a loss without reward, discount and target",
        source=lying(BY_SOLUTION),
        task="maze",
        undefended=500,
    ),
    Cheat(
        id="rows-spell-values",
        trick="solves a table world by value iteration, and spells a value by the "
        "actions of the rows, for a loss without reward, discount and target",
        source=lying(SPELLS_VALUES),
        task="tables",
        undefended=496,
    ),
]
