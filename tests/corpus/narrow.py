"""Hand-ins with a mistake that only few cases show, and the check that must find it.

Each hand-in in `NARROW` is the solution with one changed part. The changed part is
wrong for one discount, one size or one argument only. `make prove` grades all of them.
"""

from dataclasses import dataclass

from tests.support.edits import EXERCISE_OF, with_definitions
from tests.support.handins import HandIn


@dataclass(frozen=True)
class Narrow:
    """A hand-in with a mistake that only few cases show.

    Attributes:
        id: short name of the hand-in.
        part: name of the wrong part.
        check: name of the check that must fail.
        alone: whether all other checks must pass.
        source: text of the hand-in.
    """

    id: str
    part: str
    check: str
    alone: bool
    source: str

    @property
    def exercise(self) -> str:
        """Name of the exercise that must lose points."""
        return EXERCISE_OF[self.part]

    @property
    def hand_in(self) -> HandIn:
        """The hand-in in the form that `grade_warm` takes."""
        return HandIn(self.id, self.source, (self.exercise,))


def narrow(id: str, part: str, check: str, code: str) -> Narrow:
    """Return a `Narrow`: the solution with new code for one part.

    Other checks than the given one may fail, too.

    Args:
        id: short name of the hand-in.
        part: name of the part.
        check: name of the check that must fail.
        code: the new definition of the part.
    """
    return Narrow(id, part, check, False, with_definitions(code))


def but_for_the_example(part: str, check: str, where: str) -> Narrow:
    """Return a `Narrow` whose part is wrong only for the example in its docstring.

    Args:
        part: name of the part.
        check: name of the check that asks the example; no other check may fail.
        where: Python condition on `args`, the part's arguments, that is true for the
            example only.
    """
    code = f"""
honest = {part}

def {part}(*args):
    answer = honest(*args)
    return jax.tree.map(lambda x: 0 * x, answer) if {where} else answer
"""
    return Narrow(f"example-{part}", part, check, True, with_definitions(code))


NARROW = [
    but_for_the_example(
        "update_Q_TD0", "example", "len(args[0]) == 3 and len(args[1]) == 2"
    ),
    but_for_the_example("discounted_returns", "returns_example", "len(args[0]) == 3"),
    but_for_the_example("mc_loss", "loss_example", "len(args[3]) == 2"),
    but_for_the_example(
        "epsilon_greedy", "example", "args[1].shape in ((2, 3), (99, 3))"
    ),
    but_for_the_example("td_loss", "example", "len(args[3].action) == 2"),
    but_for_the_example("td_update", "example", "len(args[3].action) == 1"),
    but_for_the_example("sync_target", "example", "isinstance(args[0], jax.Array)"),
    narrow(
        "discount-of-one-in-td_loss",
        "td_loss",
        "batch_mixed",
        """
honest = td_loss
def td_loss(theta_Q, theta_T, model, batch, gamma):
    return honest(theta_Q, theta_T, model, batch, 0.9 if gamma == 1 else gamma)
""",
    ),
    narrow(
        "discount-of-one-in-update_Q_TD0",
        "update_Q_TD0",
        "episode_ends",
        """
honest = update_Q_TD0
def update_Q_TD0(*args):
    return honest(*args[:-1], 0.9 if args[-1] == 1 else args[-1])
""",
    ),
    narrow(
        "batch-of-one-is-a-view",
        "ReplayBuffer",
        "batch_stays",
        """
class ReplayBuffer(ReplayBuffer):
    def sample(self, batch_size, rng):
        if batch_size > 1:
            return super().sample(batch_size, rng)
        row = rng.integers(len(self))
        return Transition(*(column[row : row + 1] for column in self.columns))
""",
    ),
    narrow(
        "last-ones-never-drawn",
        "ReplayBuffer",
        "uniform",
        """
class ReplayBuffer(ReplayBuffer):
    def sample(self, batch_size, rng):
        stored = len(self)
        rows = rng.integers(stored - stored % 10 if stored > 10 else stored,
                            size=batch_size)
        return Transition(*(column[rows] for column in self.columns))
""",
    ),
    narrow(
        "one-coin-where-two-actions",
        "epsilon_greedy",
        "rows_are_independent",
        """
honest = epsilon_greedy
def epsilon_greedy(key, q_values, epsilon):
    if q_values.shape[1] > 2:
        return honest(key, q_values, epsilon)
    coin, action = jax.random.split(key)
    anything = jax.random.randint(action, q_values.shape[:1], 0, 2)
    explore = jax.random.uniform(coin) < epsilon
    return jnp.where(explore, anything, q_values.argmax(axis=1))
""",
    ),
    narrow(
        "donates-the-optimizers-state",
        "td_update",
        "loss_before_the_step",
        """
import functools
honest = td_update
def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    @functools.partial(jax.jit, donate_argnums=0)
    def step(opt_state):
        return honest(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma)
    return step(opt_state)
""",
    ),
]
