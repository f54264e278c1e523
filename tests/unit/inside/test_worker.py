"""Tests of the worker: the line that runs when time is nearly over, and stand-ins."""

import functools
import os
import re
import sys
import time
from collections import deque
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from grader.contract import cases, fixed_cases
from grader.contract.case import Case
from grader.inside.networks import stand_in_returns
from grader.inside.values import ContractError, as_array, as_output
from grader.inside.worker import Worker, place_told

JITTED = """
import equinox as eqx
import jax.numpy as jnp

def discounted_returns(rewards, gamma):
    return jnp.zeros(len(rewards))

@eqx.filter_jit
def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    return jnp.mean(discounted_returns(rewards, gamma) ** 2)
"""
KEPT = """
import equinox as eqx
import jax
import jax.numpy as jnp

{decorator}
def discounted_returns(rewards, gamma=0.5):
    return jnp.zeros(len(rewards))

returns_of = {wrapped}

def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    return jnp.mean(returns_of(rewards, gamma=gamma) ** 2)
"""
CALLED = """
import jax.numpy as jnp

def discounted_returns({taken}):
    return jnp.zeros(1)

def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    return jnp.mean(discounted_returns({given}) ** 2)
"""
STYLES = {
    "jitted": JITTED,
    "kept": KEPT.format(decorator="", wrapped="discounted_returns"),
    "kept and jitted": KEPT.format(decorator="", wrapped="jax.jit(discounted_returns)"),
    "jitted and kept": KEPT.format(decorator="@jax.jit", wrapped="discounted_returns"),
    "jitted twice": KEPT.format(
        decorator="@eqx.filter_jit", wrapped="jax.jit(discounted_returns)"
    ),
    "default": CALLED.format(taken=f"r, gamma={cases.GAMMA}", given="rewards"),
    "names": CALLED.format(taken="r, g", given="g=gamma, r=rewards"),
    "other order": CALLED.format(taken="gamma, rewards", given="gamma, rewards"),
    "one between": CALLED.format(
        taken="rewards, T, gamma", given="rewards, len(rewards), gamma"
    ),
    "one more": CALLED.format(taken="r, g, mean=0", given="rewards, gamma, 1"),
}

# A network with a key in a field: `{key}` is the key that is kept.
KEEPS_ITS_KEY = """
import equinox as eqx
import jax

class Net(eqx.Module):
    layer: eqx.nn.Linear
    key: jax.Array

    def __init__(self, key, state_dim, num_actions):
        self.layer = eqx.nn.Linear(state_dim, num_actions, key=key)
        self.key = {key}

    def __call__(self, state):
        return self.layer(state) + jax.random.normal(self.key)

def q_network(key, state_dim, num_actions):
    return Net(key, state_dim, num_actions)
"""


@pytest.fixture
def errors(tmp_path):
    """Return a file that stands for standard error, opened for writing."""
    with (tmp_path / "errors").open("wb") as file:
        yield file


def written(errors) -> str:
    """Return the text that was written to a file."""
    return Path(errors.name).read_text()


def busy(errors) -> None:
    """Run Python's code until something is written, at most 20 seconds."""
    ends = time.monotonic() + 20
    while not os.fstat(errors.fileno()).st_size and time.monotonic() < ends:
        sum(x for x in range(100))


def waiting() -> None:
    """Run compiled code that handles no signal."""
    sum(range(50_000_000))


def test_the_running_line_is_told(errors):
    """The traceback is written, with the function that is running."""
    with place_told(0.01, errors.fileno()):
        busy(errors)
    assert re.search(r"test_worker\.py\", line \d+ in busy", written(errors))


def test_the_line_of_compiled_code_is_told(errors):
    """The traceback is also written while no signal can be handled."""
    with place_told(0.01, errors.fileno()):
        waiting()
    assert re.search(r"test_worker\.py\", line \d+ in waiting", written(errors))


def test_nothing_is_told_in_time(errors):
    """Nothing is written for a block that ends in time, or after the block."""
    with place_told(0.3, errors.fileno()):
        pass
    waiting()
    assert not written(errors)


def test_a_hand_in_that_changes_the_folder_is_imported_again(tmp_path, monkeypatch):
    """Each import writes and reads the file at the same place."""
    monkeypatch.setitem(sys.modules, "dqn", None)  # restored after the test
    monkeypatch.chdir(tmp_path)
    worker = Worker()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for number in (1, 2):
        text = f"import os\nos.chdir({str(elsewhere)!r})\nNUMBER = {number}\n"
        source = np.frombuffer(text.encode(), np.uint8)
        worker.do_load(source, np.zeros(0, int), False, [], 1.0)
        assert number == worker.dqn.NUMBER
    assert [path.name for path in elsewhere.iterdir()] == []


@pytest.mark.parametrize("dtype", [np.longdouble, np.float16, np.float64])
def test_each_type_of_float_is_a_number(dtype):
    """A result may have any float type, also one that no message can carry."""
    value = as_array("loss", np.array([0.25, 3.0], dtype))
    assert value.tolist() == [0.25, 3.0]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda x: [x, 2 * x], [1, 2]),
        (lambda x: [[x, x], [x, 2 * x]], [[1, 1], [1, 2]]),
        (lambda x: [[x]], [[1]]),
        (lambda x: [(x, 3)], [[1, 3]]),
        (lambda x: deque([2 * x, x]), [2, 1]),
    ],
)
def test_a_list_of_jax_numbers_is_an_array(make, expected):
    """A list of JAX numbers is one array, nested or not, traced or not."""
    output = functools.partial(as_output, "returns")
    assert output(make(jnp.ones(()))).tolist() == expected
    assert jax.jit(lambda x: output(make(x)))(1.0).tolist() == expected


@pytest.mark.parametrize("make", [lambda x: [x, None], lambda x: [[x], [x, x]]])
def test_a_list_that_is_no_array(make):
    """A list without a number, or with lists of several lengths, is a wrong answer."""
    with pytest.raises(ContractError, match="expected one array"):
        jax.make_jaxpr(lambda x: as_output("returns", make(x)))(1.0)


@pytest.mark.parametrize("style", STYLES)
def test_a_stand_in_replaces_a_function(style, monkeypatch):
    """A part calls the stand-in, also if its own function was traced before.

    The part may have kept its own function under another name, at import. The function
    may have arguments in another order or with other names, a default, or one argument
    more; it may be decorated.
    """
    monkeypatch.setitem(sys.modules, "dqn", None)  # restored after the test
    worker = Worker()
    worker.load_text(STYLES[style], Path("dqn.py"))
    case = fixed_cases.MC_EPISODE.fixed[0]

    def loss(**spec: bool) -> float:
        asked = case.replace(spec={**spec, "gradient": False})
        answer = worker.do_call(asked.part, asked.spec, asked.args, watched="")
        return float(answer["loss"])

    returns = stand_in_returns(case.args["reward"], case.spec["gamma"])
    assert loss() == 0
    np.testing.assert_allclose(loss(stand_in=True), np.mean(returns**2), rtol=1e-5)
    assert loss() == 0


@pytest.mark.parametrize("key", ["key", "jax.random.key_data(key)"])
def test_a_key_in_a_field_is_sent_as_numbers(monkeypatch, key):
    """A network that keeps its key answers, and the key is an array of uint32."""
    monkeypatch.setitem(sys.modules, "dqn", None)  # restored after the test
    worker = Worker()
    worker.load_text(KEEPS_ITS_KEY.format(key=key), Path("dqn.py"))
    fresh = cases.fresh_network(1, 4, 2)
    theta = worker.do_call(fresh.part, fresh.spec, fresh.args, watched="")["theta"]
    assert [leaf.dtype.name for leaf in theta] == ["float32", "float32", "uint32"]
    assert theta[2].tolist() == [0, 1]
    spec = {**fresh.spec, "net": "own"}
    states = np.ones((3, 4), np.float32)
    forward = Case("forward", spec, {"theta": theta, "state": states})
    for case in (fresh, forward):
        assert "program" in worker.do_export(case.part, case.spec, case.args, ["cpu"])
    answer = worker.do_call(forward.part, spec, forward.args, watched="")
    assert answer["q_values"].shape == (3, 2)
