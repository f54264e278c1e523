"""What a reader says of a wrong loss or update is true, also outside its grammar.

The hand-ins here compute with plain NumPy, and share no code with the reader's choices.
Most of them have no formula in the grammar, but one that is near.
"""

import functools
import re
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from grader.contract import cases
from grader.contract.case import Answer, Case
from grader.contract.stand_in import stand_in_returns
from grader.diagnosis.formulas.losses import mc_loss, td_loss
from grader.diagnosis.formulas.table import td0
from grader.diagnosis.reading import Reading

MOVE = 1e-5  # of one parameter, to compute a gradient
SEEDS = (0, 1)


class Loss:
    """A fake hand-in with a loss that is a NumPy function.

    Args:
        loss: function of the batch. It has q [B, A] for Q(s, ·; θ_Q), q_next for s′, t
            and t_next for θ_T, p [B] for Q(s, a; θ_Q), held for the same before θ_Q was
            moved, and a, r, d and gamma; for `mc_loss` also G, a function of rewards.
    """

    def __init__(self, loss: Callable) -> None:
        self.loss = loss

    def answer(self, case: Case) -> Answer:
        """Return the loss and its gradient by θ_Q."""
        theta = [leaf.astype(np.float64) for leaf in case.args["theta_Q"]]
        held = batch_of(case, theta, None).p
        loss = self.loss(batch_of(case, theta, held))
        grads = []
        for leaf in theta:
            grad = np.zeros_like(leaf)
            for index in np.ndindex(leaf.shape):
                before, ends = leaf[index], []
                for step in (MOVE, -MOVE):
                    leaf[index] = before + step
                    ends.append(self.loss(batch_of(case, theta, held)))
                leaf[index] = before
                grad[index] = (ends[0] - ends[1]) / (2 * MOVE)
            grads.append(grad.astype(np.float32))
        return Answer(loss=np.asarray(loss, np.float32), grads=grads)


def batch_of(
    case: Case, theta: list[np.ndarray], held: np.ndarray | None
) -> SimpleNamespace:
    """Return what a loss computes with, see `Loss`.

    Args:
        case: the question.
        theta: the parameters θ_Q.
        held: the predictions before θ_Q was moved.
    """
    args = case.args
    rows = np.arange(len(args["action"]))
    batch = SimpleNamespace(a=args["action"], r=args["reward"].astype(float))
    batch.gamma, batch.held = case.spec["gamma"], held
    batch.q = cases.probe_values(theta, args["state"].astype(float))
    batch.p = batch.q[rows, batch.a]
    if "theta_T" in args:
        other = [leaf.astype(float) for leaf in args["theta_T"]]
        batch.d = args["terminated"].astype(float)
        batch.q_next = cases.probe_values(theta, args["next_state"].astype(float))
        batch.t = cases.probe_values(other, args["state"].astype(float))
        batch.t_next = cases.probe_values(other, args["next_state"].astype(float))
        batch.future = batch.gamma * batch.t_next.max(axis=1)
        batch.y = batch.r + (1 - batch.d) * batch.future
    else:
        of = stand_in_returns if case.spec.get("stand_in") else right_returns
        batch.G = functools.partial(of, gamma=batch.gamma)
    return batch


class Update:
    """A fake hand-in with an update of the table that is a NumPy function.

    Args:
        update: function (table, episode) that changes the table [S, A]. The episode has
            s, a, r, d, n (the next states), alpha and gamma.
    """

    def __init__(self, update: Callable) -> None:
        self.update = update

    def answer(self, case: Case) -> Answer:
        """Return the table after the update."""
        args = case.args
        table = args["Q"].astype(np.float64)
        episode = SimpleNamespace(
            s=args["states"],
            a=args["actions"],
            r=args["rewards"].astype(float),
            d=args["terminateds"].astype(float),
            n=args["next_states"],
            alpha=case.spec["alpha"],
            gamma=case.spec["gamma"],
        )
        self.update(table, episode)
        return Answer(Q=table.astype(np.float32))


def read(part, student, seed: int) -> Reading | None:
    return part.read(student, np.random.default_rng(seed))


def names(reading: Reading | None) -> set[str]:
    """Return the names of the mistakes in a reading."""
    return {d.name for d in reading.differences} if reading else set()


def hints(reading: Reading) -> str:
    """Return all hints of a reading as one text."""
    return "\n".join(d.hint for d in reading.differences)


def squared(target: Callable) -> Callable:
    """Return the mean square loss with the targets that a function of the batch gives.

    Args:
        target: function of the batch of `Loss`, which returns the targets [B].
    """
    return lambda b: ((b.p - target(b)) ** 2).mean()


@pytest.mark.parametrize(
    ("loss", "computes", "never"),
    [
        (
            lambda b: 0.5 * ((b.p - b.y) ** 2).sum(),
            "L = ½ Σ_i (Q(s,a; θ_Q) − y)²",
            ["is the sum", "half of"],
        ),
        (
            lambda b: 0.5 * ((b.p - b.r - b.future) ** 2).mean(),
            "y = r + γ max_a Q(s′,a; θ_T)\nL = ½ mean (Q(s,a; θ_Q) − y)²",
            ["half of"],
        ),
        (
            lambda b: np.linalg.norm(b.p - b.y),
            "L = √B √ mean (Q(s,a; θ_Q) − y)²",
            ["is the sum", "root of the mean"],
        ),
        (
            lambda b: np.abs(b.p - b.y).sum(),
            "L = Σ_i |Q(s,a; θ_Q) − y|",
            ["is the mean"],
        ),
        (
            lambda b: (b.y - b.p).mean(),
            "L = −mean (Q(s,a; θ_Q) − y)",
            ["loss is negative"],
        ),
        (
            lambda b: (
                2
                * np.where(
                    np.abs(b.p - b.y) < 1, (b.p - b.y) ** 2 / 2, np.abs(b.p - b.y) - 0.5
                ).mean()
            ),
            "L = 2 mean Huber(Q(s,a; θ_Q) − y)",
            ["half the square"],
        ),
        (
            lambda b: ((b.p - b.r - (1 + b.d) * b.future) ** 2).mean(),
            "y = r + (1 + d) γ max_a Q(s′,a; θ_T)",
            ["wrong sign", "with a minus"],
        ),
    ],
)
def test_hints_are_true_together(loss, computes, never):
    """A hint on one factor of a loss is true also if the loss has other mistakes."""
    reading = read(td_loss, Loss(loss), 0)
    assert reading.computes == computes
    assert not [words for words in never if words in hints(reading)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("target", "computes"),
    [
        (
            lambda b: np.clip(b.r + b.future, -500, 500),
            "y = clip(r + γ max_a Q(s′,a; θ_T), −500, 500)",
        ),
        (
            lambda b: np.clip(b.r, -450, 450) + (1 - b.d) * b.future,
            "y = clip(r, −450, 450) + ¬d γ max_a Q(s′,a; θ_T)",
        ),
        (
            lambda b: np.minimum(b.y, 580),
            "y = min(580, r + ¬d γ max_a Q(s′,a; θ_T))",
        ),
        (
            lambda b: np.clip(b.y, 0, 500),
            "y = clip(r + ¬d γ max_a Q(s′,a; θ_T), 0, 500)",
        ),
        (lambda b: np.clip(b.r, -5, 5), "y = clip(r, −5, 5)"),
        (lambda b: np.clip(b.r, -500, 500), "y = clip(r, −500, 500)"),
        (lambda b: np.minimum(b.r, 500), "y = min(500, r)"),
        (lambda b: np.clip(b.r, 0, 500), "y = clip(r, 0, 500)"),
    ],
)
def test_a_bound_of_a_target_is_told_from_one_of_a_reward(target, computes, seed):
    """The reading of a bound says what is clipped, and on which side.

    Where no target has a future, a clipped reward is a clipped target.
    """
    assert read(td_loss, Loss(squared(target)), seed).computes == computes


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("target", "true"),
    [
        (lambda b: np.clip(b.y, -1700, 1700), {"td-target-clipped"}),
        (
            lambda b: np.clip(b.r, -1700, 1700) + (1 - b.d) * b.future,
            {"td-reward-clipped"},
        ),
    ],
)
def test_a_bound_is_not_taken_from_one_row(target, true, seed):
    """A bound that hardly any row reaches is named as what it is, or not at all."""
    assert names(read(td_loss, Loss(squared(target)), seed)) <= true


@pytest.mark.parametrize(
    "loss",
    [
        squared(lambda b: b.r + 0.9 * (1 - b.d) * b.future),
        lambda b: np.sort((b.p - b.y) ** 2)[:-1].sum() / len(b.y),
    ],
    ids=["shorter-future", "worst-row-left-out"],
)
def test_nothing_is_said_of_a_loss_without_a_formula(loss):
    """A wrong `td_loss` near the grammar, but outside, gets no reading."""
    assert read(td_loss, Loss(loss), 0) is None


@pytest.mark.parametrize(
    ("loss", "true"),
    [
        (squared(lambda b: b.G(b.r)), set()),
        (lambda b: 0.5 * ((b.p - b.G(b.r)) ** 2).sum(), {"mc-sum", "mc-half"}),
        (lambda b: np.linalg.norm(b.p - b.G(b.r)), {"mc-rmse", "mc-sum"}),
        (lambda b: np.median((b.p - b.G(b.r)) ** 2), {"mc-median-loss"}),
        (squared(lambda b: np.clip(b.G(b.r), -200, 200)), {"mc-returns-clipped"}),
        (squared(lambda b: b.G(b.r) / (b.G(b.r).std() + 1e-8)), set()),
        (squared(lambda b: b.G(b.r) - b.q.mean(axis=1)), set()),
        (lambda b: -(b.p * b.G(b.r)).mean(), set()),
        (squared(lambda b: b.G(b.r, gamma=0.98)), {"mc-gamma-not-passed"}),
        (squared(lambda b: b.G(b.r, gamma=b.gamma**2)), set()),
        (squared(lambda b: 0.37 * b.G(b.r, gamma=0.98)), set()),
    ],
    ids=[
        "right",
        "l2-sum",
        "norm",
        "median",
        "clipped",
        "divided",
        "baseline",
        "policy",
        "own-gamma",
        "squared-gamma",
        "own-gamma-scaled",
    ],
)
def test_losses_on_returns_get_only_true_names(loss, true):
    """A wrong `mc_loss` gets the names of mistakes that it has, or none.

    The hints speak of the steps of an episode, and not of the rows of a batch.
    """
    reading = read(mc_loss, Loss(loss), 0)
    assert names(reading) <= true
    assert not reading or not re.search(r"\brows?\b", hints(reading))


@pytest.mark.parametrize("gamma", [0.98, 0.8])
def test_a_constant_in_place_of_gamma_is_shown(gamma):
    """The constant is shown with which `mc_loss` calls `discounted_returns`."""
    reading = read(mc_loss, Loss(squared(lambda b: b.G(b.r, gamma=gamma))), 0)
    assert reading.computes == f"L = mean (Q(s,a; θ_Q) − (G with γ = {gamma}))²"
    assert names(reading) == {"mc-gamma-not-passed"}


@pytest.mark.parametrize("factor", [1, 0.5])
@pytest.mark.parametrize(
    ("own", "computes", "name"),
    [
        (
            lambda r, g: right_returns(r[::-1], g)[::-1],
            "G_i = Σ_{t≤i} γ^(i−t) r_t",
            "mc-sums-the-past",
        ),
        (lambda r, g: right_returns(r, 1), "G_i = Σ_{t≥i} r_t", "mc-undiscounted"),
    ],
)
def test_wrong_returns_of_a_loss_itself_are_shown(own, computes, name, factor):
    """If `mc_loss` computes wrong returns itself, their formula is shown."""

    def loss(b: SimpleNamespace) -> float:
        return factor * ((b.p - own(b.r, b.gamma)) ** 2).mean()

    reading = read(mc_loss, Loss(loss), 0)
    assert (reading.computes, names(reading)) == (computes, {name})
    assert hints(reading).startswith("Your loss computes returns of its own. ")


def right_returns(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return the right returns [T] of rewards [T]."""
    steps = range(len(rewards))
    return np.array(
        [sum(gamma**n * x for n, x in enumerate(rewards[i:])) for i in steps]
    )


def toward(target: Callable, of_error: Callable = lambda eta: eta) -> Callable:
    """Return an update that moves each visited cell toward its target.

    Args:
        target: function (old table, episode, step) that returns the step's target.
        of_error: function of the target minus the prediction, which replaces it.
    """

    def update(table: np.ndarray, episode: SimpleNamespace) -> None:
        old = table.copy()
        for t, (s, a) in enumerate(zip(episode.s, episode.a, strict=True)):
            table[s, a] += episode.alpha * of_error(target(old, episode, t) - old[s, a])

    return update


def right_target(old: np.ndarray, e: SimpleNamespace, t: int) -> float:
    """Return the right target of step t."""
    return e.r[t] + (1 - e.d[t]) * e.gamma * old[e.n[t]].max()


def decays(table: np.ndarray, episode: SimpleNamespace) -> None:
    """Make the right update, and shrink all values a little."""
    toward(right_target)(table, episode)
    table *= 0.999


def overwrites(table: np.ndarray, episode: SimpleNamespace) -> None:
    """Write -α η over the cell of each step, one after the other."""
    for t, (s, a) in enumerate(zip(episode.s, episode.a, strict=True)):
        eta = table[s, a] - right_target(table, episode, t)
        table[s, a] = -episode.alpha * eta


def overwrites_at_once(table: np.ndarray, episode: SimpleNamespace) -> None:
    """Write -α η over the cells of all steps at once."""
    old = table.copy()
    for t, (s, a) in enumerate(zip(episode.s, episode.a, strict=True)):
        table[s, a] = -episode.alpha * (old[s, a] - right_target(old, episode, t))


def moves_alone(table: np.ndarray, episode: SimpleNamespace) -> None:
    """Put the right moves into a table of zeros."""
    old = table.copy()
    toward(right_target)(table, episode)
    table -= old


def new_values_alone(table: np.ndarray, episode: SimpleNamespace) -> None:
    """Put the right values of the visited cells into a table of zeros."""
    old = table.copy()
    toward(right_target)(table, episode)
    table[table == old] = 0


def zeroes_terminal_state(table: np.ndarray, episode: SimpleNamespace) -> None:
    """Set the values of the terminal state to 0, and then need no ¬d."""
    table[episode.n[episode.d > 0]] = 0
    toward(lambda q, e, t: e.r[t] + e.gamma * q[e.n[t]].max())(table, episode)


def zeroes_last_state(table: np.ndarray, episode: SimpleNamespace) -> None:
    """Set the values of the last state to 0, also after a time limit."""
    table[episode.n[-1]] = 0
    toward(right_target)(table, episode)


def targets_in_advance(table: np.ndarray, episode: SimpleNamespace) -> None:
    """Compute all targets first, and then move to them, each time from the newest Q."""
    targets = [right_target(table, episode, t) for t in range(len(episode.s))]
    for s, a, y in zip(episode.s, episode.a, targets, strict=True):
        table[s, a] = (1 - episode.alpha) * table[s, a] + episode.alpha * y


def predictions_in_advance(table: np.ndarray, episode: SimpleNamespace) -> None:
    """Read all predictions first, and then the targets, each from the newest Q."""
    old = table.copy()
    for t, (s, a) in enumerate(zip(episode.s, episode.a, strict=True)):
        eta = old[s, a] - right_target(table, episode, t)
        table[s, a] -= episode.alpha * eta


def online(table: np.ndarray, episode: SimpleNamespace) -> None:
    """Make the right update of each step from the newest Q."""
    for t, (s, a) in enumerate(zip(episode.s, episode.a, strict=True)):
        table[s, a] += episode.alpha * (right_target(table, episode, t) - table[s, a])


def reads(
    reward: Callable | None = None,
    after: Callable | None = None,
    action: Callable | None = None,
) -> Callable:
    """Return an update whose targets read other entries of the episode.

    Args:
        reward: function of the episode that returns the rewards in the place of r.
        after: function of the episode that returns the next states in the place of n.
        action: function of the episode that returns the actions whose values in the
            next states are taken; an action of -1 stands for the best one.
    """

    def target(q: np.ndarray, e: SimpleNamespace, t: int) -> float:
        r, n = (reward(e) if reward else e.r)[t], (after(e) if after else e.n)[t]
        a = action(e)[t] if action else -1
        return r + (1 - e.d[t]) * e.gamma * (q[n].max() if a < 0 else q[n, a])

    return toward(target)


def last_again(x: np.ndarray) -> np.ndarray:
    """Return x[t + 1] for each t, as JAX reads it: the last entry twice."""
    return x[np.minimum(np.arange(1, len(x) + 1), len(x) - 1)]


def along_the_gradient(table: np.ndarray, episode: SimpleNamespace) -> None:
    """Differentiate the targets, too; take s of the following step, and then 0, for s′.

    Each move is right for a cell that is predicted, and adds one for the target's cell.
    """
    old, after = table.copy(), np.append(episode.s[1:], 0)
    for s, a, r, d, n in zip(
        episode.s, episode.a, episode.r, episode.d, after, strict=True
    ):
        rate = (1 - d) * episode.gamma
        eta = old[s, a] - (r + rate * old[n].max())
        table[s, a] -= episode.alpha * eta
        table[n, old[n].argmax()] += episode.alpha * eta * rate


def test_state_0_has_a_gradient_where_it_is_appended():
    """A target that reads state 0 moves its cells, also if no step comes there."""
    found = names(read(td0, Update(along_the_gradient), 0))
    assert found == {"tab-by-gradient", "tab-next-from-states"}


def test_a_table_shows_no_rounding():
    """If all shown numbers are right up to rounding, no table is shown."""
    assert read(td0, Update(zeroes_terminal_state), 0).table == ()
    assert read(td0, Update(moves_alone), 0).table


@pytest.mark.parametrize(
    ("update", "found"),
    [
        (reads(reward=lambda e: last_again(e.r)), {"tab-reward-off-by-one"}),
        (reads(reward=lambda e: np.append(e.r[1:], 0)), {"tab-reward-off-by-one"}),
        (reads(reward=lambda e: np.append(e.r[1:], 1)), set()),
        (reads(after=lambda e: last_again(e.s)), {"tab-next-from-states"}),
        (reads(after=lambda e: np.append(e.s[1:], 0)), {"tab-next-from-states"}),
        (reads(after=lambda e: np.append(e.s[1:], 1)), set()),
        (reads(after=lambda e: last_again(e.n)), {"tab-next-of-row-below"}),
        (reads(action=lambda e: last_again(e.a)), {"tab-sarsa"}),
        (reads(action=lambda e: np.append(e.a[1:], 0)), {"tab-sarsa"}),
        (reads(action=lambda e: np.append(e.a[1:], -1)), {"tab-sarsa"}),
        (reads(action=lambda e: np.append(e.a[1:], 1)), set()),
        (
            reads(reward=lambda e: last_again(e.r), after=lambda e: last_again(e.s)),
            {"tab-reward-off-by-one", "tab-next-from-states"},
        ),
    ],
)
def test_what_is_read_at_the_following_step(update, found):
    """A shift by an index or by `append` has the name of the shift by `roll`."""
    assert names(read(td0, Update(update), 0)) == found


@pytest.mark.parametrize(
    ("update", "found"),
    [
        (toward(right_target), set()),
        (online, set()),
        (targets_in_advance, {"tab-targets-from-old"}),
        (predictions_in_advance, {"tab-predictions-from-old"}),
        (overwrites, {"tab-old-value-lost"}),
        (overwrites_at_once, {"tab-old-value-lost", "tab-dup-last-wins"}),
        (moves_alone, {"tab-moves-alone"}),
        (new_values_alone, set()),
        (zeroes_terminal_state, {"tab-zeroes-terminal-state"}),
        (zeroes_last_state, set()),
        (
            toward(lambda q, e, t: np.clip(right_target(q, e, t), -500, 500)),
            {"tab-target-clipped"},
        ),
        (
            toward(lambda q, e, t: np.clip(e.r[t], -5, 5)),
            {"tab-no-future", "tab-reward-clipped"},
        ),
        (
            toward(right_target, lambda eta: np.clip(eta, -500, 500)),
            {"tab-clips-eta"},
        ),
        (
            toward(
                lambda q, e, t: (
                    np.clip(e.r[t], -500, 500) + right_target(q, e, t) - e.r[t]
                )
            ),
            {"tab-reward-clipped"},
        ),
        (
            toward(lambda q, e, t: e.r[t] + (1 + e.d[t]) * e.gamma * q[e.n[t]].max()),
            {"tab-one-plus-d"},
        ),
        (
            toward(lambda q, e, t: right_target(q, e, t) + e.gamma * sum(e.r[t + 1 :])),
            set(),
        ),
        (decays, set()),
    ],
    ids=[
        "right",
        "online",
        "targets-in-advance",
        "predictions-in-advance",
        "overwrites",
        "overwrites-at-once",
        "moves-alone",
        "new-values-alone",
        "zeroes-terminal-state",
        "zeroes-last-state",
        "clips-y",
        "no-future",
        "clips-eta",
        "clips-r",
        "1+d",
        "later-r",
        "decays",
    ],
)
def test_updates_get_only_true_names(update, found):
    """A wrong `update_Q_TD0` gets the names of the mistakes that it has."""
    assert names(read(td0, Update(update), 0)) == found
