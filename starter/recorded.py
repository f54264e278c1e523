"""An agent that records its training, and says why it did not learn. Supplied.

The numbers and the sentences are those of exercise 9: the grader's folder `grader/`,
which lies beside this one, has both.
"""

from collections import deque
from dataclasses import replace

import jax
import numpy as np
from agent import DQNAgent
from jax.flatten_util import ravel_pytree

from grader.contract.learning import CARTPOLE, FULL, GAMMA, MAZE_SHARE
from grader.diagnosis import learning_failures, learning_run
from grader.inside.learning.training_log import COLUMNS, TrainingLog

DRAWN = 1_024  # transitions whose Q values are recorded after each block
IF_RIGHT = (
    "First `make grade ONLY=td_loss`, then td_update and replay_buffer likewise. If "
    "these three are right:"
)


class RecordedAgent(DQNAgent):
    """A `DQNAgent` that also records some numbers for each block of updates.

    Args:
        seed: see `DQNAgent`.
        state_dim: see `DQNAgent`.
        num_actions: see `DQNAgent`.
        settings: see `DQNAgent`.
    """

    def __init__(self, seed: int, state_dim: int, num_actions: int, settings) -> None:
        super().__init__(seed, state_dim, num_actions, settings)
        theta, unflat = ravel_pytree(self.theta_Q)
        self.log = TrainingLog(
            lambda vector, states: np.asarray(self._q_values(unflat(vector), states)),
            np.asarray(theta),
            settings.validation_episodes,
            settings.num_envs,
        )
        self.synced: list[bool] = []  # for each sync due in the block: was it made?
        self.new_rows: list[tuple[np.ndarray, ...]] = []
        self.recent: deque[tuple[np.ndarray, ...]] = deque(
            maxlen=settings.capacity // settings.num_envs
        )
        self.draw = np.random.default_rng(0)  # not `rng`, which draws the batches

    def observe(self, *columns: np.ndarray) -> None:
        """Store N transitions in the replay buffer, and keep them to record them."""
        super().observe(*columns)
        self.new_rows.append(columns)
        self.recent.append(columns)

    def one_update(self) -> jax.Array:
        """Do one gradient update; if a sync was due, record whether θ_T equals θ_Q."""
        loss = super().one_update()
        if self.num_updates % self.settings.period == 0:
            self.synced.append(same(self.theta_Q, self.theta_T))
        return loss

    def learn(self) -> float:
        """Do a block of gradient updates, record its numbers, return the mean loss."""
        before, updates = self.theta_Q, self.num_updates
        loss = super().learn()
        if self.num_updates == updates:  # too few transitions for a batch
            return loss
        thetas = tuple(np.asarray(ravel_pytree(t)[0]) for t in (before, self.theta_Q))
        synced, losses = np.array(self.synced), np.array([loss])
        self.log.after_block(thetas, self.new_rows, self.drawn(), losses, synced)
        self.new_rows, self.synced = [], []
        return loss

    def drawn(self) -> dict[str, np.ndarray]:
        """Draw recent transitions; return three of their fields as arrays [1,n,...]."""
        states, actions, _, terminateds, _ = map(
            np.concatenate, zip(*self.recent, strict=True)
        )
        rows = self.draw.integers(len(states), size=(1, DRAWN))
        fields = {"state": states, "action": actions, "terminated": terminateds}
        return {name: column[rows] for name, column in fields.items()}

    @property
    def max_q(self) -> float:
        """The mean of max_a Q(s, a) over recent states; nan before the first update."""
        if not self.log.blocks:
            return float("nan")
        return self.log.blocks[-1][COLUMNS.index("q")]


def same(one, other) -> bool:
    """Return whether two θ have the same numbers; nan counts as equal to nan."""
    leaves, others = jax.tree.leaves(one), jax.tree.leaves(other)
    return len(leaves) == len(others) and all(
        np.array_equal(a, b, equal_nan=True)
        for a, b in zip(leaves, others, strict=True)
    )


def why_not(
    kind: str,
    agent: RecordedAgent,
    curve: list[tuple[int, float]],
    random: float,
    best: float,
) -> list[str]:
    """Return why a task was not learned, in the sentences of exercise 9.

    Args:
        kind: "maze" or "cartpole".
        agent: the agent after training.
        curve: the learning curve: a point at step 0, then the validations.
        random: the mean return of a random policy.
        best: the best possible mean return.

    Returns:
        The sentences. The list is empty if the last validation would have all points in
        exercise 9. It is also empty if the settings are not those of exercise 9,
        because the sentences quote those settings.
    """
    goal = FULL if kind == CARTPOLE else random + MAZE_SHARE * (best - random)
    mean_return = curve[-1][1]
    settings = agent.settings
    mine = settings.block_steps, settings.block_updates, settings.period
    mine += settings.epsilon_end, settings.epsilon_steps, settings.gamma
    if mean_return >= goal or mine != (
        *(learning_run.BLOCK_STEPS, learning_run.BLOCK_UPDATES, learning_run.PERIOD),
        *(learning_run.EPSILON, learning_run.EPSILON_STEPS, GAMMA),
    ):
        return []
    points = np.array(curve[1:], np.float64).reshape(-1, 2)
    log = agent.log.as_dict()
    run = learning_run.Watched(kind, log, points, mean_return, checked=False)
    # These rules hold for wrong updates as well.
    text = learning_failures.explanation(replace(run, by_formula=True), {})
    if text:
        return text.splitlines()
    lines = learning_failures.explanation(run, {}).splitlines()
    if not lines or lines[0] == learning_failures.UNKNOWN:
        return lines
    return [IF_RIGHT, *lines]
