"""The report of a wrong part shows the formula or pattern that the part follows."""

import pytest

from tests.support.edits import edited

MEAN = "jnp.mean((predicted - empirical) ** 2)"
MASK = ("not_terminated * gamma", "gamma")
READINGS = {  # exercise, part, edits, names of the mistakes, piece of the formula
    "no mask, half": (
        "td_loss",
        "td_loss",
        [MASK, (f"return {MEAN}", f"return 0.5 * {MEAN}")],
        "td-no-mask and td-half",
        "y = r + γ max_a Q(s′,a; θ_T)",
    ),
    "mean for max, sum": (
        "td_loss",
        "td_loss",
        [(".max(axis=1)", ".mean(axis=1)"), (MEAN, MEAN.replace("mean", "sum"))],
        "td-mean-action and td-sum",
        "y = r + ¬d γ mean_a Q(s′,a; θ_T)",
    ),
    "another constant": (
        "td_loss",
        "td_loss",
        [(f"return {MEAN}", f"return {MEAN} / 7")],
        None,
        "L = 1/7 mean",
    ),
    "half a step": (
        "update_Q_TD0",
        "update_Q_TD0",
        [(".add(-alpha * eta)", ".add(-0.5 * alpha * eta)")],
        None,
        "½ α",
    ),
    "no mask, mean for max": (
        "update_Q_TD0",
        "update_Q_TD0",
        [MASK, (".max(axis=1)", ".mean(axis=1)")],
        "tab-no-mask and tab-mean-for-max",
        "y = r + γ mean_a Q(s′,a)",
    ),
    "one third too much": (
        "monte_carlo",
        "discounted_returns",
        [("reward + gamma * later", "reward + 1.25 * gamma * later")],
        None,
        "G_0 = r_0 + 0.875 r_1",
    ),
    "every fifth": (
        "sync_target",
        "sync_target",
        [("step % period == 0", "(step + 2) % period == 0")],
        None,
        "θ_Q at the steps [2, 6, 10]",
    ),
}


@pytest.mark.parametrize("name", READINGS)
def test_what_the_code_computes(name, hand_in, graded):
    """The report shows the formula of a wrong part, next to the right formula.

    If mistakes in the formula have names, the report shows these names, too.
    """
    exercise, part, changes, names, words = READINGS[name]
    report = graded(hand_in(source=edited(part, *changes)), exercise)
    failed = [c for c in report["exercises"][0]["checks"] if c["outcome"] == "failed"]
    assert failed
    for check in failed:
        assert names is None or check["diagnosis"] == names
        computes, _, asked = check["reading"].partition("What is asked")
        assert computes.startswith("Your code computes ")
        assert words in computes
        assert asked


def test_known_mistake_gets_its_name(hand_in, graded):
    """A known mistake gets its name and hint even if the code looks different.

    The code ignores `terminated`, like the mutant `td-no-mask`, but is written in
    another style.
    """
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
    """A check that has passed has no diagnosis, no hint and no reading."""
    report = graded("solution", "td_loss", "sync_target")
    for exercise in report["exercises"]:
        for check in exercise["checks"]:
            said = check["diagnosis"], check["hint"], check["reading"]
            assert said == (None, None, None)
