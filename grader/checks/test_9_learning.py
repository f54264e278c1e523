"""Exercise 9: the parts learn, on a chain with known Q* and on CartPole."""

import functools

import numpy as np
import pytest

from grader.checks.replay_rows import require_columns, require_integers, sampled
from grader.contract import cases, compare, mdps
from grader.contract.case import Case, Student
from grader.contract.mdps import ACTIONS, GAMMA, STATES
from grader.contract.outcomes import (
    NOT_IMPLEMENTED,
    GraderError,
    NotImplementedYet,
    Raised,
    Stopped,
    Waiting,
    Wrong,
)
from grader.diagnosis import learning_failures
from grader.oracle.candidate import RunnerInterface
from grader.oracle.cartpole import FULL, HALF, Result, needed

ROUNDS, UPDATES, BATCH, EXPERIENCE = 20, 60, 32, 400
CLOSE = 0.05  # the allowed error of Q, as a share of the largest |Q*|
# Adam with its default settings moves a parameter by lr |m| / √v. By the inequality of
# Cauchy and Schwarz, for any gradients, this is at most
# lr √(Σ (0.1 · 0.9^i)² / (0.001 · 0.999^i)) = 7.27 lr.
LARGEST_MOVE = 7.3 * 3e-2  # the learning rate of the optimizer "chain" is 3e-2


@pytest.mark.points(5)
def test_chain(student, runner, rng):
    """On a chain, a maze and a ring, Q comes within 5 % of Q*.

    Value iteration gives Q*. The error of right work is about GAMMA^ROUNDS = 0.0008 of
    the largest |Q*|, because each sync multiplies the error by GAMMA. In 200 runs (600
    MDPs) of `tests/system/test_chain.py` the error was at most 0.001 of the largest
    |Q*|, a fiftieth of the allowed error. As none of 200 runs failed, right work fails
    with a probability below 0.015 (95 % confidence); the true one is far smaller.
    """
    for kind in mdps.KINDS:
        mdp = kind(rng)
        try:
            Q = learned_table(mdp, student, runner, rng)
        except NotImplementedYet as stub:
            raise Waiting(f"{NOT_IMPLEMENTED}: waits for {stub.part}") from None
        Q_star = mdps.value_iteration(mdp)
        allowed = CLOSE * np.abs(Q_star).max()
        error = np.where(np.isfinite(Q), np.abs(Q - Q_star), np.inf)
        if error.max() > allowed:
            s, a = np.unravel_index(error.argmax(), error.shape)
            raise Wrong(
                f"{mdp.name}: after {ROUNDS * UPDATES} updates Q[{s}, {a}] is "
                f"{compare.number(Q[s, a])}, Q* is {compare.number(Q_star[s, a])}; "
                f"allowed are {allowed:.2g} off"
            )


@pytest.mark.points(5)
def test_cartpole_half(cartpole, above):
    """CartPole-v1: mean return of at least 195 over 100 fresh episodes."""
    reached(cartpole, HALF, above)


@pytest.mark.points(5)
def test_cartpole_full(cartpole, above):
    """CartPole-v1: mean return of at least 450 over 100 fresh episodes."""
    reached(cartpole, FULL, above)


def reached(result: Result, threshold: float, above: dict[str, bool]) -> None:
    """Check that the trained policy's mean return reaches the threshold.

    Args:
        result: the result of learning.
        threshold: the mean return to reach.
        above: whether each earlier exercise has all its points, by exercise.

    Raises:
        GraderError, Raised, Stopped, Waiting, Wrong: the mean return is too low, or no
            training run was judged.
    """
    if isinstance(result.reason, GraderError):
        raise result.reason
    if result.mean_return is None:
        raise not_judged(result, above)
    if result.mean_return >= threshold:
        return
    raise Wrong(
        f"mean return {result.mean_return:.1f}, the best of {result.runs} training "
        f"run(s), expected {threshold:.0f} (a random policy "
        f"has about 22, a constant action 9)"
        + (result.problem and f"; {result.problem}"),
        why(result, above),
    )


def not_judged(result: Result, above: dict[str, bool]) -> BaseException:
    """Return the exception to raise if no training run was judged."""
    reason = result.reason
    if reason is None:
        return Wrong(f"not judged: {result.problem}", why(result, above))
    told = isinstance(reason, Raised | Stopped | Waiting | Wrong)
    if not told or str(reason).startswith(NOT_IMPLEMENTED):
        return reason
    return type(reason)(f"not judged: {reason}")


def why(result: Result, above: dict[str, bool]) -> str | None:
    """Return why the best training run did not learn; None if this is not known."""
    if not result.watched:
        return None
    curve = np.array(result.curve, np.float64).reshape(-1, 2)
    mean_return = np.nan if result.mean_return is None else result.mean_return
    run = learning_failures.Watched(result.watched, curve, mean_return, result.problem)
    return learning_failures.explanation(run, above) or None


def learned_table(
    mdp: mdps.Mdp, student: Student, runner: RunnerInterface, rng: np.random.Generator
) -> np.ndarray:
    """Return Q [S,A], learned by the hand-in's buffer, update and sync.

    The transitions come from random actions. States are one-hot and the network is a
    table, so only these three parts can be the reason if Q differs from Q*.

    Args:
        mdp: the MDP to learn.
        student: the hand-in.
        runner: the runner.
        rng: the random numbers for the transitions and the buffer.

    Raises:
        NotImplementedYet: a part is a stub.
        Waiting: a part fails in another way.
        Wrong: a part returned something impossible.
    """
    rows = mdps.experience(mdp, EXPERIENCE, rng)
    spec = {"net": "table", "state_dim": STATES, "num_actions": ACTIONS}
    update = {**spec, "optimizer": "chain", "gamma": GAMMA}
    theta_Q = [np.zeros((ACTIONS, STATES), np.float32)]
    theta_T = theta_Q
    opt_state = runner.trusted(do="optimizer_init", optimizer="chain", theta=theta_Q)
    opt_state = opt_state["opt_state"]
    script: list = [["add", 0, EXPERIENCE], ["rng", int(rng.integers(2**31))]]
    script += [["samples", UPDATES, BATCH]] * ROUNDS
    buffer = Case("replay_buffer", {"capacity": EXPERIENCE, "script": script}, rows)
    stored = as_bytes(rows)
    answer = needed("ReplayBuffer", lambda: student.answer(buffer))
    for step, sample in enumerate(sampled(answer, ROUNDS), 1):
        require_columns(sample, rows, (UPDATES, BATCH))
        require_integers(sample)
        if not np.isin(as_bytes(sample), stored).all():
            raise Wrong("sample returned a transition that was never stored")
        batches = {name: sample[name].astype(rows[name].dtype) for name in rows}
        args = {"theta_Q": theta_Q, "theta_T": theta_T, "opt_state": opt_state}
        batch = {name: batches[name][0] for name in rows}
        case = Case("td_update", update, {**args, **batch})
        name = needed("td_update", functools.partial(student.export, case))
        request = {"do": "update_block", "name": name, "args": args, "batches": batches}
        out = runner.untrusted(request, "td_update")
        theta_Q, opt_state = out["theta_Q"], out["opt_state"]
        if float(np.max(out["moves"])) > LARGEST_MOVE:
            raise Wrong("td_update moved a value further than its optimizer can")
        question = cases.sync(theta_Q, theta_T, step * UPDATES, UPDATES)
        question = Case(question.part, {**question.spec, **spec}, question.args)
        synced = needed("sync_target", functools.partial(student.answer, question))
        obtained = synced.leaves("theta_T")
        if all(
            compare.leaves_problem("", obtained, tree, exact=True)
            for tree in (theta_Q, theta_T)
        ):
            raise Wrong("sync_target returned neither theta_Q nor theta_T")
        theta_T = obtained
    return theta_Q[0].T.astype(np.float64)


def as_bytes(rows: dict[str, np.ndarray]) -> np.ndarray:
    """Return each transition as one item of raw bytes, to compare transitions [N].

    Args:
        rows: by field, the values of transitions [N,...] or [n,B,...].
    """
    flat = [
        rows[name].astype(np.float32).reshape(-1, STATES if "state" in name else 1)
        for name in ("state", "action", "reward", "terminated", "next_state")
    ]
    table = np.ascontiguousarray(np.concatenate(flat, axis=1) + np.float32(0))
    return table.view(np.dtype((np.void, table.strides[0]))).ravel()
