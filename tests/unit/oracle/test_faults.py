"""The message about an exception of the hand-in names the line and the sizes.

The sizes are those of the arrays in the case.
"""

import ast

import numpy as np
import pytest

from grader.contract.case import Case
from grader.contract.exercises import STARTER
from grader.contract.outcomes import NOT_IMPLEMENTED, OutOfMemory, Raised, Wrong
from grader.oracle.faults import (
    IMPORTING,
    add_sizes,
    last_seen,
    reason_of,
    sizes_of,
    with_own_line,
)
from grader.oracle.own_text import ARGUMENTS

SOURCE = """import jax
def td_loss(theta_Q):
    return theta_Q
class Net:
    def __call__(self, state, action):
        return state
def q_network(key):
    return Net()
class ReplayBuffer:
    def add(state):
        pass
"""


def told(what: str, **error) -> str:
    """Return the message for an exception of the hand-in `SOURCE`.

    Args:
        what: what was asked, such as "td_loss" or "the network".
        error: fields of the worker's report on the exception.
    """
    error = {"kind": "raised", "type": "TypeError", "line": 0, **error}
    reason = reason_of(with_own_line(error, SOURCE, what), what)
    assert isinstance(reason, Raised)
    return str(reason)


def test_place_and_explanation():
    """The message has the exception, then the line in dqn.py, then the explanation.

    The line's text comes from the hand-in as it was read, not from the worker.
    """
    words = told(
        *("td_loss",),
        message="no\nway",
        line=3,
        function="td_loss",
        text="forged",
        explanation="do this",
    )
    assert words.split("\n") == [
        "td_loss: TypeError: no way",
        "dqn.py, line 3, in td_loss: return theta_Q",
        "do this",
    ]


@pytest.mark.parametrize(
    ("what", "message", "place"),
    [
        ("td_loss", "x", "called was dqn.py, line 2: def td_loss(theta_Q):"),
        ("replay_buffer", "x", "called was dqn.py, line 9: class ReplayBuffer:"),
        (
            "replay_buffer",
            "ReplayBuffer.add() takes 1 positional argument but 6 were given",
            "called was dqn.py, line 10: def add(state):",
        ),
        (
            "the network",
            "x",
            "called was the network of dqn.py, line 7: def q_network(key):",
        ),
        (
            "the network",
            "Net.__call__() missing 1 required positional argument: 'action'",
            "called was the network of dqn.py, line 5: "
            "def __call__(self, state, action):",
        ),
    ],
)
def test_definition_where_no_line_ran(what, message, place):
    """If no line of dqn.py was running, the message shows where the part is defined."""
    assert told(what, message=message).split("\n")[1:] == [place]


@pytest.mark.parametrize("line", [0, -1, 1 << 70, None, "3", [3]])
def test_no_place(line):
    """If the line number is wrong and the part is not defined, no line is shown."""
    assert told("mc_loss", message="x", line=line) == "mc_loss: TypeError: x"


def test_hostile_errors():
    """Whatever the worker sends, the message is printable text of limited length."""
    for thing in (None, 3, b"x", ["\x1b"], "\x1b[2J\n" * 9999, {"a": "##[error]"}):
        keys = ("type", "message", "function", "text", "explanation", "called")
        for what, line in (("td_loss", 0), ("td_loss", 3), ("mc_loss", 0)):
            words = told(what, line=line, **dict.fromkeys(keys, thing))
            assert words.replace("\n", "").isprintable()
            assert len(words.split("\n")) <= 3
            assert len(words) < 2000
            assert words.count("dqn.py, line") == (what == "td_loss")


def test_a_syntax_errors_line_is_named_once():
    """Python ends a syntax error's message with its line, which the place names."""
    words = told(
        *("td_loss",), type="SyntaxError", message="invalid (dqn.py, line 3)", line=3
    )
    assert words.count("line 3") == 1
    assert words.startswith("td_loss: SyntaxError: invalid\ndqn.py, line 3")
    other = told("td_loss", message="invalid (dqn.py, line 33)", line=3)
    assert "(dqn.py, line 33)" in other


def test_contract():
    """If an answer is of a wrong kind, `Wrong` is raised with the worker's message."""
    error = {"kind": "contract", "message": "td_loss returned None"}
    reason = reason_of(with_own_line(error, SOURCE, "td_loss"), "td_loss")
    assert isinstance(reason, Wrong)
    assert str(reason) == "td_loss returned None"


def zeros(*shape: int) -> np.ndarray:
    """Return zeros of type float32 and of this shape."""
    return np.zeros(shape, np.float32)


NET = {"net": "own", "state_dim": 3, "num_actions": 4}


@pytest.mark.parametrize(
    ("case", "sizes"),
    [
        (Case("td_loss", NET, {"action": zeros(5)}), "B = 5, D = 3, A = 4"),
        (Case("mc_loss", NET, {"action": zeros(5)}), "T = 5, D = 3, A = 4"),
        (
            Case("update_Q_TD0", {}, {"Q": zeros(7, 3), "states": zeros(2)}),
            "S = 7, A = 3, T = 2",
        ),
        (Case("epsilon_greedy", {}, {"q_values": zeros(9, 2)}), "N = 9, A = 2"),
        (Case("discounted_returns", {}, {"reward": zeros(6)}), "T = 6"),
        (Case("q_network", NET, {}), "state_dim = 3, num_actions = 4"),
        (
            Case("forward", NET, {"state": zeros(8, 3)}),
            "state_dim = 3, num_actions = 4, states mapped by jax.vmap = 8",
        ),
        (Case("own_part", {"arguments": ["x"]}, {"x": zeros(2)}), ""),
    ],
)
def test_sizes(case, sizes):
    """If an exception is about shapes, the message ends with the sizes in the case.

    A size is given by the lecture's letter, such as B = 5. The messages of other
    exceptions are not changed.
    """
    assert sizes_of(case) == sizes
    about = add_sizes(Raised("TypeError: got shapes (3,), (4,)\ndqn.py"), case)
    assert str(about).endswith(f"asked with {sizes}" if sizes else "dqn.py")
    for words in ("name 'x' is not defined\nreshape(x)", "traced with shape bool[]"):
        other = Raised(f"NameError: {words}")
        assert add_sizes(other, case) is other


def test_an_exception_about_sizes_keeps_its_type():
    """What ran out of memory is still told from other exceptions."""
    case = Case("discounted_returns", {}, {"reward": zeros(6)})
    reason = OutOfMemory("MemoryError: Unable to allocate an array with shape (9,)")
    assert type(add_sizes(reason, case)) is OutOfMemory


def at_import(text: str, line: int, **error) -> str:
    """Return the message for an exception that ends the import of a text.

    Args:
        text: the text of dqn.py.
        line: the number of the line outside of all functions.
        error: further fields of the worker's report on the exception.
    """
    error = {
        "kind": "raised",
        "type": "TypeError",
        "line": line,
        "message": "x",
    } | error
    told = with_own_line({"function": "<module>", **error}, text, IMPORTING)
    return str(reason_of(told, IMPORTING))


@pytest.mark.parametrize(
    ("statement", "advised"),
    [
        ("print(f(3))", True),
        ("while True: pass", False),
        ("import numpy", False),
        ("from x import f", False),
        ("class Net(f(3)):", False),
        ("@f(3)", False),
        ("Table = Rows[3]", False),
        ("optimizer = optax.adam(lr=1e-3)", False),
        ("step: F = jax.jit(f, static_argnames='x')", False),
        ("Q, T = f(3)", False),
        ("table['x'] = f(3)", False),
        ("optimizer = optax.chain(\n    optax.clip(1.0),\n    optax.adam(lr=3)", False),
        ("for i in range(3):\n    net = f(i)", False),
        ("for i in range(3):\n    print(f(i))", True),
        ("print(f'x = {f(3)}')", True),
        ("assert f(3) == 1", True),
        ("assert n == f(3)", True),
    ],
)
def test_code_that_runs_at_import(statement, advised):
    """An exception in a call at import is told where such code belongs.

    Not if other lines may need what the statement defines.
    """
    text = f"x = 1\n{statement}\n"
    last = text.count("\n")
    assert ("whenever dqn.py is imported" in at_import(text, last)) == advised
    assert "whenever" not in at_import(text, last, function="f")
    assert at_import(text, last, explanation="do this").endswith("\ndo this")


DUMP = b"""Timeout (alarm)
  File "/box/dqn.py", line 2 in td_update
  File "/box/dqn.py", line 4 in <module>
  File "/grader/inside/worker.py", line 9 in load_text
"""


def test_a_hang_at_import_names_the_line_outside_of_functions():
    """The line is the one that runs at import, with advice unless it is an import."""
    text = "def td_update():\n    while 1: pass\n\n{}\n"
    loop, imported = text.format("while True: td_update()"), text.format("import x")
    assert last_seen(DUMP, loop, IMPORTING).startswith(
        "\ndqn.py, line 4: this line runs whenever dqn.py is imported: code that"
    )
    seen = last_seen(DUMP, imported, IMPORTING)
    assert seen == "\ndqn.py, line 4: this is where it was"
    seen = last_seen(DUMP, loop, "td_update")
    assert seen == "\ndqn.py, line 2, in td_update: this is where it was"
    assert last_seen(b"", loop, IMPORTING) == ""


def stub_at(line: int, text: str, what: str = "td_loss", function: str = "") -> str:
    """Return the message for a stub of a text, as the worker reports it.

    Args:
        line: number of the line that raises `NotImplementedError`.
        text: the text of dqn.py.
        what: name of the part that was asked.
        function: name of the function that raised; "" for that of the part.
    """
    error = {"kind": "not implemented", "line": line, "function": function or what}
    return str(reason_of(with_own_line(error, text, what), what))


STUB = 'def td_loss(batch):\n    """Say."""\n    raise NotImplementedError("6")\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (STUB, 3),
        (STUB + "\n\ndef f():\n    return 1\n", 3),
        (STUB + "    # to do\n", 3),
        (STUB + "\n" + STUB, 7),
        (STUB + "    return 1\n", 2),
        (
            STUB.replace("    raise", "    if batch:\n        raise")
            + "    return 1\n",
            4,
        ),
        (STUB, 99),
        ('S = """\nraise NotImplementedError', 2),
    ],
)
def test_a_stub_is_not_implemented_yet(text, line):
    """A part that is not written is told so, whatever follows it."""
    assert stub_at(line, text) == NOT_IMPLEMENTED


def test_a_stub_that_is_left_where_the_part_is_written():
    """The message names the line that is in the way, in the part or in one it calls.

    The code stands below the line, or in an earlier definition of the same name. A stub
    of another part is waited for if this part is not written.
    """
    below = STUB + "\n    return batch\n"
    told = stub_at(3, below)
    assert told.startswith("dqn.py, line 3 still raises")
    assert told.endswith("take this line out")
    assert stub_at(3, below, "td_update", "td_loss") == told
    assert stub_at(3, STUB, "td_update", "td_loss").startswith("waits for td_loss")
    twice = "def td_loss(batch):\n    return 1\n\n\n" + STUB
    told = stub_at(7, twice)
    assert told.startswith("dqn.py, line 5 defines `td_loss` once more")
    assert stub_at(7, twice, "td_update", "td_loss") == told
    buffer = "class ReplayBuffer:\n    def add(self):\n        {}\n"
    left = buffer.format("raise NotImplementedError\n        self.n = 1")
    assert stub_at(3, left, "replay_buffer", "add").startswith("dqn.py, line 3 still")
    again = buffer.format("self.n = 1") + buffer.format("raise NotImplementedError")
    assert "line 4 defines `ReplayBuffer`" in stub_at(6, again, "replay_buffer", "add")


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("def q_network(state_dim: int, num_actions, key=f(1, key)):", True),
        ("def q_network(\n    state_dim, num_actions,\n    key: 'K',\n) -> x:", True),
        ("def q_network(key: Key['a, b'], state_dim, num_actions):", False),
        ("def q_network(num_actions, key):", False),
        ("def q_network(key, D, A):", False),
        ("def q_network", False),
        ("network = 1", False),
    ],
)
def test_arguments_in_another_order(head, told):
    """The starter's names in another order are told in place of the explanation."""
    error = {"kind": "raised", "line": 0, "explanation": "do this"}
    for what in ("q_network", "the network", "td_loss"):
        words = str(reason_of(with_own_line(error, head, what), what))
        said = "another order than in the starter: (key, state_dim, num_ac" in words
        assert said == (told and what != "td_loss")
        assert said or words.endswith("do this")


def test_the_table_of_arguments_is_the_starters():
    """`ARGUMENTS` has the arguments of the starter's functions, in their order."""
    tree = ast.parse(STARTER.read_text(encoding="utf-8"))
    found = {
        node.name: " ".join(each.arg for each in node.args.args)
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name in ARGUMENTS
    }
    assert found == ARGUMENTS
