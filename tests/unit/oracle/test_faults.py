"""The message about an exception of the hand-in names the line and the sizes.

The sizes are those of the arrays in the case.
"""

import numpy as np
import pytest

from grader.contract.case import Case
from grader.contract.outcomes import Raised, Wrong
from grader.oracle.faults import add_sizes, reason_of, sizes_of, with_own_line

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
