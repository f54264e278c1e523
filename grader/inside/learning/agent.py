"""The agent that `train.train` drives, made of the hand-in's parts.

Its network, ε-greedy and `td_update` are programs and run here; its buffer and sync
are asked over the pipe. The network is one program at one batch size, so what acts and
is judged is what was trained.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import train

from grader.inside.learning.answers import (
    FIELDS,
    Foul,
    StoredRows,
    checked_batches,
    same_bits,
)
from grader.inside.learning.training_log import TrainingLog
from grader.inside.learning.updates import DEVIATIONS, Program, fresh_state, make_block

DTYPES = (np.float32, np.int32, np.float32, np.bool_, np.float32)  # of `FIELDS`
MEASURED = 4  # updates of a block whose deviations are measured, see updates.py
TOLERATED = 0.02  # share of these that may deviate, for kinks in the network
MIXED_JUDGING = 256  # rows among which 100 judged states are hidden
COMPARED = 0.1  # share of the judged steps after which the other rows are compared


class RemoteAgent:
    """The agent: programs here, buffer and sync remote.

    Args:
        runner: has the loaded programs and the pipe to the grader.
        programs: the names of the loaded programs: "network", "act", "update" and
            "update_values".
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
        # On the device, as the programs' results are: else the second block would
        # compile everything again.
        device = jax.devices()[0]
        self.theta_Q = self.theta_T = jax.device_put(theta, device)
        self.opt_state = jax.device_put(fresh_state(theta), device)
        self.rng = np.random.default_rng(seed)
        self.nudges = self.rng.spawn(1)[0]
        self.num_updates = 0
        self.new_rows: list[tuple[np.ndarray, ...]] = []
        self.stored = StoredRows(settings.capacity)
        # States of learning, mixed with those that are asked for, so that no program
        # can tell acting and judging from learning.
        self.others = np.zeros((0, 4), np.float32)
        self.training_log = TrainingLog(self.values_of, theta, settings)
        self.measured = self.off = 0
        self.compile(runner, programs)

    def compile(self, runner: Any, programs: dict[str, str]) -> None:
        """Make the compiled functions; the runner keeps them for the next agent."""
        named = {name: runner.programs[known] for name, known in programs.items()}
        network, size = named["network"], self.settings.batch_size
        values = make_values(network, size)

        def block() -> Callable:
            updates = named["update"], named["update_values"]
            return jax.jit(make_block(*updates, network, size))

        self._values = runner.kept(f"values {programs}", lambda: jax.jit(values))
        act = make_act(values, named["act"])
        self._act = runner.kept(f"act {programs}", lambda: jax.jit(act))
        self._block = runner.kept(f"block {programs}", block)

    def act(self, states: np.ndarray, epsilon: float) -> np.ndarray:
        """Choose ε-greedy actions by the hand-in's program, with a fresh key."""
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
        pairs = zip(columns, DTYPES, strict=True)
        self.new_rows.append(tuple(column.astype(dtype) for column, dtype in pairs))

    def learn(self) -> float:
        """Do a block of updates on what the hand-in's buffer samples, then its sync."""
        behaviour, size = self.new_rows, self.settings.batch_size
        batches = self.sample()
        args = {
            "theta_Q": self.theta_Q,
            "theta_T": self.theta_T,
            "opt_state": self.opt_state,
            "nudge": self.nudges.uniform(-1, 1, (2, 2, 2 * size)).astype(np.float32),
        }
        n = self.settings.block_updates
        chosen = np.isin(np.arange(n), self.rng.choice(n, MEASURED, replace=False))
        out = self._block(args, batches, chosen)
        self.training_log.after_block(self, behaviour, batches, out)
        self.theta_Q, self.opt_state = out["theta_Q"], out["opt_state"]
        self.num_updates += n
        self.check_deviations(np.asarray(out["deviations"])[chosen])
        self.sync()
        return float(np.mean(out["losses"]))

    def check_deviations(self, deviations: np.ndarray) -> None:
        """Check the updates that were measured.

        Args:
            deviations: [n,3], in the order of `updates.DEVIATIONS`.

        Raises:
            Foul: too many deviate, or the parameters are not finite.
        """
        if not all(np.isfinite(leaf).all() for leaf in self.theta_Q):
            raise Foul("theta_Q became NaN or infinite during training")
        off = ~(deviations <= list(DEVIATIONS.values()))
        self.measured += len(off)
        self.off += int(off.any(axis=1).sum())
        if self.off > max(TOLERATED * self.measured, 2):
            what = list(DEVIATIONS)[off.any(axis=0).argmax()]
            raise Foul(
                f"{what}: {self.off} of {self.measured} updates that were looked at"
            )

    def q_values(self, states: np.ndarray) -> np.ndarray:
        """Return the network's values [N,2] of states [N,4]."""
        q_values = self.values_of(self.theta_Q, states)
        if not np.isfinite(q_values).all():
            raise Foul("the Q values became NaN or infinite during training")
        return q_values

    def values_of(self, theta: Any, states: np.ndarray) -> np.ndarray:
        """Return the values [N,2] of states [N,4], judged among states of learning."""
        rows, where = self.mixed(states, MIXED_JUDGING)
        q_values = np.asarray(self._values(theta, rows))
        if q_values.shape != (len(rows), 2):
            raise Foul(f"the network gave {q_values.shape} for {len(rows)} states")
        if len(self.others) and self.rng.random() < COMPARED:
            self.compare_others(theta, rows, q_values, where)
        return q_values[where]

    def compare_others(
        self, theta: Any, rows: np.ndarray, q_values: np.ndarray, where: np.ndarray
    ) -> None:
        """Check that the rows beside the judged ones have the values they have alone.

        Args:
            theta: the parameters.
            rows: the judged states and others [N,4].
            q_values: of the rows [N,2].
            where: the judged states among the rows.

        Raises:
            Foul: they have others, so the network knows that it is judged.
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
        """Mix states [N,4] with others; return `size` rows and where the states are."""
        others = self.others if len(self.others) else states
        rows = np.concatenate([states, np.resize(others, (size - len(states), 4))])
        order = self.rng.permutation(size)
        return rows[order], np.argsort(order)[: len(states)]

    def sample(self) -> dict[str, np.ndarray]:
        """Give the buffer the new rows, let it draw a block of batches, check them."""
        columns = [
            np.concatenate(column) for column in zip(*self.new_rows, strict=True)
        ]
        self.new_rows = []
        self.others = columns[0]
        self.stored.add(columns)
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
        batches = checked_batches(answer, shape)
        flat = [field.reshape(-1, *field.shape[2:]) for field in batches.values()]
        self.stored.check(flat)
        # In a random order: the buffer's order could carry what the loss may not see.
        order = self.rng.permutation(shape[0] * shape[1])
        return {
            name: field[order].reshape(batches[name].shape)
            for name, field in zip(FIELDS, flat, strict=True)
        }

    def sync(self) -> None:
        """Let the hand-in's sync decide about theta_T.

        Raises:
            Foul: its answer is neither of the two trees.
        """
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


def make_values(network: Program, batch_size: int) -> Callable[[Any, Any], Any]:
    """Build a function of theta and states [N,4], N a multiple of B, to values [N,2].

    Args:
        network: the forward pass at batch size B.
        batch_size: B.
    """

    def values(theta: Any, states: Any) -> Any:
        batches = states.reshape(-1, batch_size, states.shape[1])
        q_values = jax.lax.map(
            lambda batch: network({"theta": theta, "state": batch})["q_values"],
            batches,
        )
        return q_values.reshape(len(states), -1).astype(jnp.float32)

    return values


def make_act(values: Callable[[Any, Any], Any], epsilon_greedy: Program) -> Callable:
    """Build a function that chooses actions in some of the states.

    Args:
        values: from `make_values`.
        epsilon_greedy: the hand-in's program.
    """

    def act(key: Any, theta: Any, states: Any, where: Any, epsilon: Any) -> Any:
        q_values = values(theta, states)[where]
        args = {"key": key, "q_values": q_values, "epsilon": epsilon}
        return epsilon_greedy(args)["actions"]

    return act
