"""The agent that the training loop `train.train` calls, made of the hand-in's parts.

The hand-in's network, `epsilon_greedy` and `td_update` are programs that run in this
process. The hand-in's buffer and `sync_target` run in the worker and are asked through
the grader. The network is one program with one batch size for acting, judging and
training, so that the hand-in cannot give another network for one of these.
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

# The types of the `FIELDS`.
DTYPES = (np.float32, np.int32, np.float32, np.bool_, np.float32)
MEASURED = 4  # updates of a block whose deviations are measured, see updates.py
# Share of the measured updates that may deviate. It is not 0, because a network with
# kinks (as from ReLU) can deviate without a mistake.
TOLERATED = 0.02
MIXED_JUDGING = 256  # rows of a batch in which up to 100 judged states are hidden
COMPARED = 0.1  # share of the judged batches whose other rows are checked


class RemoteAgent:
    """The agent that learns CartPole with the hand-in's parts.

    The hand-in's programs run in this process, its buffer and sync in the worker.

    Args:
        runner: the `Runner`, with the loaded programs and the connection to the grader.
        programs: names of the loaded programs, by role: "network", "act", "update" and
            "update_values".
        theta: parameters of the new network.
        seed: seed of exploration and sampling.
        settings: settings of the training loop.
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
        # On the device, because the programs' results are there, too. Otherwise JAX
        # would compile everything again for the second block.
        device = jax.devices()[0]
        self.theta_Q = self.theta_T = jax.device_put(theta, device)
        self.opt_state = jax.device_put(fresh_state(theta), device)
        self.rng = np.random.default_rng(seed)
        self.nudges = self.rng.spawn(1)[0]
        self.num_updates = 0
        self.new_rows: list[tuple[np.ndarray, ...]] = []
        self.stored = StoredRows(settings.capacity)
        # States from the last block. They are mixed with the states of acting and
        # judging, so that no program can distinguish these from learning.
        self.others = np.zeros((0, 4), np.float32)
        self.training_log = TrainingLog(self.values_of, theta, settings)
        self.measured = self.off = 0
        self.compile(runner, programs)

    def compile(self, runner: Any, programs: dict[str, str]) -> None:
        """Make the functions of this agent that JAX compiles.

        The runner keeps them, so that the next agent with these programs compiles
        nothing.

        Args:
            runner: the `Runner` with the loaded programs.
            programs: names of the loaded programs, by role.
        """
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
        """Return ε-greedy actions [N], chosen by the hand-in's program.

        Args:
            states: states [N,4].
            epsilon: probability of a uniformly drawn action.

        Raises:
            Foul: the program returned something other than N actions of 0 and 1.
        """
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
        """Keep transitions until the next block, when the hand-in's buffer gets them.

        Args:
            columns: the five fields of N transitions, [N,...] each.
        """
        pairs = zip(columns, DTYPES, strict=True)
        self.new_rows.append(tuple(column.astype(dtype) for column, dtype in pairs))

    def learn(self) -> float:
        """Do a block of updates and a sync; return the mean loss of the block.

        Raises:
            Foul: a part of the hand-in did something that learning does not allow.
        """
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
        """Check the deviations of the measured updates, and that theta_Q is finite.

        Args:
            deviations: deviations [n,3], in the order of `updates.DEVIATIONS`.

        Raises:
            Foul: too many updates of this run deviate, or theta_Q is not finite.
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
        """Return the network's values [N,2] of states [N,4].

        Raises:
            Foul: a value is not finite.
        """
        q_values = self.values_of(self.theta_Q, states)
        if not np.isfinite(q_values).all():
            raise Foul("the Q values became NaN or infinite during training")
        return q_values

    def values_of(self, theta: Any, states: np.ndarray) -> np.ndarray:
        """Return the values [N,2] of states [N,4] by a network with given parameters.

        The states are hidden in a batch with states of the last block.

        Args:
            theta: parameters of the network.
            states: states [N,4], at most MIXED_JUDGING.

        Raises:
            Foul: the values have a wrong shape, or depend on other rows of the batch.
        """
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
        """Check that the values of states do not depend on judged states beside them.

        The states of the last block in `rows` must have the same values as in a batch
        without judged states.

        Args:
            theta: parameters of the network.
            rows: judged states and states of the last block, mixed [N,4].
            q_values: values of the rows [N,2].
            where: indices of the judged states in `rows`.

        Raises:
            Foul: a value differs, so the network can recognise that it is judged.
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
        """Mix states with states of the last block, in a random order.

        Before the first block, copies of `states` are used instead.

        Args:
            states: states [N,4].
            size: number of rows in the result.

        Returns:
            The rows [size,4], and the indices [N] of `states` in these rows.
        """
        others = self.others if len(self.others) else states
        rows = np.concatenate([states, np.resize(others, (size - len(states), 4))])
        order = self.rng.permutation(size)
        return rows[order], np.argsort(order)[: len(states)]

    def sample(self) -> dict[str, np.ndarray]:
        """Add the new transitions to the hand-in's buffer and draw a block of batches.

        Returns:
            The batches as arrays by field, [n,B,...] each.

        Raises:
            Foul: a drawn transition is wrong, or some are drawn more often than others.
        """
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
        # In a random order, because the buffer could hide a message to the loss in the
        # order of the transitions.
        order = self.rng.permutation(shape[0] * shape[1])
        return {
            name: field[order].reshape(batches[name].shape)
            for name, field in zip(FIELDS, flat, strict=True)
        }

    def sync(self) -> None:
        """Set theta_T to theta_Q if the hand-in's `sync_target` returns theta_Q.

        Raises:
            Foul: `sync_target` returns neither theta_Q nor theta_T.
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
    """Return a function of theta and states [N,4] that returns values [N,2].

    N must be a multiple of B.

    Args:
        network: program of the forward pass for B states.
        batch_size: number B of transitions in a batch.
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
    """Return a function that chooses ε-greedy actions in some of the given states.

    Args:
        values: function from `make_values`.
        epsilon_greedy: program of the hand-in's `epsilon_greedy`.
    """

    def act(key: Any, theta: Any, states: Any, where: Any, epsilon: Any) -> Any:
        q_values = values(theta, states)[where]
        args = {"key": key, "q_values": q_values, "epsilon": epsilon}
        return epsilon_greedy(args)["actions"]

    return act
