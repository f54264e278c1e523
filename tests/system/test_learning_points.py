"""Some wrong losses still get points for learning; constant answers get no points."""

import pytest

from grader.grading import pipeline
from grader.intake.submission import Submission
from grader.oracle.learning.run import DEVIATES
from grader.report.model import Report
from tests.support.edits import ROOT, edited
from tests.support.patient import PATIENT

STARTER = (ROOT / "starter" / "dqn.py").read_text(encoding="utf-8")
NUMBER = {
    **{"update_Q_TD0": 1, "discounted_returns": 2, "mc_loss": 2, "epsilon_greedy": 4},
    **{"td_loss": 6, "td_update": 7, "sync_target": 8},
}


def test_half_the_loss_still_learns():
    """A hand-in whose loss has a factor ½ learns by this loss and has full points."""
    half = "return 0.5 * jnp.mean("
    report = learning_of(edited("td_loss", ("return jnp.mean(", half)))
    assert report.score == 15
    for task in ("maze", "cartpole"):
        assert report.learning[task]["compared"] > 0


def test_an_unknown_loss_is_not_judged():
    """If no formula fits a wrong loss, each check of learning fails as "not judged"."""
    odd = "jnp.mean(jnp.exp(predicted) * jnp.sin(predicted - empirical) ** 2)"
    mean = "jnp.mean((predicted - empirical) ** 2)"
    report = learning_of(edited("td_loss", (mean, odd)))
    for check in report.exercises[0].checks:
        assert (check.outcome, check.score) == ("failed", 0)
        assert check.message == f"not judged: {DEVIATES}"


def learning_of(source: str) -> Report:
    """Grade exercise 9 of a hand-in with this text; return the report."""
    options = pipeline.Options("1", ("learning",), limits=PATIENT)
    submission = Submission("wrong", source.encode())
    return pipeline.grade(submission, options, pipeline.Progress())


ALWAYS_THE_SAME = {
    "sync_target: keeps": ("sync_target", "return theta_T"),
    "sync_target: renews": ("sync_target", "return theta_Q"),
    "epsilon_greedy: in turn": (
        "epsilon_greedy",
        "return jnp.arange(q_values.shape[0]) % q_values.shape[1]",
    ),
    "update_Q_TD0: nothing": ("update_Q_TD0", "return Q"),
    "td_loss: zero": ("td_loss", "return 0.0 * theta_Q.layers[0].weight.sum()"),
}


@pytest.mark.parametrize(
    ("part", "body"), ALWAYS_THE_SAME.values(), ids=ALWAYS_THE_SAME
)
def test_a_constant_answer_does_not_pay(hand_in, graded, part, body):
    """A part that always returns the same answer gets 0 points in its exercise."""
    path = hand_in(source=with_body(STARTER, part, body))
    assert graded(path, part)["score"] == 0


def test_a_flat_loss_does_not_pay_for_an_idle_update(hand_in, graded):
    """A `td_update` that never changes θ_Q gets 0 points, even with a nearly flat loss.

    The gradient of such a loss is so small that a right step would hardly change θ_Q.
    """
    source = with_body(
        STARTER, "td_loss", "return 2e-3 * theta_Q.layers[1].weight.sum()"
    )
    idle = "return theta_Q, opt_state, td_loss(theta_Q, theta_T, model, batch, gamma)"
    path = hand_in(source=with_body(source, "td_update", idle))
    assert graded(path, "td_update")["score"] == 0


def test_returns_that_ignore_rewards_do_not_pay_for_the_loss_on_them(hand_in, graded):
    """If both parts of `monte_carlo` ignore the rewards, the exercise gets 0 points."""
    source = with_body(STARTER, "discounted_returns", "return jnp.zeros_like(rewards)")
    body = """q_values = jax.vmap(eqx.combine(theta_Q, model))(states)
    return jnp.mean(q_values[jnp.arange(len(actions)), actions] ** 2)"""
    path = hand_in(source=with_body(source, "mc_loss", body))
    assert graded(path, "monte_carlo")["score"] == 0


def with_body(source: str, part: str, body: str) -> str:
    """Return a text of the starter with a body in place of the stub of one part.

    Args:
        source: the text; bodies may have replaced other stubs already.
        part: name of the part.
        body: the new body.
    """
    stub = f'raise NotImplementedError("Exercise {NUMBER[part]}: {part}")'
    before, found, after = source.partition(stub)
    assert found
    return before + body + after
