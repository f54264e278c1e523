"""What is said of wrong work that is like no known mistake, and like two of them."""

import pytest

from tests.support.edits import edited

MEAN = "jnp.mean((predicted - empirical) ** 2)"
MASK = ("not_terminated * gamma", "gamma")
FACTS = {  # two mistakes at once, of which no list has the pair, and what is measured
    "no mask, half": (
        "td_loss",
        "td_loss",
        [MASK, (f"return {MEAN}", f"return 0.5 * {MEAN}")],
        "does not depend on `terminated`",
    ),
    "no reward, sum": (
        "td_loss",
        "td_loss",
        [("reward + future", "future"), (MEAN, MEAN.replace("mean", "sum"))],
        "does not depend on the rewards",
    ),
    "no gamma, sum": (
        "td_loss",
        "td_loss",
        [(" * gamma *", " *"), (MEAN, MEAN.replace("mean", "sum"))],
        "does not depend on γ",
    ),
    "no alpha, min for max": (
        "update_Q_TD0",
        "update_Q_TD0",
        [(".add(-alpha * eta)", ".add(-0.05 * eta)"), (".max(axis=1)", ".min(axis=1)")],
        "does not depend on α",
    ),
    "mean for max, sum": (
        "td_loss",
        "td_loss",
        [(".max(axis=1)", ".mean(axis=1)"), (MEAN, MEAN.replace("mean", "sum"))],
        "a sum, where the mean is asked",
    ),
    "mean for max, cut off": (
        "td_loss",
        "td_loss",
        [
            (".max(axis=1)", ".mean(axis=1)"),
            ("(predicted -", "(jax.lax.stop_gradient(predicted) -"),
        ],
        "exactly zero",
    ),
    "mean for max, pairs": (
        "td_loss",
        "td_loss",
        [(".max(axis=1)", ".mean(axis=1)"), ("(predicted -", "(predicted[:, None] -")],
        "5 × 5 pairs",
    ),
    "half a step": (
        "update_Q_TD0",
        "update_Q_TD0",
        [(".add(-alpha * eta)", ".add(-0.5 * alpha * eta)")],
        "exactly half of the expected one",
    ),
    "no mask, min for max": (
        "update_Q_TD0",
        "update_Q_TD0",
        [MASK, (".max(axis=1)", ".min(axis=1)")],
        "does not depend on `terminateds`",
    ),
    "one third too much": (
        "monte_carlo",
        "discounted_returns",
        [("reward + gamma * later", "reward + 1.25 * gamma * later")],
        "with the weights",
    ),
    "idle, other loss": (
        "td_update",
        "td_update",
        [
            ("theta_Q = eqx.apply_updates(theta_Q, updates)", ""),
            ("opt_state, loss", "opt_state, 3 * loss"),
        ],
        "theta_Q that comes back is the theta_Q that went in",
    ),
    "every fifth": (
        "sync_target",
        "sync_target",
        [("step % period == 0", "(step + 2) % period == 0")],
        "theta_Q at the steps [2, 6]",
    ),
}


@pytest.mark.parametrize("name", FACTS)
def test_unknown_mistake_gets_a_fact(name, hand_in, graded):
    """No name is guessed; what was measured is said, and is so."""
    exercise, part, changes, words = FACTS[name]
    report = graded(hand_in(source=edited(part, *changes)), exercise)
    failed = [c for c in report["exercises"][0]["checks"] if c["outcome"] == "failed"]
    assert failed
    for check in failed:
        assert check["diagnosis"] is None
        assert words in check["hint"], check["hint"]


def test_known_mistake_gets_its_name(hand_in, graded):
    """Written in another way than the one on record, it is recognised all the same."""
    body = """\
Q = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
chosen = (Q * jax.nn.one_hot(batch.action, Q.shape[1])).sum(1)
future = jnp.max(jax.vmap(eqx.combine(theta_T, model))(batch.next_state), -1)
return optax.squared_error(batch.reward + gamma * future, chosen).mean()"""
    report = graded(hand_in(td_loss=body), "td_loss", "td_update")
    loss, update = report["exercises"]
    failed = [c for c in loss["checks"] if c["outcome"] == "failed"]
    assert {check["diagnosis"] for check in failed} == {"td-no-mask"}
    assert all("¬d is missing" in check["hint"] for check in failed)
    assert update["score"] == 5


def test_right_work_gets_no_hint(graded):
    """Checks that pass say nothing of mistakes."""
    report = graded("solution", "td_loss", "sync_target")
    for exercise in report["exercises"]:
        for check in exercise["checks"]:
            assert (check["diagnosis"], check["hint"]) == (None, None)
