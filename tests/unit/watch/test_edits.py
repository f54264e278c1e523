"""`edited_exercise` finds the exercise whose part was edited."""

import pytest

from grader.watch.edits import edited_exercise

OLD = '''
import jax

def helper(x):
    return x

def episode_terminateds(n):
    return n

class ReplayBuffer:
    def add(self, x):
        self.x = x

    def sample(self):
        return helper(self.x)

def td_loss(theta):
    """Say what it is."""
    return theta  # a comment

def td_update(theta):
    return td_loss(theta)
'''


@pytest.mark.parametrize(
    ("before", "after", "exercise"),
    [
        ("return theta  #", "return 2 * theta  #", "td_loss"),
        ("self.x = x", "self.x = x.copy()", "replay_buffer"),
        ("return n", "return n + 1", "update_Q_TD0"),
        ("return x", "return 2 * x", ""),  # a helper belongs to no exercise
        ("a comment", "another comment", ""),
        ("import jax", "import jax\n\n\n", ""),
        ("return td_loss(theta)", "return td_loss(theta", ""),  # no valid Python
        ("def td_update(", "def td_update_old(", "td_update"),
    ],
)
def test_the_edited_part_names_its_exercise(before, after, exercise):
    new = OLD.replace(before, after)
    assert new != OLD
    assert edited_exercise(OLD, new) == exercise
    assert edited_exercise(new, OLD) == exercise


def test_of_several_edited_exercises_the_first_in_order_is_named():
    new = OLD.replace("return theta", "return 0").replace("self.x = x", "pass")
    assert edited_exercise(OLD, new) == "replay_buffer"


def test_a_text_nested_too_deeply_is_no_error():
    assert edited_exercise(OLD, "x = " + "(" * 100_000) == ""
