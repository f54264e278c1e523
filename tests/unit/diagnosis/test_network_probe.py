"""A known mistake of `q_network` is named only in networks that have this mistake."""

from collections.abc import Callable

import numpy as np
import pytest

from grader.contract.case import Answer, Case
from grader.diagnosis.diagnose import diagnose
from grader.diagnosis.fingerprints import fingerprint
from grader.oracle.known import Known, Mistake

PART = "q_network"
RNG = np.random.default_rng(0)


class Network:
    """A fake hand-in whose network has two layers, computed with NumPy.

    Args:
        head: function (values, A) that changes the values of the last layer.
        width: number of hidden units.
        outputs: number of the last layer's outputs; None for A.
        more: number of outputs beyond that.
        biases: whether layers have biases.
        unit: activation of the hidden units.
    """

    def __init__(
        self,
        head: Callable = lambda q, count: q,
        *,
        width: int = 64,
        outputs: int | None = None,
        more: int = 0,
        biases: bool = True,
        unit: Callable = lambda x: np.maximum(x, 0),
    ) -> None:
        self.head, self.width, self.outputs = head, width, outputs
        self.more = more
        self.biases, self.unit = biases, unit

    def answer(self, case: Case) -> Answer:
        """Return the parameters for a key, or the values for given parameters."""
        width, count = self.width, case.spec["num_actions"]
        last = (self.outputs or count) + self.more
        if case.part != "forward":
            shapes = [(width, case.spec["state_dim"]), (last, width)]
            shapes += [(width,), (last,)] if self.biases else []
            rng = np.random.default_rng(np.asarray(case.args["key"]).ravel())
            theta = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
            return Answer(theta=theta)
        one, two, *biases = (x.astype(float) for x in case.args["theta"])
        before, after = biases or (0, 0)
        hidden = self.unit(case.args["state"] @ one.T + before)
        return Answer(q_values=self.head(hidden @ two.T + after, count))


def sigmoid(factor: float) -> Callable:
    """Return a head: a sigmoid, multiplied by a factor."""
    return lambda q, count: factor / (1 + np.exp(-np.clip(q, -50, 50)))


def exponential(q: np.ndarray, count: int) -> np.ndarray:
    """Return the values of eˣ in float32, infinite where they are too large for it."""
    with np.errstate(over="ignore"):
        return np.exp(q.astype(np.float32))


def repeated(q: np.ndarray, count: int) -> np.ndarray:
    """Return a single output for each action."""
    return np.repeat(q, count, axis=1)


def multiples(q: np.ndarray, count: int) -> np.ndarray:
    """Return multiples of a single output, another one for each action."""
    return q * np.arange(1, count + 1)


def dueling(value: Callable, centre: Callable = np.mean) -> Network:
    """Return a dueling network whose first output is V, the others A.

    Args:
        value: the function after V.
        centre: the function of A that is taken away from A.
    """

    def head(q: np.ndarray, count: int) -> np.ndarray:
        V, A = value(q[:, :1]), q[:, 1:]
        return V + A - centre(A, axis=1, keepdims=True)

    return Network(head, more=1)


def relu(x: np.ndarray) -> np.ndarray:
    """Return the positive part."""
    return np.maximum(x, 0)


def straight(x: np.ndarray) -> np.ndarray:
    """Return the hidden units without an activation."""
    return x


MISTAKES = {
    "bounded": Network(sigmoid(500)),
    "alike": Network(repeated, outputs=1),
    "linear": Network(unit=straight),
    "positive": Network(lambda q, count: np.maximum(q, 0)),
    "positive mean": dueling(relu),
}
KNOWN = Known(
    {PART: fingerprint(PART, Network())},
    {
        PART: [
            Mistake(name, name, fingerprint(PART, network))
            for name, network in MISTAKES.items()
        ]
    },
)


@pytest.mark.parametrize(
    ("network", "name"),
    [
        (Network(sigmoid(200)), "bounded"),
        (Network(sigmoid(2000), width=32), "bounded"),
        (Network(repeated, outputs=1, width=32), "alike"),
        (Network(multiples, outputs=1), None),
        (Network(unit=straight, width=32), "linear"),
        (Network(biases=False), None),
        # Not bounded: values beyond float32 are infinite.
        (Network(exponential), "positive"),
        (Network(lambda q, A: exponential(exponential(q, A), A)), "positive"),
        # Small values, but larger ones with larger parameters.
        (Network(lambda q, count: np.maximum(q, 0) / 1000), "positive"),
        (dueling(lambda v: np.logaddexp(v, 0)), "positive mean"),
        (dueling(np.abs), "positive mean"),
        (dueling(np.tanh), None),
        (dueling(straight), None),
        (dueling(straight, np.max), None),
        (Network(width=16), None),
    ],
    ids=[
        "another-bound",
        "wide-bound",
        "alike",
        "multiples",
        "linear",
        "no-biases",
        "infinite",
        "infinite-soon",
        "small",
        "softplus-of-V",
        "size-of-V",
        "tanh-of-V",
        "dueling",
        "dueling-max",
        "right",
    ],
)
def test_a_mistake_is_named_where_it_is_made(network, name):
    """The name does not depend on widths or factors, and right networks get none."""
    said = diagnose(PART, network, KNOWN, RNG)
    assert (said and said.names) == name
