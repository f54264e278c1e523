"""`Slopes` computes a formula's loss, and its derivatives by the values under θ_Q."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from grader.diagnosis.formulas.losses import td_loss
from grader.diagnosis.formulas.losses.scale import Scale
from grader.diagnosis.formulas.losses.search import Found
from grader.diagnosis.formulas.losses.slopes import Slopes

B, A, GAMMA = 5, 4, 0.7
RIGHT = td_loss.LANGUAGE.right


def found(scale=1.0, growth="", **choices):
    """Return the right formula with another factor, and with some terms replaced.

    Args:
        scale: factor of the loss.
        growth: "B" if the loss is also multiplied by the batch size B, else "".
        choices: for each slot (a term of the grammar), the text of the new choice.
    """
    slots = {
        slot: choice
        for half in td_loss.LANGUAGE.halves
        for slot, choice in half.slots.items()
    }
    changed = {
        slot: next(choice for choice in slots[slot] if choice.words == words)
        for slot, words in choices.items()
    }
    return Found(RIGHT.changed(None, **changed), Scale(scale, growth))


def numbers(seed=0):
    """Return the numbers of a random batch, as the learner sends them to the grader.

    The keys of values begin with `q_` for θ_Q or `t_` for θ_T. They end with `s` for
    the states s, `n` for the next states s′, or `0` for a state of zeros.
    """
    rng = np.random.default_rng(seed)
    shapes = {"q_s": B, "q_n": B, "q_0": 1, "t_s": B, "t_n": B, "t_0": 1}
    return {
        **{k: rng.normal(size=(n, A)).astype(np.float32) for k, n in shapes.items()},
        "action": rng.permutation(B).astype(np.int32) % A,
        "reward": rng.normal(size=B).astype(np.float32),
        "terminated": np.arange(B) % 2 == 1,
    }


def taken(x):
    """Return the values Q(s, a; θ_Q) [B] of the actions taken in a batch x."""
    return x["q_s"][jnp.arange(B), x["action"]]


def target(x, values, mask=True):
    """Return the targets r + ¬d γ · values [B], where d is `terminated`.

    Args:
        x: the numbers of a batch.
        values: the values of the next states [B].
        mask: False to leave ¬d out.
    """
    go_on = 1 - x["terminated"] * mask
    return x["reward"] + go_on * GAMMA * values


def right(x):
    """Return the right targets y [B] for a batch x."""
    return target(x, x["t_n"].max(axis=1))


def square(x, y):
    """Return the mean squared error between Q(s, a; θ_Q) in a batch x and targets y."""
    return ((taken(x) - y) ** 2).mean()


def normalised(y):
    """Return the targets [B], shifted and scaled to mean 0 and standard deviation 1."""
    return (y - y.mean()) / y.std()


def from_zero(x):
    """Return wrong targets [B] for a batch x: r + γ max Q(s′, ·; θ_Q).

    Where d is true, the state s′ is replaced by zeros.
    """
    values = jnp.where(x["terminated"][:, None], x["q_0"], x["q_n"])
    return target(x, values.max(axis=1), mask=False)


Q_N = "Q({s},{a}; θ_Q)"
FORMULAS = {
    "right": (found(), lambda x: square(x, right(x))),
    "half": (found(0.5), lambda x: 0.5 * square(x, right(x))),
    "sum": (found(growth="B"), lambda x: B * square(x, right(x))),
    "no mask": (
        found(mask=""),
        lambda x: square(x, target(x, x["t_n"].max(axis=1), mask=False)),
    ),
    "B1-B": (
        found(pairing="{p}[:, None]"),
        lambda x: ((taken(x)[:, None] - right(x)) ** 2).mean(),
    ),
    "targets normalised": (
        found(after="normalised({y})"),
        lambda x: square(x, normalised(right(x))),
    ),
    "targets by θ_Q normalised": (
        found(net=Q_N, after="normalised({y})"),
        lambda x: square(x, normalised(target(x, x["q_n"].max(axis=1)))),
    ),
    "largest error": (
        found(reduction="max_i {f}"),
        lambda x: ((taken(x) - right(x)) ** 2).max(),
    ),
    "root": (
        found(reduction="√ mean {f}"),
        lambda x: jnp.sqrt(square(x, right(x))),
    ),
    "through the target": (
        found(net=Q_N),
        lambda x: square(x, target(x, x["q_n"].max(axis=1))),
    ),
    "mean of the next values": (
        found(net=Q_N, reduce="mean_a <a>"),
        lambda x: square(x, target(x, x["q_n"].mean(axis=1))),
    ),
    "zeros at an end": (
        found(net=Q_N, state="(0 where d, else s′)", mask=""),
        lambda x: square(x, from_zero(x)),
    ),
    "one maximum of all rows": (
        found(net=Q_N, reduce="max_{i,a} <a>"),
        lambda x: square(x, target(x, x["q_n"].max())),
    ),
    "targets of the row below": (
        found(net=Q_N, state="s of the row below (in a circle)"),
        lambda x: square(x, target(x, jnp.roll(x["q_s"], -1, axis=0).max(axis=1))),
    ),
    "all actions": (
        found(predict="Q(s,·; θ_Q)"),
        lambda x: ((x["q_s"] - right(x)[:, None]) ** 2).mean(),
    ),
    "sum of the predictions": (
        found(pairing="Σ {p}"),
        lambda x: ((taken(x).sum() - right(x)) ** 2).mean(),
    ),
    "predicted by θ_T": (
        found(by="θ_T"),
        lambda x: ((x["t_s"][jnp.arange(B), x["action"]] - right(x)) ** 2).mean(),
    ),
    "Huber": (
        found(error="Huber({e})"),
        lambda x: jnp.mean(
            jnp.where(
                jnp.abs(taken(x) - right(x)) < 1,
                (taken(x) - right(x)) ** 2 / 2,
                jnp.abs(taken(x) - right(x)) - 0.5,
            )
        ),
    ),
    "weighted by the error": (
        found(weight="|e| "),
        lambda x: jnp.mean(
            jax.lax.stop_gradient(jnp.abs(taken(x) - right(x)))
            * (taken(x) - right(x)) ** 2
        ),
    ),
}


@pytest.mark.parametrize(("formula", "loss"), FORMULAS.values(), ids=FORMULAS)
def test_slopes_are_the_derivatives(formula, loss):
    """Loss and slopes agree with the loss and gradient that JAX computes.

    In some of these formulas, the error of one row depends on other rows of the batch.
    """
    slopes = Slopes(formula, GAMMA)
    gradient = jax.jit(jax.value_and_grad(lambda q, x: loss({**x, **q})))
    for seed in range(3):
        asked = numbers(seed)
        moved = {name: asked[name] for name in ("q_s", "q_n", "q_0")}
        expected, by = gradient(moved, asked)
        answer = slopes(asked)
        assert set(answer) == {"loss", *moved}
        assert answer["loss"] == pytest.approx(float(expected), rel=1e-4)
        for name in moved:
            assert answer[name].shape == by[name].shape
            assert answer[name].dtype == np.float32
            np.testing.assert_allclose(answer[name], by[name], 2e-3, 2e-5, err_msg=name)


def test_gamma_is_that_of_the_task():
    """`Slopes` computes the loss with the discount γ that it was given."""
    losses = {gamma: Slopes(found(), gamma)(numbers())["loss"] for gamma in (0.7, 0.99)}
    x = numbers()
    for gamma, loss in losses.items():
        y = x["reward"] + gamma * ~x["terminated"] * x["t_n"].max(axis=1)
        expected = ((x["q_s"][np.arange(B), x["action"]] - y) ** 2).mean()
        assert loss == pytest.approx(expected, rel=1e-4)
