"""Inside the runner: CartPole learned with the hand-in's programs.

The environment, the seeds, the parameters and the loop (`starter/train.py`, the one
that students have) live here. The hand-in's buffer and sync answer from the worker,
and what they answer is checked: each sampled row must be one that was stored and is
still within capacity, all of them drawn alike often, each synced tree one of the two
that were given. What moves the parameters is put together by us (`steps.py`). The
network is one program at one batch size, wherever it is asked: what acts and is judged
is what was trained.
"""

import itertools
from collections.abc import Callable
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import train

from grader.inside.training_log import Logbook
from grader.inside.updates import DEVIATIONS, fresh_state, make_block

FIELDS = ("state", "action", "reward", "terminated", "next_state")
VARIANTS = [
    (order, signs, swap)
    for order in itertools.permutations(range(4))
    for signs in itertools.product((1, -1), repeat=4)
    for swap in (False, True)
]
UNTRAINED_BELOW = 100.0
JOSTLES = (0.03, 0.3, 3.0)  # sizes of random moves of the untrained parameters
HELD = 4  # updates of a block that are held against other evidence, see steps.py
TOLERATED = 0.02  # of these may be off, for kinks in the network
MIXED_JUDGING = 256  # rows in which 100 judged states lie hidden
COMPARED = 0.1  # of the judged steps: do the rows beside them have their usual values?


class Foul(Exception):
    """The buffer or the sync answered something that learning cannot go on with."""


class RemoteAgent:
    """The agent that `train.train` drives: programs here, buffer and sync remote.

    Args:
        runner: has the loaded programs and the pipe to the grader.
        programs: the names under which the programs of `cases.learning` go.
        theta: the fresh network's parameters.
        seed: of exploration and sampling.
        settings: of the loop.
    """

    def __init__(
        self,
        runner: Any,
        programs: dict[str, str],
        theta: list[np.ndarray],
        seed: int,
        settings: train.Settings,
    ) -> None:
        self.ask: Callable[[dict[str, Any]], dict[str, Any]] = runner.ask
        self.settings = settings
        # Where the programs' results will be, or all is compiled again for the second
        # block.
        device = jax.devices()[0]
        self.theta_Q = self.theta_T = jax.device_put(theta, device)
        self.opt_state = jax.device_put(fresh_state(theta), device)
        self.rng = np.random.default_rng(seed)
        self.nudges = self.rng.spawn(1)[0]
        self.num_updates = 0
        self.new_rows: list[tuple[np.ndarray, ...]] = []
        self.stored: dict[bytes, int] = {}
        self.num_stored = 0
        # The states beside those that are asked for, so that no program can tell acting
        # and judging from learning.
        self.others = np.zeros((0, 4), np.float32)
        network = runner.programs[programs["network"]]
        epsilon_greedy = runner.programs[programs["act"]]
        size = settings.batch_size

        def values(theta: Any, states: Any) -> Any:
            batches = states.reshape(-1, size, states.shape[1])
            q_values = jax.lax.map(
                lambda batch: network({"theta": theta, "state": batch})["q_values"],
                batches,
            )
            return q_values.reshape(len(states), -1).astype(jnp.float32)

        def act(key: Any, theta: Any, states: Any, where: Any, epsilon: Any) -> Any:
            q_values = values(theta, states)[where]
            args = {"key": key, "q_values": q_values, "epsilon": epsilon}
            return epsilon_greedy(args)["actions"]

        def block() -> Any:
            update, update_values = (
                runner.programs[programs[name]] for name in ("update", "update_values")
            )
            return jax.jit(make_block(update, update_values, network, size))

        self._values = runner.kept(f"values {programs}", lambda: jax.jit(values))
        self._act = runner.kept(f"act {programs}", lambda: jax.jit(act))
        self._block = runner.kept(f"block {programs}", block)
        self.logbook = Logbook(self.values_of, theta, settings)
        self.held = self.off = 0
        self.draws = Draws()

    def act(self, states: np.ndarray, epsilon: float) -> np.ndarray:
        """Epsilon-greedy actions by the hand-in's program, a fresh key each time."""
        key = self.rng.integers(0, 2**32, 2, dtype=np.uint32)
        rows, where = self.mixed(states, self.settings.batch_size)
        actions = np.asarray(
            self._act(key, self.theta_Q, rows, where, np.float32(epsilon))
        )
        if actions.shape != (len(states),):
            raise Foul(f"epsilon_greedy gave shape {actions.shape} for 8 states")
        if not np.isin(actions, (0, 1)).all():
            raise Foul(f"epsilon_greedy chose action {actions.max()} of 0 and 1")
        return actions.astype(np.int32)

    def observe(self, *columns: np.ndarray) -> None:
        """Keep the transitions until the next block, when the buffer gets them."""
        dtypes = (np.float32, np.int32, np.float32, np.bool_, np.float32)
        pairs = zip(columns, dtypes, strict=True)
        self.new_rows.append(tuple(column.astype(dtype) for column, dtype in pairs))

    def learn(self) -> float:
        """One block of updates on what the hand-in's buffer samples, then its sync."""
        behaviour, size = self.new_rows, self.settings.batch_size
        batches = self.sample()
        args = {
            "theta_Q": self.theta_Q,
            "theta_T": self.theta_T,
            "opt_state": self.opt_state,
            "nudge": self.nudges.uniform(-1, 1, (2, 2, 2 * size)).astype(np.float32),
        }
        n = self.settings.block_updates
        chosen = np.isin(np.arange(n), self.rng.choice(n, HELD, replace=False))
        out = self._block(args, batches, chosen)
        self.logbook.after_block(self, behaviour, batches, out)
        self.theta_Q, self.opt_state = out["theta_Q"], out["opt_state"]
        self.num_updates += n
        self.watch(np.asarray(out["deviations"])[chosen])
        self.sync()
        return float(np.mean(out["losses"]))

    def watch(self, deviations: np.ndarray) -> None:
        """See that the updates that were held against other evidence stand up to it.

        Args:
            deviations: [n,3], of what `steps.DEVIATIONS` names.

        Raises:
            Foul: they do not.
        """
        if not all(np.isfinite(leaf).all() for leaf in self.theta_Q):
            raise Foul("theta_Q became NaN or infinite during training")
        off = ~(deviations <= list(DEVIATIONS.values()))
        self.held += len(off)
        self.off += int(off.any(axis=1).sum())
        if self.off > max(TOLERATED * self.held, 2):
            what = list(DEVIATIONS)[off.any(axis=0).argmax()]
            raise Foul(f"{what}: {self.off} of {self.held} updates that were looked at")

    def q_values(self, states: np.ndarray) -> np.ndarray:
        """The network's values by the hand-in's forward pass."""
        q_values = self.values_of(self.theta_Q, states)
        if not np.isfinite(q_values).all():
            raise Foul("the Q values became NaN or infinite during training")
        return q_values

    def values_of(self, theta: Any, states: np.ndarray) -> np.ndarray:
        """The values [N,A] of states [N,4], judged among the states of learning."""
        rows, where = self.mixed(states, MIXED_JUDGING)
        q_values = np.asarray(self._values(theta, rows))
        if q_values.shape != (len(rows), 2):
            raise Foul(f"the network gave {q_values.shape} for {len(rows)} states")
        if len(self.others) and self.rng.random() < COMPARED:
            self.compare_beside(theta, rows, q_values, where)
        return q_values[where]

    def compare_beside(
        self, theta: Any, rows: np.ndarray, q_values: np.ndarray, where: np.ndarray
    ) -> None:
        """See that the rows beside those that are judged have their usual values.

        Raises:
            Foul: they have not, so the network knows that it is judged.
        """
        alone = np.asarray(self._values(theta, np.resize(self.others, rows.shape)))
        pairs = zip(self.others, alone, strict=False)
        usual = {row.tobytes(): values for row, values in pairs}
        beside = np.delete(np.arange(len(rows)), where)
        expected = np.array([usual[rows[i].tobytes()] for i in beside])
        off = np.abs(q_values[beside] - expected).max()
        if off > 1e-3 * np.abs(expected).max() + 1e-4:
            raise Foul("the network's values of a state change with those beside it")

    def mixed(self, states: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
        """So many rows in which these states lie among others, and where they lie."""
        others = self.others if len(self.others) else states
        rows = np.concatenate([states, np.resize(others, (size - len(states), 4))])
        order = self.rng.permutation(size)
        return rows[order], np.argsort(order)[: len(states)]

    def sample(self) -> dict[str, np.ndarray]:
        """Hand the new rows to the buffer, let it draw a block of batches, verify."""
        columns = [
            np.concatenate(column) for column in zip(*self.new_rows, strict=True)
        ]
        self.new_rows = []
        self.others = columns[0]
        for row in row_bytes(columns):
            self.stored[row] = self.num_stored
            self.num_stored += 1
        shape = (self.settings.block_updates, self.settings.batch_size)
        answer = self.ask(
            {
                "do": "use_buffer",
                "rows": dict(zip(FIELDS, columns, strict=True)),
                "num_batches": shape[0],
                "batch_size": shape[1],
                "seed": int(self.rng.integers(2**63)),
            }
        )
        batches = self.verified_batches(answer, shape)
        oldest = max(self.num_stored - self.settings.capacity, 0)
        flat = [field.reshape(-1, *field.shape[2:]) for field in batches.values()]
        drawn = np.array([self.stored.get(row, -1) for row in row_bytes(flat)])
        if drawn.min() < oldest:
            raise Foul("sample returned a transition that is not in the buffer")
        if self.draws.uneven(drawn - oldest, self.num_stored - oldest):
            raise Foul("sample draws some of the stored transitions more often")
        # In an order of ours: it could tell what the loss may not see.
        order = self.rng.permutation(len(drawn))
        return {
            name: field[order].reshape(batches[name].shape)
            for name, field in zip(FIELDS, flat, strict=True)
        }

    def verified_batches(
        self, answer: dict[str, Any], shape: tuple[int, int]
    ) -> dict[str, np.ndarray]:
        """The five fields in the shapes and dtypes that the update program takes."""
        batches: dict[str, np.ndarray] = {}
        for name in FIELDS:
            tail = (4,) if name in ("state", "next_state") else ()
            value = answer.get(name)
            if not isinstance(value, np.ndarray) or value.shape != (*shape, *tail):
                raise Foul(f"sample returned a `{name}` of the wrong shape")
            if name == "action" and value.dtype.kind not in "iu":
                raise Foul(f"sample returned actions of type {value.dtype}")
            dtype = {"action": np.int32, "terminated": np.bool_}.get(name, np.float32)
            batches[name] = value.astype(dtype)
        return batches

    def sync(self) -> None:
        """Ask the hand-in's sync, verify that it answers one of the two trees."""
        trees = [
            [np.asarray(leaf) for leaf in tree] for tree in (self.theta_Q, self.theta_T)
        ]
        answer = self.ask(
            {
                "do": "sync_target",
                "theta_Q": trees[0],
                "theta_T": trees[1],
                "step": self.num_updates,
                "period": self.settings.period,
            }
        )
        for mine, tree in zip((self.theta_Q, self.theta_T), trees, strict=True):
            if same_bits(answer.get("theta_T"), tree):
                self.theta_T = mine
                return
        raise Foul("sync_target returned neither theta_Q nor theta_T")


class Draws:
    """How often draws meet: more often than by chance where some are preferred.

    When transition i is drawn with a probability of (1 + x_i) / N, pairs of equal draws
    are 1 + mean(x²) times as frequent: after 100 blocks an x of 0.15 is found out.
    """

    def __init__(self) -> None:
        self.met = self.expected = 0.0

    def uneven(self, drawn: np.ndarray, stored: int) -> bool:
        """Whether a preference is beyond chance (6 standard deviations) by now.

        Args:
            drawn: [n] the numbers, from 0, of the transitions that were drawn.
            stored: N, how many there are.
        """
        times = np.bincount(drawn, minlength=stored).astype(np.float64)
        self.met += (times * (times - 1)).sum() / 2
        self.expected += len(drawn) * (len(drawn) - 1) / 2 / stored
        return self.met - self.expected > 6 * self.expected**0.5


def same_bits(answer: Any, tree: list[np.ndarray]) -> bool:
    """Whether an answer is this tree, bit for bit."""
    return (
        isinstance(answer, list)
        and len(answer) == len(tree)
        and all(
            isinstance(a, np.ndarray)
            and (a.shape, a.dtype) == (b.shape, b.dtype)
            and a.tobytes() == b.tobytes()
            for a, b in zip(answer, tree, strict=True)
        )
    )


def row_bytes(columns: list[np.ndarray]) -> list[bytes]:
    """Each transition as bytes, by which a sampled row is recognised."""
    flat = [c.reshape(len(c), -1).astype(np.float32) for c in columns]
    table = np.concatenate(flat, axis=1)
    # -0.0 and 0.0 are one value.
    return [row.tobytes() for row in table + np.float32(0)]


class Disguise(gymnasium.vector.VectorWrapper):
    """CartPole with its observations permuted and signed, its actions relabelled."""

    def __init__(self, envs: Any, variant: tuple) -> None:
        super().__init__(envs)
        order, signs, self.swap = variant
        self.order, self.signs = list(order), np.array(signs, np.float32)

    def reset(self, **options: Any) -> Any:
        """As the environment's, disguised."""
        states, info = self.env.reset(**options)
        return self.disguised(states), info

    def step(self, actions: Any) -> Any:
        """As the environment's, disguised."""
        states, *rest = self.env.step(1 - actions if self.swap else actions)
        return self.disguised(states), *rest

    def disguised(self, states: np.ndarray) -> np.ndarray:
        """The states [N,4] as the agent sees them."""
        return (states[:, self.order] * self.signs).astype(np.float32)


def learn(
    runner: Any,
    seed: int,
    programs: dict[str, str],
    theta: list[np.ndarray],
) -> dict[str, Any]:
    """Train once and test the greedy policy on fresh episodes.

    Returns:
        `mean_return` over the test episodes, the learning `curve` [n,2], the `variant`
        that was drawn, how many updates were `held` against other evidence, what was
        `watched` (see `Logbook`), and the `problem` when learning had to stop.
    """
    settings = train.SETTINGS
    sequence = np.random.SeedSequence(seed)
    agent_seed, train_seed, test_seed = map(int, sequence.generate_state(3, np.uint64))
    agent = RemoteAgent(runner, programs, theta, agent_seed, settings)
    curve: list[tuple[int, float]] = []
    name = ""
    try:
        variant = draw_variant(agent, np.random.default_rng(sequence))
        name = spelled(variant)

        def make_envs(num_envs: int) -> Any:
            return Disguise(train.make_cartpole(num_envs), variant)

        def on_progress(progress: train.Progress) -> None:
            agent.logbook.after_validation(progress)
            if progress.env_step % settings.validate_steps == 0:
                runner.ask({"do": "progress", "env_step": progress.env_step})

        curve = train.train(agent, make_envs, train_seed, settings, on_progress)
        envs = make_envs(settings.validation_episodes)
        mean_return = float(train.evaluate(agent, envs, test_seed % 2**31).mean())
    except Foul as foul:
        nothing = {"mean_return": 0.0, "curve": np.zeros((0, 2))}
        watched = {"watched": agent.logbook.as_dict()}
        return {"problem": str(foul), "variant": name, **watched, **nothing}
    return {
        "problem": None,
        "variant": name,
        "mean_return": mean_return,
        "curve": np.array(curve, np.float64).reshape(-1, 2),
        "held": agent.held,
        "watched": agent.logbook.as_dict(),
    }


def spelled(variant: tuple) -> str:
    """A variant in a short word: "+2-0+1+3", and "~" where actions are swapped."""
    order, signs, swap = variant
    pairs = zip(signs, order, strict=True)
    return "".join(f"{'-+'[sign > 0]}{i}" for sign, i in pairs) + "~" * swap


def draw_variant(agent: RemoteAgent, rng: np.random.Generator) -> tuple:
    """A disguise under which the untrained network scores below 100.

    So that nothing but learning can pass: one fixed rule balances the pole in 32 of
    the 768 disguises. A rule that sleeps until the parameters have moved is to be seen
    too: with parameters jostled at random the network scores below 100 as well.
    """
    envs = train.make_cartpole(agent.settings.validation_episodes)
    fresh = [np.asarray(leaf) for leaf in agent.theta_Q]
    thetas = [fresh] + [
        [
            leaf + np.asarray(size * rng.normal(size=leaf.shape), leaf.dtype)
            for leaf in fresh
        ]
        for size in JOSTLES
    ]
    for _ in range(20):
        variant = VARIANTS[rng.integers(len(VARIANTS))]
        disguised, seed = Disguise(envs, variant), int(rng.integers(2**31))
        if all(
            train.evaluate(Untrained(agent, theta), disguised, seed).mean()
            < UNTRAINED_BELOW
            for theta in thetas
        ):
            return variant
    raise Foul("the untrained network already balances the pole in every disguise")


class Untrained:
    """An agent's network with other parameters, to be judged by `train.evaluate`."""

    def __init__(self, agent: RemoteAgent, theta: list[np.ndarray]) -> None:
        self.agent, self.theta = agent, theta

    def q_values(self, states: np.ndarray) -> np.ndarray:
        """Q(s, a) for every action [N,2] of states [N,4]."""
        return self.agent.values_of(self.theta, states)
