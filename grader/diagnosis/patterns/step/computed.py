"""Compute steps of `td_update` in float64, with the grader's stand-in for `td_loss`.

In this module, a tree of parameters or gradients is one vector [P]: all its numbers,
array after array.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grader.contract import cases
from grader.contract.case import Args, Case
from grader.diagnosis.patterns.arrays import flat

SGD_RATE, ADAM_RATE = 0.1, 1e-2  # step sizes of "sgd" and "adam"
CLIP_NORM, WEIGHT_DECAY = 0.5, 2.0  # settings of "clipped_adamw"
BETAS, EPS = (0.9, 0.999), 1e-8
# Batch size B of all questions. A factor 11 or 1/11 of the gradient comes from B: no
# other size in a question is 11, and code has no reason for such a constant. With B = 5
# it could come from the `len` of a batch, which is the number of its fields.
BATCH_SIZE = 11

Vector = np.ndarray


@dataclass(frozen=True)
class AdamState:
    """The state of the optimizer Adam.

    Attributes:
        count: number of steps so far.
        mu: moving average of the gradients [P].
        nu: moving average of the squared gradients [P].
    """

    count: int
    mu: Vector
    nu: Vector


@dataclass(frozen=True)
class Draw:
    """One question for `td_update`: the batch, the parameters and Adam's state.

    Attributes:
        case: case for the stand-in of `td_loss`; it has the batch, gamma and the
            parameters.
        theta_Q: parameters θ_Q, all numbers in one vector [P].
        theta_T: parameters θ_T, all numbers in one vector [P].
        state: Adam's state before the step.
    """

    case: Case
    theta_Q: Vector  # noqa: N815
    theta_T: Vector  # noqa: N815
    state: AdamState

    @property
    def gamma(self) -> float:
        """The discount γ of the question."""
        return float(self.case.spec["gamma"])

    def fresh(self) -> AdamState:
        """Return Adam's state before the first step: count 0, and averages of 0."""
        return AdamState(0, 0 * self.theta_Q, 0 * self.theta_Q)

    def arrays(self, vector: Vector) -> list[np.ndarray]:
        """Return the numbers of a vector [P] as arrays with the shapes of θ_Q."""
        shapes = [leaf.shape for leaf in self.case.args["theta_Q"]]
        ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])
        parts = np.split(vector, ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def leaves(self, vector: Vector) -> list[np.ndarray]:
        """Return the numbers of a vector [P] in float32, in the shapes of θ_Q."""
        return [array.astype(np.float32) for array in self.arrays(vector)]


# ---------------------------------------------------------------- the loss


def loss_and_gradients(
    draw: Draw,
    first: Vector,
    second: Vector,
    gamma: float,
    rows: int | None = None,
) -> tuple[float, Vector, Vector]:
    """Return the stand-in loss L(first, second), ∂L/∂first and ∂L/∂second.

    Args:
        draw: the question, which has the batch.
        first: parameters in the place of θ_Q [P].
        second: parameters in the place of θ_T [P].
        gamma: γ.
        rows: number of transitions to use, counted from the first one; None for all.

    Returns:
        The loss, ∂L/∂first [P] and ∂L/∂second [P].
    """
    args: Args = {
        name: value if isinstance(value, list) else value[:rows]
        for name, value in draw.case.args.items()
    }
    predicted, pull_first = network(draw, first, args["state"])
    others, pull_second = network(draw, second, args["next_state"])
    ends = args["terminated"].astype(np.float64)[:, None]
    error = predicted + gamma * others + args["reward"][:, None] * (2.0 + ends)
    slope = 2 * error / error.size
    return float((error**2).mean()), pull_first(slope), pull_second(gamma * slope)


def network(
    draw: Draw, theta: Vector, states: np.ndarray
) -> tuple[np.ndarray, Callable[[np.ndarray], Vector]]:
    """Return a small network's values [B,A], and a function for the backward pass.

    The returned function takes ∂L/∂values [B,A] of any loss L, and returns ∂L/∂theta
    [P].

    Args:
        draw: the question, which has the shapes of the parameters.
        theta: parameters of the network [P].
        states: states [B,D].
    """
    weight, bias, last, last_bias = draw.arrays(theta)
    hidden = np.tanh(states @ weight.T + bias)

    def pull(slope: np.ndarray) -> Vector:
        inner = slope @ last * (1 - hidden**2)
        leaves = [inner.T @ states, inner.sum(axis=0), slope.T @ hidden]
        return flat([*leaves, slope.sum(axis=0)])

    return hidden @ last.T + last_bias, pull


# ---------------------------------------------------------------- the optimizers


def adam(state: AdamState, grads: Vector) -> tuple[Vector, AdamState]:
    """Return Adam's updates [P] for a gradient, and the state after the step.

    Args:
        state: Adam's state before the step.
        grads: gradient [P].
    """
    count = state.count + 1
    mu = BETAS[0] * state.mu + (1 - BETAS[0]) * grads
    nu = BETAS[1] * state.nu + (1 - BETAS[1]) * grads**2
    mean, square = mu / (1 - BETAS[0] ** count), nu / (1 - BETAS[1] ** count)
    return -ADAM_RATE * mean / (np.sqrt(square) + EPS), AdamState(count, mu, nu)


def clipped_adamw(
    state: AdamState, grads: Vector, params: Vector
) -> tuple[Vector, AdamState]:
    """Return the updates [P] of "clipped_adamw", and Adam's state after the step.

    This optimizer first clips the gradient's norm. Then AdamW computes the updates,
    with weight decay.

    Args:
        state: Adam's state before the step.
        grads: gradient [P].
        params: parameters for the weight decay [P].
    """
    norm = float(np.linalg.norm(grads))
    updates, after = adam(state, grads * min(1.0, CLIP_NORM / norm if norm else 1.0))
    return updates - ADAM_RATE * WEIGHT_DECAY * params, after


def optimizer_step(
    optimizer: str, state: AdamState, grads: Vector, params: Vector
) -> tuple[Vector, AdamState]:
    """Return an optimizer's updates [P], and Adam's state after the step.

    Args:
        optimizer: "sgd", "adam" or "clipped_adamw".
        state: Adam's state before the step; "sgd" returns it unchanged.
        grads: gradient [P].
        params: parameters for the weight decay of "clipped_adamw" [P].
    """
    if optimizer == "sgd":
        return -SGD_RATE * grads, state
    if optimizer == "adam":
        return adam(state, grads)
    return clipped_adamw(state, grads, params)


# ---------------------------------------------------------------- questions


def drawn(rng: np.random.Generator, scale: float, size: float = 1.0) -> Draw:
    """Draw a question: `BATCH_SIZE` transitions, the parameters and Adam's state.

    Args:
        rng: source of the numbers.
        scale: factor of the rewards.
        size: factor of the parameters.
    """
    source = cases.Fixed("a step")
    source.rng = rng
    case = cases.td(source, BATCH_SIZE, scale=scale)
    case = case.replace(
        spec={"stand_in": True},
        args={
            name: [np.float32(size) * leaf for leaf in case.args[name]]
            for name in ("theta_Q", "theta_T")
        },
    )
    theta_Q, theta_T = flat(case.args["theta_Q"]), flat(case.args["theta_T"])
    mu = rng.normal(size=theta_Q.shape)
    nu = rng.uniform(0.5, 2.0, theta_Q.shape)
    # The hand-in gets these numbers in float32.
    mu, nu = (x.astype(np.float32).astype(np.float64) for x in (mu, nu))
    return Draw(case, theta_Q, theta_T, AdamState(7, mu, nu))


def question(draw: Draw, optimizer: str) -> Case:
    """Return the case that asks `td_update` for one step.

    Args:
        draw: the question, see `Draw`.
        optimizer: "sgd", "adam" or "clipped_adamw".
    """
    state: list[np.ndarray] = []
    if optimizer != "sgd":
        averages = [*draw.leaves(draw.state.mu), *draw.leaves(draw.state.nu)]
        state = [np.array(draw.state.count, np.int32), *averages]
    return cases.update(draw.case, optimizer, state)


def close(a: Vector, b: Vector, noise: float = 0.0) -> bool:
    """Tell whether two vectors are equal within rounding.

    Args:
        a: vector [P].
        b: vector [P]. The tolerance is relative to the largest absolute value in b.
        noise: absolute tolerance that is added to the relative one.
    """
    size = float(np.abs(b).max(initial=0))
    return bool((np.abs(a - b) <= 2e-4 * size + noise).all())
