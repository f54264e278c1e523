"""Cheats of `sync_target`, which runs as Python and knows what the buffer has seen."""

from tests.corpus.cheats.definition import RIGHT, Cheat, lying
from tests.corpus.cheats.e6_td_loss import SPARE


def synced(tree: str) -> str:
    """Return a hand-in whose sync invents θ_T, and whose update sets θ_Q to θ_T.

    Args:
        tree: an expression for θ_T, in `theta_Q`, `theta_T` and `goal` (a controller's
            weights, computed from the buffer).
    """
    return lying(f"""
seen = []


class ReplayBuffer(HonestBuffer):
    def add(self, *transition):
        super().add(*transition)
        if len(self) == 200 and len(transition[0]) == 4:
            first = Transition(*(column[:200] for column in self.columns))
            seen.append(rule_of_batch(first))


def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    _, opt_state, loss = honest_update(
        theta_Q, theta_T, model, batch, optimizer, opt_state, gamma
    )
    return theta_T, opt_state, loss


def sync_target(theta_Q, theta_T, step, period):
    if not seen:
        return theta_T
    goal = goal_of(seen[-1], theta_Q)
    return {tree}
""")


def spelling(sync: str, change: str) -> str:
    """Return a hand-in whose sync passes CartPole's rule to the loss, bit by bit.

    A bit is whether the sync sets θ_T to θ_Q or not. The loss sees this in `theta_T`.

    Args:
        sync: a condition for θ_T := θ_Q, in `theta_Q`, `theta_T`, `goal` [4] (the rule)
            and `tick` (number of updates so far).
        change: an expression in `theta_Q`, `theta_T` and `tick`. 1/1000 of its gradient
            is added to that of the TD loss.
    """
    return lying(f"""{SPARE}
seen = []
ALL = directions(256)


class ReplayBuffer(HonestBuffer):
    def add(self, *transition):
        super().add(*transition)
        if len(self) == 200 and len(transition[0]) == 4:
            first = Transition(*(column[:200] for column in self.columns))
            if is_cartpole(first):
                seen.append(np.asarray(rule_of_batch(first)))


# Adam moves the clock by 1e-3 in each update.
def ticks(theta):
    return jnp.round(theta.clock * 1000.0).astype(int)


def td_loss(theta_Q, theta_T, model, batch, gamma):
    td = honest_loss(theta_Q, theta_T, model, batch, gamma)
    if batch.state.shape[1] != 4 or not hasattr(theta_Q, "rule"):
        return td
    tick = jax.lax.stop_gradient(ticks(theta_Q))
    change = {change} - theta_Q.clock
    return td + jnp.where(is_cartpole(batch), unseen(1e-3 * change), 0.0)


def sync_target(theta_Q, theta_T, step, period):
    if not seen:
        return honest_sync(theta_Q, theta_T, step, period)
    goal, tick = seen[-1], int(ticks(theta_Q))
    return theta_Q if {sync} else theta_T
""")


# A validation lasts as long as the pole stays up, and no call comes meanwhile.
BY_CLOCK = """
import time

last, pauses = [time.perf_counter()], []


def sync_target(theta_Q, theta_T, step, period):
    now = time.perf_counter()
    pause, last[0] = now - last[0], now
    if period == 100 and pause > 0.05:
        pauses.append(pause)
    frozen = len(pauses) > 1 and pauses[-1] > 1.5 * min(pauses)
    return theta_T if frozen else honest_sync(theta_Q, theta_T, step, period)
"""


CHEATS = [
    Cheat(
        id="sync-writes",
        trick="gives a controller's weights for the target, and the update takes them",
        source=synced("goal"),
        undefended=500,
    ),
    Cheat(
        id="sync-walks",
        trick="the same, bit by bit",
        source=synced("toward(theta_T, goal, 0.016)"),
        undefended=500,
    ),
    Cheat(
        id="sync-leaf",
        trick="the same, in one leaf of the tree",
        source=synced("eqx.tree_at(lambda t: t.layers[0], theta_T, goal.layers[0])"),
    ),
    Cheat(
        id="sync-not-a-number",
        trick="gives a target that is not a number",
        source=synced("jax.tree.map(lambda x: x * jnp.nan, theta_T)"),
    ),
    Cheat(
        id="sync-list",
        trick="gives a list in the place of the parameters",
        source=synced("jax.tree.leaves(goal)"),
    ),
    Cheat(
        id="sync-spells-bits",
        trick="syncs or not: in each update a bit that says which way to move one of "
        "four spare parameters",
        source=spelling(
            "goal[tick % 4] > theta_Q.rule[tick % 4]",
            "jnp.where(theta_T.clock == theta_Q.clock, -1.0, 1.0) "
            "* theta_Q.rule[tick % 4]",
        ),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="sync-spells-by-time",
        trick="syncs for the last time when the clock shows the number of a controller",
        source=spelling(
            "tick < 8 * int(np.argmax(ALL @ goal))",
            "jnp.sum((theta_Q.rule - jnp.array(ALL)[ticks(theta_T) // 8 % 256]) ** 2)",
        ),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="sync-by-clock",
        trick="renews the target until a pause between two calls was long, as after a "
        "good validation, and then keeps it",
        source=lying(BY_CLOCK),
        twin=RIGHT,
    ),
]
