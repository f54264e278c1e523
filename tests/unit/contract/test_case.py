"""A case is changed by making a new case, and each exercise has its parts."""

import numpy as np

from grader.contract.case import Case
from grader.contract.exercises import Part, parts_of

ONE = Case("td_loss", {"gamma": 0.7}, {"reward": np.ones(3, np.float32)})


def test_replace_leaves_the_question_alone():
    """`Case.replace` returns a new case and does not change the old case.

    A case with other settings or arrays has another digest.
    """
    other = ONE.replace(spec={"stand_in": True}, args={"reward": np.zeros(3)})
    assert other.part == "td_loss"
    assert other.spec == {"gamma": 0.7, "stand_in": True}
    assert other.args["reward"].tolist() == [0, 0, 0]
    assert ONE.spec == {"gamma": 0.7}
    assert ONE.args["reward"].tolist() == [1, 1, 1]
    assert other.digest() != ONE.digest()
    assert ONE.replace().digest() == ONE.digest()


def test_an_exercise_without_a_row_has_one_function():
    """An exercise that the table of parts does not list has one part, of the same name.

    The exercise `learning` has no part.
    """
    files = {"new_one": "test_10_new_one.py", "learning": "test_9_learning.py"}
    assert parts_of(files) == (Part("new_one", "new_one"),)
    assert Part("A", "b", asked_as="a", also=("c",)).questions == ("a", "c")
