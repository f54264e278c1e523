"""Learning cannot be had without learning."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

from grader.contract.limits import LIMITS
from grader.grading import pipeline
from grader.intake.submission import Submission
from tests.corpus.cheats import CHEATS
from tests.corpus.cheats.definition import Cheat, trouble
from tests.corpus.mutants import MUTANTS
from tests.support.edits import ROOT, edited
from tests.support.handins import submit

STARTER = (ROOT / "starter" / "dqn.py").read_text()
EVERY = 8  # `make prove` grades all cheats; here it is one of so many, in turn, ...
SOME = [cheat for cheat in CHEATS if cheat.noticed][::EVERY]  # ... that end early
TRUSTED = ("loss-clones", "rows-invented", "update-walks")
NUMBER = {
    **{"update_Q_TD0": 1, "discounted_returns": 2, "mc_loss": 2, "epsilon_greedy": 4},
    **{"td_loss": 6, "td_update": 7, "sync_target": 8},
}


def learning_of(source: str, **limits: int) -> pipeline.Report:
    """Exercise 9 of a hand-in, against the living reference."""
    limited = replace(LIMITS, **limits)
    options = pipeline.Options("1", ("learning",), mode="live", limits=limited)
    submission = Submission("cheat", source.encode())
    return pipeline.grade(submission, options, pipeline.Progress())


@pytest.fixture(scope="module")
def futures(request: pytest.FixtureRequest) -> Iterator[dict[str, Future]]:
    """What comes of every cheat that is to be tested, in the background."""
    asked = [
        item.callspec.params["cheat"]
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.module is request.module
        and "cheat" in getattr(getattr(item, "callspec", None), "params", {})
    ]
    found = {cheat.id: submit(cheat.hand_in) for cheat in asked}
    yield found
    for future in found.values():
        future.cancel()


def as_parameter(cheat: Cheat) -> Any:
    """A cheat as a test's parameter; one with a known hole is expected to fail."""
    hole = pytest.mark.xfail(reason=cheat.known_hole)
    return pytest.param(cheat, id=cheat.id, marks=[hole] if cheat.known_hole else [])


@pytest.mark.parametrize("cheat", [*map(as_parameter, SOME)])
def test_cheat_gets_nothing(cheat: Cheat, futures: dict[str, Future]) -> None:
    """It gets none of CartPole's points, and where it is seen, that is said."""
    assert not trouble(cheat, futures[cheat.id].result())


def test_cheats_of_every_kind() -> None:
    """Many, each with its own id and text; most would work where they are trusted."""
    assert len(CHEATS) >= 50
    assert len({cheat.id for cheat in CHEATS}) == len(CHEATS)
    assert len({cheat.source for cheat in CHEATS}) == len(CHEATS)
    assert sum((cheat.undefended or 0) >= 450 for cheat in CHEATS) >= 40


def test_cheats_work_where_they_are_trusted() -> None:
    """The supplied agent is taken in by them: it means something that ours is not."""
    told = subprocess.run(
        [sys.executable, ROOT / "tests/corpus/cheats/undefended.py", *TRUSTED],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    returns = {
        line.split()[-1]: float(line.split()[0]) for line in told.stdout.splitlines()
    }
    assert sorted(returns) == sorted(TRUSTED)
    assert min(returns.values()) >= 450


def test_half_the_loss_still_learns():
    """A loss scaled by a half is wrong, but it learns, and is paid for learning."""
    halved = edited("td_loss", ("return jnp.mean(", "return 0.5 * jnp.mean("))
    report = learning_of(halved)
    assert report.score == 15
    assert report.learning["cartpole"]["held"] > 0


# (With epsilon inverted it learns: what it tries at random late in training teaches the
# network just as well.)
@pytest.mark.parametrize(
    "id", ["td-mask-inverted", "td-negative", "sync-never", "up-returns-old"]
)
def test_does_not_learn(id):
    """A mistake that keeps the agent from learning costs points of exercise 9."""
    (mutant,) = (mutant for mutant in MUTANTS if mutant.id == id)
    report = learning_of(mutant.source, trainings=1)  # for time
    assert report.score < 15
    assert not report.grader_error


ALWAYS_THE_SAME = {
    "sync_target: keeps": ("sync_target", "return theta_T", 0),
    "sync_target: renews": ("sync_target", "return theta_Q", 0),
    "epsilon_greedy: in turn": (
        "epsilon_greedy",
        "return jnp.arange(q_values.shape[0]) % q_values.shape[1]",
        0,
    ),
    "update_Q_TD0: nothing": ("update_Q_TD0", "return Q", 0),
    "td_loss: zero": ("td_loss", "return 0.0 * theta_Q.layers[0].weight.sum()", 0),
}


@pytest.mark.parametrize(
    ("part", "body", "most"), ALWAYS_THE_SAME.values(), ids=ALWAYS_THE_SAME
)
def test_a_constant_answer_does_not_pay(part, body, most):
    """A part that answers without looking earns no points from properties."""
    source = with_body(STARTER, part, body)
    assert points_of(source, part) == most


def test_a_flat_loss_does_not_pay_for_an_idle_update():
    """On a loss without a slope to speak of, an update that does nothing is wrong."""
    source = with_body(
        STARTER, "td_loss", "return 2e-3 * theta_Q.layers[1].weight.sum()"
    )
    idle = "return theta_Q, opt_state, td_loss(theta_Q, theta_T, model, batch, gamma)"
    assert points_of(with_body(source, "td_update", idle), "td_update") == 0


def test_returns_that_ignore_rewards_do_not_pay_for_the_loss_on_them():
    """`mc_loss` is judged on returns that depend on the rewards."""
    source = with_body(STARTER, "discounted_returns", "return jnp.zeros_like(rewards)")
    body = """q_values = jax.vmap(eqx.combine(theta_Q, model))(states)
    return jnp.mean(q_values[jnp.arange(len(actions)), actions] ** 2)"""
    assert points_of(with_body(source, "mc_loss", body), "monte_carlo") == 0


def with_body(source: str, part: str, body: str) -> str:
    """A starter's text with the stub of one part replaced."""
    stub = f'raise NotImplementedError("Exercise {NUMBER[part]}: {part}")'
    before, found, after = source.partition(stub)
    assert found
    return before + body + after


def points_of(source: str, exercise: str) -> float:
    """The points of one exercise, against the record."""
    options = pipeline.Options(seed="1", only=(exercise,), mode="recorded")
    submission = Submission("constant", source.encode())
    return pipeline.grade(submission, options, pipeline.Progress()).score
