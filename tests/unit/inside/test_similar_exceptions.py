"""Exceptions with one message and several causes get a sentence for each cause.

In each group of `GROUPS` the library's words are the same, or nearly so. The source
line or the library's call tells which cause it is.
"""

import types

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
import pytest

from grader.inside.errors import describe_error
from grader.inside.explanations.explain import explain
from grader.inside.values import ContractError, part

TRACED = "TracerBoolConversionError: Attempted boolean conversion of traced array"
SEVERAL = "ValueError: The truth value of an array with more than one element is ambig"
SEVERAL = SEVERAL + "uous. Use a.any() or a.all()"
INDEX = "TypeError: only integer scalar arrays can be converted to a scalar index"
NUMPY = "TracerArrayConversionError: The numpy.ndarray conversion method __array__()"
NONE = "TypeError: 'NoneType' object is not callable"
TREES = "ValueError: pytree structure error: different types at key path tree_map tree"
GOT = "TypeError: {} requires ndarray or scalar arguments, got <class 'function'> at "
PATH = (
    "TypeError: Error interpreting argument to <function f at 0x…> as an abstract array"
    ". The problematic value is of type <class 'function'> and was passed to the "
    "function at path {}."
)
GOT_WRAPPER = GOT.format("mean").replace("function", "equinox._vmap_pmap._VmapWrapper")
PATH_WRAPPER = PATH.format("x").replace("'function'", "'equinox._jit._JitWrapper'")
TWICE = "TypeError: {} got multiple values for argument '{}'"
CALLED = "TypeError: {}.__call__() takes 2 positional arguments but {} were given"
GROUPS = {
    "a bool": [
        (TRACED, "f: eps = max(epsilon, 0.05)", "", "Python's max, min"),
        (SEVERAL, "f: best = max(Q[next_states])", "", "Python's max, min"),
        (TRACED, "f: if x > max(1, 2):", "", "no Python `if`"),
        (TRACED, "f: y = q.max(axis=1) and z", "", "no Python `if`"),
        (TRACED, "f: y = g(q.max(axis=1))", "", "no Python `if`"),
        (SEVERAL, "sample: self.rows.remove(row)", "", "compare items by =="),
        (SEVERAL, "add: seen = (s, a, r) in self.buffer", "", "compare items by =="),
        (SEVERAL, "add: if row in self.buffer:", "", "compare items by =="),
        (SEVERAL, "f: if x == y and row in rows:", "", "a Python `if`"),
        (SEVERAL, "f: y = [g(x) for x in rows]", "", "a Python `if`"),
        (SEVERAL, "f: if jnp.isin(a, b):", "", "a Python `if`"),
    ],
    "an index": [
        (INDEX, "f: x = np.concatenate(a, b)", "", "np.concatenate([a, b])"),
        (INDEX, "f: x = np.stack(self.rows[ids])", "", "a list or a deque"),
        (INDEX, "f: row = self.rows[ids]", "", "a list or a deque"),
        (INDEX, "f: x = np.zeros(sizes)", "", "one whole number is needed"),
    ],
    "one number": [
        (
            "TypeError: only 0-dimensional arrays can be converted to Python scalars",
            *("f: n = int(rng.integers(0, 3, size=1))", "", "of shape ()"),
        ),
        (
            "ValueError: can only convert an array of size 1 to a Python scalar",
            *("f: n = x.item()", "", "of exactly one number"),
        ),
    ],
    "NumPy": [
        (NUMPY, "f: a = jax.random.randint(k, 0, A, (N,))", "", "the order of"),
        (NUMPY, "f: a = jax.random.randint(k, 0, q.shape[1], (4,))", "", "the order"),
        (NUMPY, "f: a = T[jax.random.randint(k, (N,), 0, A)]", "", "use jnp"),
        (NUMPY, "f: a = np.random.randint(k, 0, A, (N,))", "", "use jnp"),
        (NUMPY, "f: a = g(jax.random.randint(k, (N,), 0, A), (q,))", "", "use jnp"),
    ],
    "a function": [
        (GOT.format("where"), "f: y = jnp.where(b, g, 0)", "", "are the ( ) missing"),
        (GOT.format("zeros_like"), "f: s = o.init(net)", "", "give it theta_Q"),
        (
            GOT.format("add"),
            "f: t = jax.tree.map(f, a, b)",
            "",
            "give it theta_Q",
        ),
        (PATH.format("a"), "f: y = jnp.mean(td_loss)", "", "are the ( ) missing"),
        (PATH.format("net.activation"), "f: y = g(net)", "", "give it theta_Q"),
        (GOT_WRAPPER, "f: y = jnp.mean(eqx.filter_vmap(net))", "", "are the ( ) miss"),
        (PATH_WRAPPER, "f: y = jax.nn.relu(loss)", "", "are the ( ) missing"),
    ],
    "not": [
        (
            "TypeError: not does not accept dtype float32.",
            *("td_loss: d = ~batch.terminated", "", "0.0 and 1.0"),
        ),
        (
            "TypeError: ufunc 'invert' not supported for the input types",
            *("td_loss: d = ~np.asarray(terminateds)", "", "0.0 and 1.0"),
        ),
        (
            "TypeError: not does not accept dtype float32.",
            *("epsilon_greedy: greedy = ~explore", "", "whole numbers alone"),
        ),
        (
            "TypeError: sub does not accept dtype bool at position 0.",
            *("td_loss: y = r + (True - batch.terminated)", "", "turn `terminated`"),
        ),
        (
            "TypeError: neg does not accept dtype bool.",
            *("epsilon_greedy: x = -explore", "", "~x is their `not`"),
        ),
    ],
    "choice": [
        (
            "ValueError: 'p' must be 1-dimensional",
            *("f: a = np.random.choice(A, p=probs)", "", "one distribution p"),
        ),
        (
            "ValueError: a must be 1-dimensional",
            *("f: b = np.random.choice(self.memory, n)", "", "numbers of the rows"),
        ),
    ],
    "twice": [
        (
            TWICE.format("split()", "key"),
            *("f: k = jax.random.split(3, key=key)", "", "functions of jax.random"),
        ),
        (
            TWICE.format("Net.__init__()", "key"),
            *("q_network: return Net(state_dim, 2, key=key)", "", "arrive as `key`"),
        ),
        (
            TWICE.format("Net.__init__()", "key"),
            *("q_network: return Net(jax.random.split(key)[0], 4, key=key)", ""),
            "arrive as `key`",
        ),
        (
            TWICE.format("layer()", "key"),
            *("q_network: x = layer(jax.random.split(key)[0], key=key)", ""),
            "arrive as `key`",
        ),
        (
            TWICE.format("f()", "gamma"),
            *("td_loss: y = f(b, gamma=gamma)", "", "arrive as `gamma`"),
        ),
        (TWICE.format("td_loss()", "gamma"), "-", "", "the starter's function"),
    ],
    "None": [
        (NONE, "-", "MLP whole", "an activation of this MLP is None"),
        (NONE, "-", "Sequential whole", "one of the layers"),
        (NONE, "-", "MLP", "was it given as None, or"),
        (
            "TypeError: unsupported operand type(s) for @: 'NoneType' and 'Array'",
            *("-", "Linear", "without its arrays"),
        ),
    ],
    "another value": [
        (CALLED.format("Net", 4), "-", "", "its name stands for an object (Net)"),
        (CALLED.format("Net", 2), "-", "", "called with one state and nothing else"),
        (
            CALLED.format("MLP", 4),
            *("td_loss: q = Q(s, a, 1)", "", "takes a state alone"),
        ),
    ],
    "updates": [
        (TREES, "f: x", "updates: a pair, in update", "take it apart before"),
        (TREES, "f: x", "updates: a tuple, in update", "the second the state"),
        (TREES, "f: x", "updates: a tuple, in apply_updates", "returns two things"),
    ],
    "names": [
        (
            "NameError: name 'optim' is not defined",
            *("td_update: u, s = optim.update(g, s)", "", "argument is `optimizer`"),
        ),
        (
            "NameError: name 'optim' is not defined",
            *("f: o = optim.Adam(p)", "", "neither PyTorch"),
        ),
        ("NameError: name 'Callable' is not defined", "f: x", "", "an import at the"),
        (
            "UnboundLocalError: cannot access local variable 'KEY' where it is not",
            *("f: KEY, k = jax.random.split(KEY)", "", "assigns to `KEY`"),
        ),
        (
            "UnboundLocalError: cannot access local variable 'G' where it is not",
            *("f: G = rewards[t] + gamma * G", "", "give it one before this line"),
        ),
        (
            "ModuleNotFoundError: No module named 'utils'",
            *("<module>: import utils", "", "belong in it"),
        ),
        (
            "ModuleNotFoundError: No module named 'torch'",
            *("<module>: import torch", "", "`torch` is not installed"),
        ),
        (
            "AttributeError: module 'jax.numpy' has no attribute 'random'",
            *("f: k = jnp.random.uniform((3,))", "", "are in jax.random"),
        ),
    ],
    "nothing": [
        ("ModuleNotFoundError: No module named 'jax.foo'", "f: import jax.foo", "", ""),
        ("TypeError: 'jaxlib._jax.ArrayImpl' object is not callable", "-", "", ""),
        (NONE, "-", "Lambda", ""),
    ],
}


@pytest.mark.parametrize("group", GROUPS)
def test_each_cause_has_its_sentence(group):
    """The sentence is that of the cause; it is "" if the cause is not certain."""
    for words, where, facts, piece in GROUPS[group]:
        told = explain(words, where, facts)
        assert piece in told if piece else told == "", (words, where, told)


def net(**given: object) -> eqx.Module:
    """Return a small network."""
    return eqx.nn.MLP(3, 2, 4, 1, **given, key=jax.random.key(0))


def told(code: str, **names: object) -> str:
    """Return the sentence on the exception that a function of dqn.py raises.

    Args:
        code: lines of the function.
        names: global names of dqn.py.
    """
    text = "def f():\n" + "".join(f"    {line}\n" for line in code.split("\n"))
    space = {"jax": jax, "jnp": jnp, "x": jnp.ones(3), **names}
    exec(compile(text, "dqn.py", "exec"), space)
    with pytest.raises((NameError, TypeError, ValueError)) as raised:
        space["f"]()
    return describe_error(raised.value)["explanation"]


def test_a_local_name_is_meant_before_an_import():
    """A name like a variable of the function is no missing import."""
    assert told("grads = 1\nreturn grad") == "did you mean `grads`?"
    assert "an import" in told("gamma = 1\nreturn grad")
    assert "an import" in told("return grad", grads=1)


def test_half_a_network_and_an_activation_that_is_none():
    """Only a network with both arrays and functions is called whole."""
    for given in ({"activation": None}, {"final_activation": None}):
        assert "an activation of this MLP" in told("net(x)", net=net(**given))
    theta, model = eqx.partition(net(), eqx.is_array)
    assert "was it given as None, or" in told("net(x)", net=theta)
    assert "without its arrays" in told("net(x)", net=model)


def test_a_pair_in_the_place_of_the_gradient():
    """(loss, gradient) is told from a state in the place of the gradient."""
    theta = eqx.filter(net(), eqx.is_array)
    for optimizer in (optax.sgd(0.1), optax.adam(0.1)):
        state = optimizer.init(theta)
        names = {
            "optax": optax, "update": optimizer.update, "theta": theta, "state": state
        }  # fmt: skip
        code = "u, s = update({}, theta)\nreturn optax.apply_updates(theta, u)"
        pair = code.format("(jnp.zeros(()), theta), state")
        assert "take it apart" in told(pair, **names)
    swapped = told(code.format("state, theta"), **names)
    assert "the second the state" in swapped


def test_a_part_that_cannot_be_asked():
    """The message says which value the name has, or which name is like it."""
    dqn = types.SimpleNamespace(
        td_loss=jnp.zeros(()), Replaybuffer=dict, eps_greedy=len, sync_targets=3
    )
    for name, words in {
        "td_loss": r"`td_loss` is an array of type float32, shape \(\) in dqn\.py",
        "ReplayBuffer": "not define `ReplayBuffer`, but it has `Replaybuffer`",
        "epsilon_greedy": "but it has `eps_greedy`",
        "sync_target": "not define `sync_target`$",
        "mc_loss": "not define `mc_loss`$",
    }.items():
        with pytest.raises(ContractError, match=words):
            part(dqn, name)
    assert part(dqn, "Replaybuffer") is dict
    assert part(types.SimpleNamespace(q_network=eqx.filter_jit(len)), "q_network")
