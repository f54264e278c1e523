"""A sync that writes parameters: its Python sees whatever the buffer has seen."""

from tests.corpus.cheats.definition import Cheat, lying
from tests.corpus.cheats.e7_td_update import ASTRAY

# By the sync, or by the update that takes over what it gives.
NEITHER = f"sync_target returned neither|{ASTRAY}"


def synced(tree: str) -> str:
    """A hand-in whose update takes over the target, and whose sync makes it up.

    Args:
        tree: an expression in `theta_Q`, `theta_T` and `goal`, a controller's weights
            for the disguise that shows in the buffer.
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


CHEATS = [
    Cheat(
        id="sync-writes",
        trick="gives a controller's weights for the target, and the update takes them",
        source=synced("goal"),
        noticed=NEITHER,
        undefended=500,
    ),
    Cheat(
        id="sync-walks",
        trick="the same, bit by bit",
        source=synced("toward(theta_T, goal, 0.016)"),
        noticed=NEITHER,
        undefended=500,
    ),
    Cheat(
        id="sync-leaf",
        trick="the same, in one leaf of the tree",
        source=synced("eqx.tree_at(lambda t: t.layers[0], theta_T, goal.layers[0])"),
        noticed=NEITHER,
    ),
    Cheat(
        id="sync-not-a-number",
        trick="gives a target that is not a number",
        source=synced("jax.tree.map(lambda x: x * jnp.nan, theta_T)"),
        noticed=NEITHER,
    ),
    Cheat(
        id="sync-list",
        trick="gives a list in the place of the parameters",
        source=synced("jax.tree.leaves(goal)"),
        noticed=NEITHER + "|not the kind of tree",
    ),
]
