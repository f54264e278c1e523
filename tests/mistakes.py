"""Planted mistakes: hand-ins that are the solution but for one wrong part.

Most are a change of a line or two of the solution's text, as a catalogue would list
them; `swap` fails loudly when the solution no longer has that text.
"""

from dataclasses import dataclass

from handins import BUILT_ON, PARTS, HandIn, edited, with_definitions


@dataclass(frozen=True)
class Mistake:
    """A wrong hand-in.

    Attributes:
        name: what is wrong.
        exercise: that has to lose points.
        source: of the hand-in.
        everywhere: grade all exercises, not only those built on this one.
    """

    name: str
    exercise: str
    source: str
    everywhere: bool = False

    @property
    def hand_in(self) -> HandIn:
        """What to grade of it."""
        exercises = PARTS if self.everywhere else BUILT_ON.get(self.exercise)
        return HandIn(self.name, self.source, tuple(exercises or [self.exercise]))


def swap(
    exercise: str,
    part: str,
    name: str,
    *changes: tuple[str, str],
    everywhere: bool = False,
) -> Mistake:
    """A mistake in some words of one part."""
    source = edited(part, *changes)
    return Mistake(f"{part}: {name}", exercise, source, everywhere)


def whole(exercise: str, part: str, name: str, text: str) -> Mistake:
    """A mistake that takes writing a part anew."""
    return Mistake(f"{part}: {name}", exercise, with_definitions(text))


def table(name: str, *changes: tuple[str, str], everywhere: bool = False) -> Mistake:
    """A mistake in `update_Q_TD0`."""
    part = "update_Q_TD0"
    return swap(part, part, name, *changes, everywhere=everywhere)


def returns(name: str, expression: str) -> Mistake:
    """A mistake in `discounted_returns`; `G` are the right returns, `i` the steps."""
    text = f"""
right = discounted_returns


def discounted_returns(rewards, gamma):
    G, i = right(rewards, gamma), jnp.arange(len(rewards))
    return {expression}
"""
    return whole("monte_carlo", "discounted_returns", name, text)


def mc_loss(name: str, *changes: tuple[str, str]) -> Mistake:
    """A mistake in `mc_loss`."""
    return swap("monte_carlo", "mc_loss", name, *changes)


def network(name: str, *changes: tuple[str, str]) -> Mistake:
    """A mistake in `q_network`."""
    return swap("q_network", "q_network", name, *changes)


def explore(name: str, *changes: tuple[str, str], everywhere: bool = False) -> Mistake:
    """A mistake in `epsilon_greedy`."""
    part = "epsilon_greedy"
    return swap(part, part, name, *changes, everywhere=everywhere)


def replay(name: str, *changes: tuple[str, str], everywhere: bool = False) -> Mistake:
    """A mistake in `ReplayBuffer`."""
    part = "ReplayBuffer"
    return swap("replay_buffer", part, name, *changes, everywhere=everywhere)


def loss(name: str, *changes: tuple[str, str], everywhere: bool = False) -> Mistake:
    """A mistake in `td_loss`."""
    return swap("td_loss", "td_loss", name, *changes, everywhere=everywhere)


def update(name: str, *changes: tuple[str, str]) -> Mistake:
    """A mistake in `td_update`."""
    return swap("td_update", "td_update", name, *changes)


def sync(name: str, condition: str) -> Mistake:
    """A mistake in when `sync_target` renews."""
    part = "sync_target"
    return swap(part, part, name, ("step % period == 0", condition))


MEAN = "jnp.mean((predicted - empirical) ** 2)"
TABLE_FUTURE = "not_terminated * gamma * Q[next_states].max(axis=1)"
TABLE_RETURN = "return Q.at[states, actions].add(-alpha * eta)"
HEAD = "eqx.nn.Linear(64, num_actions, key=keys[2]),"
COIN = "jax.random.bernoulli(coin_key, epsilon, (N,))"
ANY_ACTION = "jax.random.randint(action_key, (N,), 0, A)"
SLOT = "row = self.num_added % self.capacity"
ROWS = "rows = rng.integers(len(self), size=batch_size)"
BATCH = "return Transition(*(column[rows] for column in self.columns))"
BEST_NEXT = "jax.vmap(Q_target)(next_state).max(axis=1)"
OPTIMIZE = "optimizer.update(grads, opt_state, theta_Q)"
APPLY = "theta_Q = eqx.apply_updates(theta_Q, updates)"

NEEDS_A_BATCH = """
class Batched(eqx.Module):
    layers: eqx.nn.MLP

    def __call__(self, states):
        return jax.vmap(self.layers)(states)


def q_network(key, state_dim, num_actions):
    return Batched(eqx.nn.MLP(state_dim, num_actions, 64, 2, key=key))
"""
KEEPS_REFERENCES = """
class ReplayBuffer:
    def __init__(self, capacity):
        self.capacity, self.rows = capacity, []

    def add(self, *transition):
        self.rows = [*self.rows, transition][-self.capacity :]

    def __len__(self):
        return len(self.rows)

    def sample(self, batch_size, rng):
        picked = [self.rows[i] for i in rng.integers(len(self), size=batch_size)]
        return Transition(*map(np.stack, zip(*picked)))
"""
COUNTS_ITS_CALLS = """
calls = -1


def sync_target(theta_Q, theta_T, step, period):
    global calls
    calls += 1
    return theta_Q if calls % period == 0 else theta_T
"""

MISTAKES = [
    # 1
    table("no mask", ("not_terminated * gamma", "gamma"), everywhere=True),
    table("mask inverted", ("1.0 - jnp.asarray", "jnp.asarray")),
    table(
        "bitwise not of a number",
        ("1.0 - jnp.asarray(terminateds, dtype=float)", "~terminateds"),
    ),
    table(
        "time limit taken for an end",
        (
            "1.0 - jnp.asarray(terminateds, dtype=float)",
            "jnp.arange(len(states)) < len(states) - 1",
        ),
    ),
    table("moves away from the target", ("-alpha", "alpha")),
    table("forgets alpha", (".add(-alpha * eta)", ".set(empirical)")),
    table("loses a visit", (".add(-alpha * eta)", ".set(predicted - alpha * eta)")),
    table(
        "moves the whole row",
        ("states, actions].add(-alpha * eta)", "states].add(-alpha * eta[:, None])"),
    ),
    table("own state for the next", ("Q[next_states].max", "Q[states].max")),
    table("arg max for max", (".max(", ".argmax(")),
    table("result thrown away", (TABLE_RETURN, TABLE_RETURN.removeprefix("return "))),
    swap(
        "update_Q_TD0",
        "episode_terminateds",
        "old line",
        ("num_steps - 1", "num_steps"),
    ),
    # 2
    returns("discounts from the start", "G * gamma**i"),
    returns("one return for all", "jnp.full_like(G, G[0])"),
    returns("undiscounted", "right(rewards, 1.0)"),
    returns("reversed", "G[::-1]"),
    returns("without its own reward", "G - rewards"),
    returns("normalised", "(G - G.mean()) / (G.std() + 1e-8)"),
    mc_loss("sum", (MEAN, "jnp.sum((predicted - empirical) ** 2)")),
    mc_loss("half", (MEAN, f"{MEAN} / 2")),
    mc_loss(
        "[T, 1] minus [T]", ("predicted - empirical", "predicted[:, None] - empirical")
    ),
    mc_loss("rewards for returns", ("discounted_returns(rewards, gamma)", "rewards")),
    mc_loss("no gradient", ("(predicted -", "(jax.lax.stop_gradient(predicted) -")),
    # 3
    network("ReLU on the output", (HEAD, f"{HEAD} eqx.nn.Lambda(jax.nn.relu),")),
    network("softmax on the output", (HEAD, f"{HEAD} eqx.nn.Lambda(jax.nn.softmax),")),
    network("one value", (HEAD, HEAD.replace("num_actions", "1"))),
    network("a key of its own", ("split(key, 3)", "split(jax.random.key(0), 3)")),
    network("CartPole's sizes", (HEAD, HEAD.replace("num_actions", "2"))),
    whole("q_network", "q_network", "needs a batch", NEEDS_A_BATCH),
    # 4
    explore("arg min", ("argmax", "argmin"), everywhere=True),
    explore(
        "epsilon inverted", ("explore, anything, greedy", "explore, greedy, anything")
    ),
    explore("last action left out", (ANY_ACTION, ANY_ACTION.replace("A)", "A - 1)"))),
    explore("one coin for all", (COIN, "jax.random.bernoulli(coin_key, epsilon)")),
    explore("one action for all", (ANY_ACTION, ANY_ACTION.replace("(N,)", "()"))),
    explore("key not used", ("split(key)", "split(jax.random.key(0))")),
    explore(
        "Python if", (COIN, "np.asarray(jax.random.uniform(coin_key, (N,))) < epsilon")
    ),
    # 5
    replay(
        "rows of the empty part", (ROWS, ROWS.replace("len(self)", "self.capacity"))
    ),
    replay(
        "newest overwritten", (SLOT, "row = min(self.num_added, self.capacity - 1)")
    ),
    replay("never wraps", (SLOT, "row = self.num_added")),
    replay(
        "counts all adds",
        ("return min(self.num_added, self.capacity)", "return self.num_added"),
        everywhere=True,
    ),
    replay(
        "rows of each field's own",
        (
            BATCH,
            BATCH.replace(
                "column[rows]", "column[rng.integers(len(self), size=batch_size)]"
            ),
        ),
    ),
    replay(
        "one row B times",
        (
            ROWS,
            f"{ROWS[: -len(', size=batch_size)')]},)\n"
            "        rows = np.repeat(rows, batch_size)",
        ),
    ),
    replay(
        "whole numbers only",
        ("reward=np.empty(C, np.float32)", "reward=np.empty(C, int)"),
    ),
    replay("keep flag stored", ("[row] = terminated", "[row] = not terminated")),
    replay(
        "generator of its own",
        (ROWS, ROWS.replace("rng.", "np.random.default_rng(0).")),
    ),
    replay(
        "the latest B", (ROWS, "rows = np.arange(len(self) - batch_size, len(self))")
    ),
    whole("replay_buffer", "ReplayBuffer", "keeps references", KEEPS_REFERENCES),
    # 6
    loss("no mask", ("not_terminated * gamma", "gamma"), everywhere=True),
    loss(
        "mask on the whole target",
        ("reward + future", "not_terminated * (reward + future)"),
    ),
    loss("gamma missing", ("* gamma *", "*")),
    loss("online network in the target", ("jax.vmap(Q_target)", "jax.vmap(Q)")),
    loss("theta swapped", ("Q, Q_target =", "Q_target, Q =")),
    loss(
        "Double DQN",
        (
            BEST_NEXT,
            "jax.vmap(Q_target)(next_state)["
            "jnp.arange(len(action)), jax.vmap(Q)(next_state).argmax(axis=1)]",
        ),
    ),
    loss("mean for max", (".max(axis=1)", ".mean(axis=1)")),
    loss("max over everything", (".max(axis=1)", ".max()")),
    loss("[B, 1] minus [B]", ("(predicted -", "(predicted[:, None] -")),
    loss(
        "all actions",
        ("[jnp.arange(len(action)), action]", ""),
        ("(predicted - empirical)", "(predicted - empirical[:, None])"),
    ),
    loss("Huber", (MEAN, "optax.huber_loss(predicted, empirical).mean()")),
    loss("half", (MEAN, "optax.l2_loss(predicted, empirical).mean()"), everywhere=True),
    loss("sum", (MEAN, "jnp.sum((predicted - empirical) ** 2)")),
    loss("no gradient", ("(predicted -", "(jax.lax.stop_gradient(predicted) -")),
    # 7
    update(
        "state made anew",
        (OPTIMIZE, OPTIMIZE.replace("opt_state", "optimizer.init(theta_Q)")),
    ),
    update("old state returned", ("updates, opt_state =", "updates, _ =")),
    update("no parameters for AdamW", (OPTIMIZE, OPTIMIZE.replace(", theta_Q", ""))),
    update("result thrown away", (APPLY, APPLY.removeprefix("theta_Q = "))),
    update("update for the parameters", (APPLY, "theta_Q = updates")),
    update(
        "loss after the step",
        (
            "return theta_Q, opt_state, loss",
            "return theta_Q, opt_state, td_loss(theta_Q, theta_T, model, batch, gamma)",
        ),
    ),
    # 8
    sync("never", "False"),
    sync("always", "True"),
    sync("not at 0", "step and step % period == 0"),
    sync("from then on", "step >= period"),
    sync("one late", "step % period == 1"),
    whole("sync_target", "sync_target", "counts its calls", COUNTS_ITS_CALLS),
]

# With these the agent does not learn. (With epsilon inverted it does: what it tries at
# random late in training teaches the network just as well.)
NOT_LEARNING = [
    loss("mask inverted", ("1.0 - jnp.asarray", "jnp.asarray")),
    loss("ascent", (MEAN, f"-{MEAN}")),
    sync("never", "False"),
    update("result thrown away", (APPLY, APPLY.removeprefix("theta_Q = "))),
]
