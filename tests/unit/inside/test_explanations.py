"""An exception of a known kind gets a sentence that explains this kind."""

import re

import pytest

from grader.inside.explanations.explain import KINDS, explain

ARRAY = "'jaxlib._jax.ArrayImpl' object"
# Words as the libraries say them: "Type: message", then "function: source line" with
# "-" for none, then what the library was doing; and a piece of the sentence.
EXAMPLES = [
    (
        "TypeError: dot_general requires contracting dimensions to have the same "
        "shape, got (3,) and (5,).",
        "td_loss: q = Q(batch.state)",
        "Linear 3 (5, 3)",
        "shape (5, 3): map it over the batch",
    ),
    (
        "TypeError: dot_general requires contracting dimensions to have the same "
        "shape, got (4,) and (3,).",
        "-",
        "Linear 4 (3,)",
        "a layer with 4 inputs was given 3 numbers",
    ),
    (
        "ValueError: matmul input operand 1 must have ndim at least 1",
        "__call__: return jax.vmap(self.mlp)(x)",
        "Linear 4 ()",
        "4 inputs was given one single number",
    ),
    (
        "TypeError: tanh() got an unexpected keyword argument 'key'",
        "-",
        "Sequential",
        "wrapped in eqx.nn.Lambda",
    ),
    (
        "AttributeError: 'object' object has no attribute 'get'",
        "-",
        "BatchNorm",
        "leave BatchNorm out",
    ),
    (
        "TypeError: Expected a callable value, got Net(",
        "-",
        "",
        "no method `__call__(self, x)`",
    ),
    (
        "TypeError: Net.__call__() missing 1 required positional argument: 'action'",
        "-",
        "",
        "called with one state and nothing else",
    ),
    (
        "AttributeError: 'MLP' object has no attribute 'forward'",
        "td_loss: q = Q.forward(s)",
        "",
        "it has no `forward`",
    ),
    (
        "FrozenInstanceError: cannot assign to field 'l1'",
        "__init__: self.l1 = eqx.nn.Linear(4, 2, key=key)",
        "",
        "into the class body",
    ),
    (
        "FrozenInstanceError: cannot assign to field 'scale'",
        "q_network: net.scale = 2.0",
        "",
        "cannot be changed once it is built",
    ),
    (
        "TracerBoolConversionError: Attempted boolean conversion of traced array",
        "td_loss: if jnp.isnan(loss):",
        "",
        "jnp.where chooses between arrays",
    ),
    (
        "TypeError: unsupported format string passed to LinearizeTracer.__format__",
        'td_loss: print(f"{loss:.3f}")',
        "",
        "a format like :.3f",
    ),
    (
        "ConcretizationTypeError: Abstract tracer value encountered where concrete "
        "value is expected: traced array with shape int32[] This occurred in the "
        "item() method of jax.Array",
        "td_loss: i = a.item()",
        "",
        "cannot become a Python number",
    ),
    (
        "TracerArrayConversionError: The numpy.ndarray conversion method __array__() "
        "was called on traced array with shape float32[5,4]",
        "td_loss: q = np.asarray(q)",
        "",
        "jnp in the place of np",
    ),
    (
        "TypeError: JAX arrays are immutable and do not support in-place item",
        "td_loss: y[d] = 0.0",
        "",
        "x.at[i].set(v)",
    ),
    (
        f"AttributeError: {ARRAY} has no attribute 'gather'",
        "td_loss: q = q.gather(1, a)",
        "",
        "`gather` is PyTorch's",
    ),
    (
        "AttributeError: LinearizeTracer has no attribute detach",
        "td_loss: y = y.detach()",
        "",
        "`detach` is PyTorch's",
    ),
    (
        f"AttributeError: {ARRAY} has no attribute 'unsqueeze'",
        "td_loss: a = a.unsqueeze(1)",
        "",
        "has no `unsqueeze`",
    ),
    (
        "TypeError: _max() got an unexpected keyword argument 'dim'",
        "td_loss: q = q.max(dim=1)",
        "",
        "say `axis`",
    ),
    (
        "ValueError: setting an array element with a sequence. The requested array "
        "has an inhomogeneous shape after 2 dimensions.",
        "sample: rows = rng.choice(self.memory, batch_size)",
        "",
        "draw the numbers of the rows",
    ),
    (
        "ValueError: setting an array element with a sequence. The requested array "
        "has an inhomogeneous shape after 2 dimensions.",
        "sample: rows = np.array(self.memory)",
        "",
        "one array of each field",
    ),
    (
        "ValueError: pytree structure error: different types at key path tree_map tree",
        "td_update: theta = optax.apply_updates(theta_Q, updates)",
        "updates: a number, in apply_updates",
        "(loss, gradient), in this order",
    ),
    (
        "TypeError: object of type 'MLP' has no len()",
        "td_update: u, s = optimizer.update(opt_state, grads, theta_Q)",
        "updates: a tuple, in update",
        "the second the state",
    ),
    (
        "TypeError: cannot unpack non-iterable MLP object",
        "td_update: loss, grads = jax.grad(td_loss)(theta_Q, theta_T, model, batch)",
        "",
        "jax.grad returns the gradient alone",
    ),
    (
        "AttributeError: 'GradientTransformationExtraArgs' object has no attribute "
        "'zero_grad'",
        "td_update: optimizer.zero_grad()",
        "",
        "no `zero_grad`, only init and update",
    ),
    (
        "TypeError: unsupported operand type(s) for *: 'float' and 'MLP'",
        "td_update: theta = theta_Q - 0.1 * grads",
        "",
        "a tree of arrays and no array",
    ),
    (
        "AttributeError: 'MLP' object has no attribute 'fc1'",
        "td_loss: q = Q.fc1(batch.state)",
        "",
        "only calling it is sure to work",
    ),
    (
        "AttributeError: 'MLP' object has no attribute 'get_weights'",
        "sync_target: weights = theta_Q.get_weights()",
        "",
        "tree of parameters has no `get_weights`",
    ),
    (
        "AttributeError: 'MLP' object has no attribute 'assign'",
        "td_update: theta_Q.assign(theta_Q)",
        "",
        "tree of parameters has no `assign`",
    ),
    (
        "TypeError: where requires ndarray or scalar arguments, got <class "
        "'equinox.nn._mlp.MLP'> at position 1.",
        "sync_target: return jnp.where(step % period == 0, theta_Q, theta_T)",
        "",
        "jax.tree.map applies a function to each array",
    ),
    (
        "TypeError: Error interpreting argument to select_n as a JAX value. The "
        "problematic value is of type <class 'equinox.nn._mlp.MLP'> and was passed",
        "sync_target: return jax.lax.select(step % period == 0, theta_Q, theta_T)",
        "",
        "a tree of parameters is no array",
    ),
    (
        "TypeError: 'jaxlib._jax.ArrayImpl' object is not callable",
        "td_loss: y = batch.reward (1 - batch.terminated)",
        "",
        "is an operator missing",
    ),
    (
        "TypeError: Argument '<PjitFunction of <function tanh at 0x…>>' of type "
        "<class 'jaxlib._jax.PjitFunction'> is not a valid JAX type.",
        "td_update: loss, grads = jax.value_and_grad(f)(net)",
        "",
        "and no functions",
    ),
    (
        "ValueError: not enough values to unpack (expected 3, got 2)",
        "q_network: k1, k2, k3 = jax.random.split(key)",
        "",
        "returns n keys",
    ),
    (
        "ValueError: too many values to unpack (expected 4)",
        "td_loss: s, a, r, s2 = batch",
        "",
        "five fields",
    ),
    (
        "TypeError: 'maxsize' is an invalid keyword argument for deque()",
        "__init__: self.memory = deque(maxsize=capacity)",
        "",
        "called `maxlen`",
    ),
    (  # Python 3.13 and later
        "TypeError: deque() got an unexpected keyword argument 'maxsize'",
        "__init__: self.memory = deque(maxsize=capacity)",
        "",
        "called `maxlen`",
    ),
    (
        "IndexError: index 8 is out of bounds for axis 0 with size 8",
        "add: self.states[self.n] = state",
        "",
        "is the oldest row overwritten",
    ),
    (
        "NameError: name 'torch' is not defined",
        "td_loss: with torch.no_grad():",
        "",
        "neither PyTorch nor TensorFlow",
    ),
    (
        "NameError: name 'deque' is not defined",
        "__init__: self.memory = deque(maxlen=capacity)",
        "",
        "an import at the top of dqn.py is missing",
    ),
    (
        "TypeError: Only integer scalar arrays can be converted to a scalar index.",
        "discounted_returns: for t in reversed(range(rewards)):",
        "",
        "here it was given an array: is len(…) missing?",
    ),
    (
        "TypeError: only integer scalar arrays can be converted to a scalar index",
        "update_Q_TD0: y = [rewards[t] for t in range(states)]",
        "",
        "range takes whole numbers",
    ),
    (
        "TypeError: only integer scalar arrays can be converted to a scalar index",
        "sample: rows = [self.rows[i] for _ in range(batch_size)]",
        "",
        "a list or a deque takes one whole number",
    ),
    (
        "TypeError: td_loss() takes 4 positional arguments but 5 were given",
        "-",
        "",
        "the starter's function",
    ),
]
# Exceptions that resemble a known kind, but may have another cause.
UNEXPLAINED = [
    ("ValueError: loss is nan", "td_loss: check(loss)", ""),
    (
        "TypeError: Error interpreting argument to <function f at 0x…> as an abstract "
        "array. The problematic value is of type <class 'str'>",
        "td_loss: return f('x')",
        "",
    ),
    ("AttributeError: 'Net' object has no attribute 'fc1'", "__call__: self.fc1", ""),
    ("AttributeError: can't set attribute", "add: self.x = 1", ""),
    ("TypeError: 'ReplayBuffer' object is not callable", "-", ""),
    ("TypeError: 'NoneType' object is not callable", "-", ""),
    ("TypeError: clip() missing 1 required positional argument: 'x'", "-", "Lambda"),
    ("IndexError: list index out of range", "add: old = self.memory[0]", ""),
    ("IndexError: Too many indices: array is 0-dimensional", "f: q[0]", ""),
    (
        "TypeError: mul got incompatible shapes for broadcasting: (5,), (4,).",
        "f: x",
        "",
    ),
    (
        "ValueError: not enough values to unpack (expected 3, got 2)",
        "f: a, b, c = x",
        "",
    ),
    ("IndexError: list index out of range", "sample: row = self.rows[i]", ""),
    ("TypeError: f() missing 1 required positional argument: 'x'", "td_loss: f()", ""),
    ("TypeError: cannot unpack non-iterable int object", "f: loss, grads = 3", ""),
    (
        "TypeError: cannot unpack non-iterable MLP object",
        "f: loss, grads = jax.value_and_grad(g)(x)[1]",
        "",
    ),
    ("AttributeError: 'Net' object has no attribute 'gather'", "f: net.gather()", ""),
    (
        "AttributeError: 'MLP' object has no attribute 'fc1'",
        "td_loss: q = Q.fc1(theta_Q.bias)",
        "",
    ),
    ("NameError: name 'gama' is not defined", "td_loss: y = gama * q", ""),
]


@pytest.mark.parametrize(
    ("words", "where", "facts", "piece"), EXAMPLES, ids=[e[-1] for e in EXAMPLES]
)
def test_kinds(words: str, where: str, facts: str, piece: str):
    """`explain` returns the sentence for the kind of an exception.

    Args:
        words: type and message of the exception.
        where: function and source line in dqn.py; "-" for none.
        facts: which function of a library was running, and with which arguments.
        piece: a part of the expected sentence.
    """
    assert piece in explain(words, where, facts)


@pytest.mark.parametrize("example", UNEXPLAINED, ids=[e[0] for e in UNEXPLAINED])
def test_not_certain(example: tuple[str, str, str]):
    """If no kind of exception fits for certain, `explain` returns ""."""
    assert explain(*example) == ""


@pytest.mark.parametrize("kind", KINDS, ids=[kind.sentence[:40] for kind in KINDS])
def test_sentences(kind):
    """An explanation is one line of at most 300 characters, without names of our code.

    A kind's patterns have a group for each placeholder in the kind's sentence.
    """
    groups = sum(re.compile(p).groups for p in (kind.words, kind.facts))
    assert {int(n) for n in re.findall(r"\{(\d)\}", kind.sentence)} <= {*range(groups)}
    filled = kind.sentence.format(*["x" * 40] * groups)
    assert len(filled) <= 300
    assert "\n" not in filled
    assert not re.search(r"\b(?:forward:|parts\.py|tracer)\b", filled)


def test_hostile_words():
    """The braces of a hostile message do not appear in the explanation.

    Very long messages are handled quickly, and a very long name gets no explanation.
    """
    for words in ("{0}{1}{x}", "%s" * 1000, "(" * 10_000, "'" * 10_000, "\n" * 10_000):
        assert "{" not in explain(f"Error: {words}", f"f: {words}", words)
    name = "x" * 10_000
    told = explain(f"AttributeError: {ARRAY} has no attribute '{name}'", "f: y", "")
    assert told == ""
