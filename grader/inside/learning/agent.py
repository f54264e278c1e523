"""The agent that the training loop `train.train` calls, made of the hand-in's parts.

Each part sees only what its job needs:

- The buffer stores tokens in place of transitions, see `tokens`.
- `sync_target` is asked before the updates, with small tables in place of parameters.
- `epsilon_greedy` gets random values in place of the network's, ranked in the same way.
- The network gets one state at a time.
- The grader makes the updates, see `updates`. Some updates are also made by the
  hand-in's `td_update`, and the results are compared.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import train

from grader.inside.learning.tokens import Foul, Tokens
from grader.inside.learning.training_log import TrainingLog
from grader.inside.learning.updates import CLOSE, Updates, flat
from grader.inside.values import FIELDS

# The dtypes of the `FIELDS`.
DTYPES = (np.float32, np.int32, np.float32, np.bool_, np.float32)
# Share of a block's updates that `td_update` makes, too, for comparison.
COMPARED = 1 / 64
FIRST = 8  # number of updates at the start of a training that are compared, too
# Share of the compared updates that may deviate. The share is not 0, because at a kink
# of the network (as from ReLU) an update can deviate without a mistake.
TOLERATED = 0.02
ASKED_AT_ONCE = 1024  # updates for which `sync_target` is asked in one question
SYNCED, KEPT = 1, 0  # `sync_target` has returned θ_Q, or θ_T; see `Worker.do_schedule`


class Deviates(Exception):
    """Raised if the hand-in's `td_update` makes other updates than the grader."""


class BlindAgent:
    """The agent that learns a task with the hand-in's parts.

    Args:
        ask: function from a question to the grader's answer, both dicts. The grader
            passes most questions on to the hand-in's worker.
        updates: the object that makes the updates of the hand-in's network.
        act: function that `make_act` has returned, which chooses actions by the
            hand-in's `epsilon_greedy`; None if the agent does not act.
        theta: parameters of the new network, a list of arrays.
        seed: seed of exploration and sampling.
        settings: settings of the training loop.
        num_actions: number A of actions.
        by_formula: True to make the updates by the formula of the hand-in's `td_loss`.
            The agent then asks the grader for the slopes of each batch.
    """

    def __init__(
        self,
        ask: Callable[[dict[str, Any]], dict[str, Any]],
        updates: Updates,
        act: Callable | None,
        theta: list[np.ndarray],
        seed: int,
        settings: train.Settings,
        num_actions: int,
        *,
        by_formula: bool,
    ) -> None:
        self.ask, self.updates, self._act = ask, updates, act
        self.settings, self.by_formula = settings, by_formula
        self.num_actions = num_actions
        self.theta_Q = self.theta_T = flat(theta)
        self.opt_state = updates.fresh_state(self.theta_Q, settings.learning_rate)
        self.rng = np.random.default_rng(seed)
        self.tokens: Tokens | None = None
        self.new_rows: list[tuple[np.ndarray, ...]] = []
        self.num_updates = 0
        self.schedule = np.zeros(0, np.int8)
        self.compared = self.deviating = 0
        self.training_log = TrainingLog(
            self.values_of,
            self.theta_Q,
            settings.validation_episodes,
            settings.num_envs,
        )

    def act(self, states: np.ndarray, epsilon: float) -> np.ndarray:
        """Return ε-greedy actions [N], chosen by the hand-in's `epsilon_greedy`.

        Args:
            states: states [N,D].
            epsilon: probability of a uniformly drawn action.

        Raises:
            Foul: the hand-in's result has another shape than [N], or contains a number
                that is no action.
        """
        assert self._act is not None
        key = self.rng.integers(0, 2**32, 2, dtype=np.uint32)
        noise = self.rng.normal(size=(len(states), self.num_actions))
        actions = np.asarray(
            self._act(
                key, self.theta_Q, states, np.float32(epsilon), noise.astype(np.float32)
            )
        )
        if actions.shape != (len(states),):
            raise Foul(
                f"epsilon_greedy gave shape {actions.shape} for {len(states)} states"
            )
        wrong = actions[~np.isin(actions, np.arange(self.num_actions))]
        if len(wrong):
            raise Foul(f"epsilon_greedy chose action {wrong[0]} of 0 and 1")
        return actions.astype(np.int32)

    def observe(self, *columns: np.ndarray) -> None:
        """Keep new transitions until the next call of `learn`.

        Args:
            columns: the five fields of N transitions, an array [N,...] for each field,
                in the order of `FIELDS`.
        """
        pairs = zip(columns, DTYPES, strict=True)
        self.new_rows.append(tuple(column.astype(dtype) for column, dtype in pairs))

    def learn(self) -> float:
        """Make a block of updates; return the mean of their losses.

        Before the updates, the hand-in's buffer gets the new transitions, as tokens,
        and draws the batches.

        Raises:
            Foul: an answer of the hand-in's buffer or `sync_target` is wrong, or
                theta_Q became infinite or NaN.
            Deviates: too many updates of the hand-in's `td_update` deviate.
        """
        n, theta_before = self.settings.block_updates, self.theta_Q
        new_rows, self.new_rows = self.new_rows, []
        columns = map(np.concatenate, zip(*new_rows, strict=True))
        batches = self.sample(dict(zip(FIELDS, columns, strict=True)))
        synced = self.syncs(n)
        drawn = self.rng.choice(n, max(round(COMPARED * n), 1), replace=False)
        compared = np.isin(np.arange(n), drawn)
        if not self.num_updates:
            compared[:FIRST] = True
        carry = (self.theta_Q, self.theta_T, self.opt_state)
        make = self.block_by_formula if self.by_formula else self.updates.block
        carry, losses, distances = make(carry, batches, synced, compared)
        self.theta_Q, self.theta_T, self.opt_state = carry
        self.num_updates += n
        losses = np.asarray(losses)
        if self._act:  # in the table worlds nobody acts, and no log is needed
            due = (self.num_updates - n + 1 + np.arange(n)) % self.settings.period == 0
            thetas = (theta_before, self.theta_Q)
            syncs = synced[due]
            self.training_log.after_block(thetas, new_rows, batches, losses, syncs)
        self.check(np.asarray(distances)[compared])
        return float(losses.mean())

    def block_by_formula(
        self, carry: Any, batches: Any, synced: np.ndarray, compared: np.ndarray
    ) -> Any:
        """Make n updates by the formula of the hand-in's `td_loss`.

        For each update, the grader is asked for the loss and the slopes. This method
        replaces `Updates.block`, which makes updates by the right formula.

        Args:
            carry: theta_Q [P], theta_T [P] and the optimizer's state.
            batches: the n batches, an array [n,B,...] for each field.
            synced: for each update, whether θ_T becomes θ_Q after it, bool [n].
            compared: for each update, whether `td_update` makes it, too, for
                comparison, bool [n].

        Returns:
            The carry after the updates, the losses [n], and for each update its
            distance from that of `td_update`, or `updates.NOT_COMPARED` [n].
        """
        theta_Q, theta_T, state = carry
        losses, distances = [], []
        for i, sync in enumerate(synced):
            batch = {name: column[i] for name, column in batches.items()}
            values = self.updates.all_values(theta_Q, theta_T, batch)
            numbers = {name: np.asarray(value) for name, value in values.items()}
            rows = {name: batch[name] for name in ("action", "reward", "terminated")}
            answer = self.ask({"do": "slopes", **numbers, **rows})
            slopes = {name: answer[name] for name in ("q_s", "q_n", "q_0")}
            carry = (theta_Q, theta_T, state)
            (theta_Q, state), distance = self.updates.step_along(
                carry, batch, slopes, compared[i]
            )
            theta_T = theta_Q if sync else theta_T
            losses.append(answer["loss"])
            distances.append(distance)
        return (theta_Q, theta_T, state), np.array(losses), np.array(distances)

    def check(self, distances: np.ndarray) -> None:
        """Check that few of the hand-in's updates deviate, and that theta_Q is finite.

        An update deviates if its distance from the grader's update is NaN or larger
        than `CLOSE`. If theta_Q is not finite, a NaN or infinite distance is no
        deviation, because the grader's own update may be NaN.

        Args:
            distances: for each compared update of a block, the distance between the
                hand-in's update and the grader's, see `Updates.distance`.

        Raises:
            Deviates: too many of the updates that were compared so far deviate.
            Foul: theta_Q is not finite.
        """
        # A NaN distance deviates, unless theta_Q is not finite: then the grader's own
        # update may be NaN.
        finite = bool(np.isfinite(np.asarray(self.theta_Q)).all())
        deviating = ~(distances <= CLOSE) & (finite | np.isfinite(distances))
        self.compared += len(distances)
        self.deviating += int(deviating.sum())
        # A table has no kinks; with a network, one deviation may come from a kink.
        if self.deviating > max(TOLERATED * self.compared, 1 if self._act else 0):
            raise Deviates
        if not finite:
            raise Foul("theta_Q became NaN or infinite during training")

    def q_values(self, states: np.ndarray) -> np.ndarray:
        """Return the values [N,A] of states [N,D], by the network with theta_Q.

        Raises:
            Foul: a value is not finite.
        """
        q_values = self.values_of(self.theta_Q, states)
        if not np.isfinite(q_values).all():
            raise Foul("the Q values became NaN or infinite during training")
        return q_values

    def values_of(self, theta: Any, states: np.ndarray) -> np.ndarray:
        """Return the values [N,A] of states [N,D], by the network with theta [P]."""
        return np.asarray(self.updates.q_values(theta, states))

    def sample(self, rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Add transitions to the hand-in's buffer, as tokens, and draw n batches.

        n is `block_updates` of the settings, and B is `batch_size`.

        Args:
            rows: the N new transitions, an array [N,...] for each field.

        Returns:
            The transitions whose tokens the buffer has drawn, as n batches of B: for
            each field, an array [n,B,...].

        Raises:
            Foul: the buffer's answer has a wrong form, contains a token that should not
                be in the buffer, or shows that some tokens are drawn more often than
                others.
        """
        if self.tokens is None:
            kinds = {name: column[:1] for name, column in rows.items()}
            capacity, rng = self.settings.capacity, self.rng.spawn(1)[0]
            self.tokens = Tokens(capacity, kinds, self.num_actions, rng)
        shape = (self.settings.block_updates, self.settings.batch_size)
        count = max(self.settings.block_steps, len(rows["action"]))
        new_tokens = self.tokens.add(rows, count)
        answer = self.ask(
            {
                "do": "use_buffer",
                "rows": new_tokens,
                "num_batches": shape[0],
                "batch_size": shape[1],
                "seed": int(self.rng.integers(2**63)),
            }
        )
        return self.tokens.transitions(answer, shape)

    def syncs(self, n: int) -> np.ndarray:
        """Return for each of the next n updates whether a sync follows it, bool [n].

        At a sync, θ_T becomes θ_Q. The hand-in's `sync_target` says when this happens;
        it is asked for many updates at once.

        Raises:
            Foul: `sync_target` returned neither θ_Q nor θ_T.
        """
        while len(self.schedule) < self.num_updates + n:
            first = len(self.schedule) + 1
            period, count = self.settings.period, max(n, ASKED_AT_ONCE)
            question = {"first": first, "count": count, "period": period}
            answer = self.ask({"do": "schedule", **question})["synced"]
            if not np.isin(answer, (SYNCED, KEPT)).all():
                raise Foul("sync_target returned neither theta_Q nor theta_T")
            self.schedule = np.concatenate([self.schedule, answer])
        return self.schedule[self.num_updates : self.num_updates + n] == SYNCED


def make_act(updates: Updates, epsilon_greedy: Callable[[Any], Any]) -> Callable:
    """Return a function (key, theta, states, epsilon, noise) that chooses actions.

    The function takes key [2], theta [P], states [N,D], a number epsilon and random
    values noise [N,A]. It returns the actions that the hand-in's `epsilon_greedy`
    chooses. In place of the network's values, `epsilon_greedy` gets the random values,
    sorted for each state into the order of the network's values.

    Args:
        updates: the updates for this network; their function `values` computes the
            network's values.
        epsilon_greedy: the program of the hand-in's `epsilon_greedy`.
    """

    def act(key: Any, theta: Any, states: Any, epsilon: Any, noise: Any) -> Any:
        q_values = updates.values(updates.unflat(theta), states)
        smaller = q_values[:, None, :] < q_values[:, :, None]
        ranks = smaller.sum(axis=2)  # equal for equal values
        ranked = jnp.take_along_axis(jnp.sort(noise, axis=1), ranks, axis=1)
        args = {"key": key, "q_values": ranked, "epsilon": epsilon}
        return epsilon_greedy(args)["actions"]

    return jax.jit(act)
