"""Compute steps of `td_update` in float64, with the grader's stand-in for `td_loss`.

In this module, parameters and gradients are vectors [P]. Such a vector has all numbers
of a list of arrays, one array after the other.
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
    """The numbers of one question for `td_update`.

    Attributes:
        case: case for the stand-in of `td_loss`; it has the batch and gamma.
        theta_Q: parameters theta_Q [P].
        theta_T: parameters theta_T [P].
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

    @property
    def num_transitions(self) -> int:
        """The batch size B."""
        return len(self.case.args["action"])

    def fresh(self) -> AdamState:
        """Return Adam's state before the first step: count 0, and averages of 0."""
        return AdamState(0, 0 * self.theta_Q, 0 * self.theta_Q)

    def arrays(self, vector: Vector) -> list[np.ndarray]:
        """Return the numbers of a vector [P] as arrays with the shapes of theta_Q."""
        shapes = [leaf.shape for leaf in self.case.args["theta_Q"]]
        ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])
        parts = np.split(vector, ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def leaves(self, vector: Vector) -> list[np.ndarray]:
        """Return the numbers of a vector [P] as in `arrays`, but in float32."""
        return [array.astype(np.float32) for array in self.arrays(vector)]


# ---------------------------------------------------------------- the loss


def loss_and_gradients(
    draw: Draw,
    first: Vector,
    second: Vector,
    gamma: float,
    rows: int | None = None,
) -> tuple[float, Vector, Vector]:
    """Return the stand-in loss, and its gradients in both of its parameter arguments.

    Args:
        draw: the question, which has the batch.
        first: parameters in the place of theta_Q [P].
        second: parameters in the place of theta_T [P].
        gamma: γ.
        rows: how many transitions of the batch are used, from the first one on; None
            for all.

    Returns:
        The loss, the gradient in `first` [P], and the gradient in `second` [P].
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
    """Return the probe network's values [B,A], and a function for the backward pass.

    That function takes the gradient of a loss in the values [B,A]. It returns the
    gradient of that loss in theta [P].

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
    """Return Adam's updates [P] for a gradient [P], and the state after the step."""
    count = state.count + 1
    mu = BETAS[0] * state.mu + (1 - BETAS[0]) * grads
    nu = BETAS[1] * state.nu + (1 - BETAS[1]) * grads**2
    mean, square = mu / (1 - BETAS[0] ** count), nu / (1 - BETAS[1] ** count)
    return -ADAM_RATE * mean / (np.sqrt(square) + EPS), AdamState(count, mu, nu)


def clipped_adamw(
    state: AdamState, grads: Vector, params: Vector
) -> tuple[Vector, AdamState]:
    """Return the updates [P] of "clipped_adamw", and Adam's state after the step.

    The gradient's norm is clipped. Then AdamW computes the updates, with weight decay.

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
        params: parameters for the weight decay [P].
    """
    if optimizer == "sgd":
        return -SGD_RATE * grads, state
    if optimizer == "adam":
        return adam(state, grads)
    return clipped_adamw(state, grads, params)


# ---------------------------------------------------------------- questions


def drawn(rng: np.random.Generator, scale: float, size: float = 1.0) -> Draw:
    """Draw the numbers of a question: five transitions, parameters and Adam's state.

    Args:
        rng: source of the numbers.
        scale: number by which the rewards are multiplied.
        size: number by which the parameters are multiplied.
    """
    source = cases.Fixed("a step")
    source.rng = rng
    case = cases.td(source, 5, scale=scale)
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
        draw: the numbers of the question.
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
        b: vector [P]. The relative tolerance refers to its largest absolute value.
        noise: absolute tolerance that is added.
    """
    size = float(np.abs(b).max(initial=0))
    return bool((np.abs(a - b) <= 2e-4 * size + noise).all())
