"""Learning ends by its deadline in any case, and the message names the guilty part."""

from dataclasses import replace

from grader.contract.limits import LIMITS
from grader.grading.pipeline import Options, Progress, grade
from grader.intake.submission import Submission
from grader.report.formats.words import about_run
from grader.report.model import Check, Report
from tests.support.edits import edited

SAMPLE = "    def sample("
COUNTED = """
    def sample(self, batch_size, rng):
        self.asked = getattr(self, "asked", 0) + 1
        if batch_size == 64 and self.asked > 300:  # during the training on CartPole
            TROUBLE
        return self.sampled(batch_size, rng)

    def sampled("""
SLOWLY = "end = time.monotonic() + 0.06\n            while time.monotonic() < end: pass"
UPDATE = "    loss, grads = jax.value_and_grad(td_loss)"
AT_64 = "    if batch.state.shape[0] == 64:  # the size at which CartPole is learned\n"
NOT_A_NUMBER = """
        return jax.tree.map(lambda x: x * jnp.nan, theta_Q), opt_state, jnp.nan
"""
ENDLESS = """
        theta_Q = jax.lax.while_loop(
            lambda theta: True,
            lambda theta: jax.tree.map(lambda x: 0.5 * x, theta),
            theta_Q,
        )
"""
LARGE = """
        large = jnp.arange(2.0**28, dtype=jnp.float32) * batch.reward[0]
        many = jax.lax.sort([large + number for number in range(16)])
        return theta_Q, opt_state, sum(each[0] for each in many)
"""


def with_sample(trouble: str) -> str:
    """Return the solution whose `sample` runs the code `trouble` during learning."""
    text = COUNTED.replace("TROUBLE", trouble)
    source = edited("ReplayBuffer", (SAMPLE, text))
    return f"import os, time\n{source}"


def with_update(code: str) -> str:
    """Return the solution with code added to `td_update`, for CartPole's batches."""
    return edited("td_update", (UPDATE, AT_64 + code + UPDATE))


def ended(source: str, **limits: float) -> tuple[Report, Check, Check]:
    """Grade exercise 9; return the report and the two checks of CartPole.

    Fail unless CartPole was not judged and the small MDPs have full points.
    """
    submission = Submission("troubled", source.encode())
    limited = replace(LIMITS, **limits)
    options = Options("1", ("learning",), limits=limited)
    report = grade(submission, options, Progress())
    chain, half, full = report.exercises[0].checks
    assert not report.grader_error
    assert half.message.startswith("not judged: ")
    assert report.learning["cartpole"]["mean_return"] is None
    assert "mean return" not in half.message + about_run(report)
    assert "CartPole: not judged: " in about_run(report)
    assert chain.score == chain.max_score, chain.message
    assert half.score == full.score == 0
    return report, half, full


def test_a_buffer_that_exits():
    """If the worker dies during learning, the outcome is killed, by ReplayBuffer."""
    _, half, full = ended(with_sample("os._exit(3)"))
    assert half.outcome == full.outcome == "killed"
    assert "ReplayBuffer: the process exited with code 3" in half.message


def test_a_sample_that_hangs():
    """If `sample` hangs, the outcome is timeout, and the message shows the line."""
    _, half, full = ended(with_sample("while True: pass"), call_seconds=5.0)
    assert half.outcome == full.outcome == "timeout"
    assert "ReplayBuffer: no answer within 5 s" in half.message
    assert "in sample: this is where it was" in half.message


def test_a_sample_that_is_slow():
    """If learning is slow but no answer is late, the message names the slow part."""
    _, half, _ = ended(with_sample(SLOWLY), learn_seconds=12.0)
    assert half.outcome == "timeout"
    assert "most of the time went to ReplayBuffer" in half.message


def test_an_update_that_never_ends():
    """If a program loops for ever, the outcome is timeout, by td_update."""
    _, half, full = ended(with_update(ENDLESS), learn_seconds=12.0)
    assert half.outcome == full.outcome == "timeout"
    assert "learning CartPole: no answer within 12 s" in half.message
    assert "td_update" in half.message


def test_an_update_that_eats_memory():
    """If a program needs 16 GB, the check has no points, and td_update is named."""
    _, half, full = ended(with_update(LARGE))
    assert half.outcome == full.outcome
    assert half.outcome in ("error", "killed")
    assert "while it ran td_update" in half.message


def test_an_update_that_gives_nan():
    """If parameters become NaN, the check fails, and the hint names td_update."""
    report, half, full = ended(with_update(NOT_A_NUMBER))
    assert half.outcome == full.outcome == "failed"
    assert "NaN" in half.hint
    assert "td_update" in half.hint
    assert half.message.startswith("not judged: theta_Q became NaN")
    learning = report.learning["cartpole"]
    assert (learning["mean_return"], learning["curve"]) == (None, [])
    assert f"not judged: {learning['not_judged']}" == half.message
