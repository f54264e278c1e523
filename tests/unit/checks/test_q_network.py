"""The checks of `q_network`, with networks that compute with NumPy in float32."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from grader.checks import test_3_q_network as checks
from grader.contract.case import Answer, Case
from grader.contract.outcomes import Wrong


def same(x: np.ndarray) -> np.ndarray:
    """Return the numbers as they are."""
    return x


def relu(x: np.ndarray) -> np.ndarray:
    """Return the positive part of the numbers."""
    return np.maximum(x, 0)


def mean(A: np.ndarray) -> np.ndarray:
    """Return the mean over the actions [B,1]."""
    return A.mean(axis=1, keepdims=True)


def largest(A: np.ndarray) -> np.ndarray:
    """Return the maximum over the actions [B,1]."""
    return A.max(axis=1, keepdims=True)


class Dueling:
    """A fake hand-in: a dueling network with one hidden layer of ReLUs.

    Args:
        value: the function after the state's value V.
        advantage: the function after the advantages A.
        centre: the function of A that is taken away from A; None for none.
        key: whether the key is kept in a field.
    """

    def __init__(
        self,
        value: Callable = same,
        advantage: Callable = same,
        centre: Callable | None = mean,
        *,
        key: bool = False,
    ) -> None:
        self.value, self.advantage, self.centre = value, advantage, centre
        self.key = key

    def answer(self, case: Case) -> Answer:
        """Return the parameters for a key, or the values for given parameters."""
        if case.part == "q_network":
            width, rng = 32, np.random.default_rng(case.args["key"])
            sizes = (width, case.spec["state_dim"]), (1, width)
            sizes += ((case.spec["num_actions"], width),)
            theta = [rng.normal(size=size) / size[1] ** 0.5 for size in sizes]
            theta += [np.zeros(size[:1]) for size in sizes]
            theta = [leaf.astype(np.float32) for leaf in theta]
            return Answer(theta=[*theta, *([case.args["key"]] if self.key else [])])
        W, W_V, W_A, b, b_V, b_A = case.args["theta"][:6]
        with np.errstate(over="ignore", invalid="ignore"):
            hidden = relu(case.args["state"] @ W.T + b)
            A = self.advantage(hidden @ W_A.T + b_A)
            V = self.value(hidden @ W_V.T + b_V)
            return Answer(q_values=V + (A - self.centre(A) if self.centre else A))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "network",
    [
        Dueling(),
        Dueling(centre=largest),
        Dueling(centre=None),
        Dueling(lambda V: np.maximum(V, 0.1 * V)),
        Dueling(advantage=relu),
        Dueling(relu, centre=None),
        Dueling(advantage=lambda A: 0.01 * A),
        Dueling(lambda V: 0.01 * V, lambda A: 0.01 * A),
    ],
    ids=[
        "dueling",
        "maximum",
        "not centred",
        "leaky ReLU",
        "ReLU on A",
        "ReLU on V, not centred",
        "small A",
        "small",
    ],
)
def test_a_network_that_can_have_any_values_passes(network, seed):
    """Any two actions' values are possible, whatever functions the network has."""
    checks.test_any_values(network, np.random.default_rng(seed))


SMALL = "-?(0|[0-9.]+e-[0-9]+)"


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (Dueling(relu), f"below {SMALL}, below {SMALL}"),
        (Dueling(relu, centre=largest), f"below {SMALL}, below {SMALL}"),
        (Dueling(lambda V: np.logaddexp(V, 0)), f"below {SMALL}, below {SMALL}"),
        (Dueling(lambda V: 2 - relu(V)), "above 2, above 2|above 1.9.*, above 1.9.*"),
        (Dueling(lambda V: 500 * np.tanh(V)), "(below -|above )(500|49.*), .*"),
        (Dueling(advantage=np.tanh), "below -.*, above .*|above .*, below -.*"),
    ],
    ids=["ReLU", "maximum", "softplus", "at most 2", "tanh", "tanh on A"],
)
def test_values_that_are_bound_together(network, words):
    """The message says which values two actions never have at the same time."""
    with pytest.raises(Wrong) as found:
        checks.test_any_values(network, np.random.default_rng(0))
    told = re.fullmatch(
        "of two actions, the first never has a value (.*) while the second has one "
        "(.*), in [0-9]+ inputs, at random parameters of every size\n"
        "any pair of values has to be possible: is there an activation on an output, "
        r"or on one of two branches\?",
        str(found.value),
    )
    assert told, str(found.value)
    assert re.fullmatch(words, ", ".join(told.groups()))


def test_a_key_in_a_field_costs_the_check_of_the_parameters_alone():
    """The message names the key; the key is no parameter that is drawn."""
    network, rng = Dueling(key=True), np.random.default_rng(0)
    with pytest.raises(Wrong, match="uint32 numbers, as a PRNG key does"):
        checks.test_parameters(network)
    for check in (
        checks.test_all_q_at_once,
        checks.test_nonlinear,
        checks.test_any_values,
    ):
        check(network, rng)
    theta = checks.parameters(network, 1, 4, 2)
    for other in checks.other_parameters(theta, rng):
        assert other[-1] is theta[-1]
