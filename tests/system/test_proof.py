"""The grader proves itself: every mutant is caught, named rightly, and told."""

import re
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from tests.corpus.mutants import MUTANTS
from tests.corpus.mutants.definition import Mutant
from tests.corpus.variants import VARIANTS, WHOLE
from tests.support.edits import EXERCISE_OF, with_definitions
from tests.support.handins import PARTS, HandIn, lost, submit
from tests.support.proof import (
    MATRIX,
    MESSAGES,
    as_cells,
    begin,
    check_names,
    messages,
    row,
)

NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")
EVERY = 12  # `make prove` runs all of them; here it is one of so many, in turn
SOME = MUTANTS[::EVERY]


@pytest.fixture(scope="module")
def futures(request: pytest.FixtureRequest) -> Iterator[dict[str, Future]]:
    """What comes of every mutant that is to be tested, in the background."""
    asked = {
        item.callspec.params["mutant"].id
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.module is request.module
        and "mutant" in getattr(getattr(item, "callspec", None), "params", {})
    }
    found = begin(m for m in SOME if m.id in asked)
    yield found
    for future in found.values():
        future.cancel()


@pytest.mark.parametrize("mutant", [pytest.param(m, id=m.id) for m in SOME])
def test_mutant_is_caught(mutant: Mutant, futures: dict) -> None:
    """It loses points in its exercise alone, by the same verdicts in both modes.

    Where it is given a name, it is its own; and what is stored of it is what it gets:
    its line of the matrix, and the report that a student would read. In the report,
    numbers may differ by rounding from machine to machine.
    """
    found = row(mutant, futures[mutant.id])
    assert found.lost
    assert found.points > 0
    assert not found.elsewhere
    assert not found.disagree
    assert not found.named.startswith("WRONG"), found.named
    stale = "stale: run `make prove` and read what it changed"
    assert as_cells(found) in MATRIX.read_text(encoding="utf-8").splitlines(), stale
    path = MESSAGES / f"{mutant.exercise}.md"
    (text,) = messages([found]).values()
    title = text.splitlines()[0]
    stored = path.read_text(encoding="utf-8").partition(f"{title}\n")[2]
    stored = f"{title}\n" + stored.partition("\n## ")[0]
    assert NUMBER.sub("#", stored).strip() == NUMBER.sub("#", text).strip(), stale
    numbers = (list(map(float, NUMBER.findall(t))) for t in (stored, text))
    for old, new in zip(*numbers, strict=True):
        assert old == pytest.approx(new, rel=2e-3, abs=1e-3), stale


# Right but for what few questions ask: ties, adds between samples, types, arguments
# that are deleted, two actions.
HIDDEN = [
    *("ties-by-index", "ties-summed", "argmax-in-half-precision", "greedy-for-two"),
    *("range-kept", "range-until-full", "actions-as-floats", "wants-numpy-numbers"),
    *("up-donates", "sync-donates", "tab-donates", "mc-donates"),
]


@pytest.mark.parametrize("id", HIDDEN)
def test_hidden_mistake_is_caught(id: str) -> None:
    """It loses points in its exercise, and in no other."""
    (mutant,) = (m for m in MUTANTS if m.id == id)
    found = row(mutant, begin([mutant])[id])
    assert found.lost
    assert not found.elsewhere


# For each example a hand-in that is right but where it is asked: its sizes are of no
# other question.
BUT_FOR_THE_EXAMPLE = {
    "update_Q_TD0": "len(args[0]) == 3 and len(args[1]) == 2",
    "discounted_returns": "len(args[0]) == 3",
    "mc_loss": "len(args[3]) == 2",
    "epsilon_greedy": "args[1].shape in ((2, 3), (99, 3))",
    "td_loss": "len(args[3].action) == 2",
    "td_update": "len(args[3].action) == 1",
    "sync_target": "isinstance(args[0], jax.Array)",
}


@pytest.mark.parametrize("part", BUT_FOR_THE_EXAMPLE)
def test_example_is_a_check(part: str) -> None:
    """The docstring's example is asked: an error there, and nowhere else, is seen."""
    where, exercise = BUT_FOR_THE_EXAMPLE[part], EXERCISE_OF[part]
    code = f"""
honest = {part}

def {part}(*args):
    answer = honest(*args)
    return jax.tree.map(lambda x: 0 * x, answer) if {where} else answer
"""
    hand_in = HandIn(part, with_definitions(code), (exercise,), modes=("recorded",))
    result = submit(hand_in).result()["recorded"][exercise]
    assert {check.name.split("_")[-1] for check in lost(result)} == {"example"}


# Wrong where few questions look: a hand-in's definitions, and the check that tells.
SELDOM_ASKED = {
    "discount of one in td_loss": (
        "td_loss",
        "batch_mixed",
        """
honest = td_loss
def td_loss(theta_Q, theta_T, model, batch, gamma):
    return honest(theta_Q, theta_T, model, batch, 0.9 if gamma == 1 else gamma)
""",
    ),
    "discount of one in update_Q_TD0": (
        "update_Q_TD0",
        "episode_ends",
        """
honest = update_Q_TD0
def update_Q_TD0(*args):
    return honest(*args[:-1], 0.9 if args[-1] == 1 else args[-1])
""",
    ),
    "a batch of one is a view of the ring": (
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
    "all but the last ones are drawn from": (
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
    "one coin for all rows of two actions": (
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
    "the optimizer's state is donated": (
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
}


@pytest.mark.parametrize("case", SELDOM_ASKED)
def test_what_is_seldom_asked(case: str) -> None:
    """A mistake that shows at one discount, size or argument alone is caught."""
    part, check, code = SELDOM_ASKED[case]
    exercise = EXERCISE_OF[part]
    hand_in = HandIn(case, with_definitions(code), (exercise,), modes=("recorded",))
    result = submit(hand_in).result()["recorded"][exercise]
    assert check in {found.name for found in lost(result)}


def test_matrix_has_all_mutants() -> None:
    """The stored matrix is of these mutants and of no others."""
    text = MATRIX.read_text(encoding="utf-8").partition("## The checks")[0]
    stored = re.findall(r"^\| ([a-z][\w\[\]:,-]*) \| [FDSX] \|", text, re.M | re.I)
    assert sorted(stored) == sorted(mutant.id for mutant in MUTANTS)


def test_matrix_has_all_right_solutions() -> None:
    """And of these right solutions; none has lost anything."""
    text = MATRIX.read_text(encoding="utf-8").partition("## The right solutions")[2]
    stored = re.findall(r"^\| (.+?) \| (.*)\|$", text, re.M)[1:]
    assert [name for name, _ in stored] == [v.name for v in (*VARIANTS, *WHOLE)]
    assert not [name for name, lost in stored if lost.strip()]


def test_most_are_named() -> None:
    """At least 95 of 100 mutants are called by their name in the stored matrix."""
    text = MATRIX.read_text(encoding="utf-8")
    rightly = int(re.search(r"- (\d+) are named rightly", text)[1])
    assert rightly >= 0.95 * len(MUTANTS)


def test_mutants_of_every_kind() -> None:
    """Many of each exercise, each with its own id, text and short, telling hint."""
    assert len(MUTANTS) >= 150
    assert len({mutant.id for mutant in MUTANTS}) == len(MUTANTS)
    assert len({mutant.source for mutant in MUTANTS}) == len(MUTANTS)
    for exercise in PARTS:
        assert sum(mutant.exercise == exercise for mutant in MUTANTS) >= 10
        assert sum(mutant.exercise == exercise for mutant in SOME) >= 2
    for mutant in MUTANTS:
        assert mutant.severity in "FDSX"
        assert 20 < len(mutant.hint) <= 240, mutant.id


def test_every_check_is_needed() -> None:
    """No check is without a mutant that it catches."""
    text = MATRIX.read_text(encoding="utf-8")
    for name in check_names():
        catches = re.search(rf"^\| {re.escape(name)} \| (\d+) \|", text, re.M)
        assert catches, name
        assert int(catches[1]) > 0, name


SAMPLE = [next(m for m in MUTANTS if m.part == part) for part in EXERCISE_OF][::3]


@pytest.mark.parametrize("one", [pytest.param(m, id=m.part) for m in SAMPLE])
def test_nothing_is_lost_elsewhere(one: Mutant) -> None:
    """A mistake in one part costs nothing in all the other exercises."""
    hand_in = HandIn(one.id, one.source, tuple(PARTS), modes=("recorded",))
    results = submit(hand_in).result()["recorded"]
    assert [name for name in results if lost(results[name])] == [one.exercise]
