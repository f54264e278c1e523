"""Arrays are compared by shape first, then by NaN and infinity, then by value.

A comparison returns a problem, which is a message, or None if the array is right.
"""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from grader.contract import compare
from grader.contract.outcomes import Wrong

expected_arrays = arrays(
    np.float32,
    array_shapes(min_dims=0, max_dims=3, max_side=5),
    elements=st.floats(-1000, 1000, width=32),
)


@given(expected_arrays)
@settings(database=None, deadline=None)
def test_equal_is_right(expected):
    """An array is right if it equals the expected one, also if its dtype is float64.

    This holds for a comparison with a tolerance and for an exact comparison.
    """
    for exact in (False, True):
        assert compare.problem("x", expected.copy(), expected, exact=exact) is None
        wide = expected.astype(np.float64)
        assert compare.problem("x", wide, expected, exact=exact) is None


@given(expected_arrays, st.data())
@settings(database=None, deadline=None)
def test_one_wrong_entry_is_found(expected, data):
    """One entry is a problem if it is not finite or wrong by 1 % of the scale.

    The scale is the largest |entry| of the expected array, but at least 1.
    """
    index = tuple(data.draw(st.integers(0, n - 1)) for n in expected.shape)
    scale = max(1.0, float(np.abs(expected).max()))
    sign = data.draw(st.sampled_from([1, -1]))
    for value in (expected[index] + sign * 0.01 * scale, np.nan, np.inf, -np.inf):
        obtained = expected.astype(np.float64)
        obtained[index] = value
        assert compare.problem("x", obtained, expected)


def test_rounding_is_forgiven():
    """An error of the size of float32 rounding is no problem, even where 0 is expected.

    In an exact comparison, the same error is a problem.
    """
    expected = np.array([1000.0, 0.0], np.float32)
    assert compare.problem("x", expected + np.float32(0.01), expected) is None
    assert compare.problem("x", expected + np.float32(0.01), expected, exact=True)


@pytest.mark.parametrize(
    "shape", [(1,), (3, 1), (1, 3), (0,), (3, 3)], ids=lambda shape: str(shape)
)
def test_shape_comes_first(shape):
    """If the shape is wrong, the message begins with the shape, even for NaN entries.

    No array is broadcast.
    """
    for expected in (np.zeros(()), np.zeros(3)):
        found = compare.problem("td_loss", np.full(shape, np.nan), expected)
        assert found.startswith(f"td_loss: shape {shape}, expected {expected.shape}")


def test_scalar_is_called_one():
    """If the expected array has the shape (), the message says "a scalar"."""
    found = compare.problem("td_loss", np.zeros(32), np.zeros(()))
    assert found == "td_loss: shape (32,), expected (), a scalar"


def test_not_finite_is_named():
    """The message shows the first entry that is NaN or infinite, with its index."""
    obtained = np.array([[1.0, 2.0], [np.nan, np.inf]])
    found = compare.problem("Q", obtained, np.ones((2, 2)))
    assert found == "Q[1, 0] is nan, expected a finite number"


@pytest.mark.parametrize(
    "obtained",
    [None, 1.0, [1.0], "1.0", np.array("1.0"), np.array(1j), np.array(None)],
    ids=repr,
)
def test_not_an_array_of_numbers(obtained):
    """An answer that is no array of real numbers is a problem; nothing is raised."""
    assert compare.problem("x", obtained, np.ones(()))


def test_wrong_entries_are_listed():
    """The message counts the wrong entries and shows the first few of them."""
    expected = np.zeros(50)
    obtained = expected.copy()
    obtained[10:30] = 1.5
    found = compare.problem("G", obtained, expected).splitlines()
    assert found[0] == "G: 20 of 50 entries are wrong"
    assert found[1].split() == ["[10]", "obtained", "1.5,", "expected", "0"]
    assert len(found) == 1 + compare.MAX_ROWS


def test_wrong_scalar_in_one_line():
    """For a wrong scalar, the message is one line with both values."""
    found = compare.problem("loss", np.array(2.5), np.array(5.0))
    assert found == "loss: obtained 2.5, expected 5"


@pytest.mark.parametrize(
    "obtained", [None, [], [np.zeros(3)] * 3, np.zeros((2, 3)), [np.zeros(3), 0.0]]
)
def test_leaves_of_another_kind(obtained):
    """Parameters are a problem if they are not a list of as many arrays as expected."""
    assert compare.leaves_problem("theta", obtained, [np.zeros(3), np.zeros(())])


def test_leaf_is_named():
    """The message shows the position of the first wrong array in the parameters."""
    expected = [np.zeros(3), np.zeros((2, 2))]
    assert compare.leaves_problem("theta", [a.copy() for a in expected], expected) is (
        None
    )
    wrong = [expected[0], np.eye(2)]
    found = compare.leaves_problem("theta", wrong, expected)
    assert found.startswith("theta, array 1 of shape (2, 2): 2 of 4 entries are wrong")


def test_step_count_is_named():
    """The message names an optimizer's step count; it gives others a position."""
    wrong, right = np.array(1, np.int32), np.array(2, np.int32)
    found = compare.leaves_problem("opt_state", [wrong], [right])
    assert found == "opt_state, its step count: obtained 1, expected 2"
    found = compare.leaves_problem("theta", [wrong], [right.astype(np.float32)])
    assert found == "theta, array 0 of shape (): obtained 1, expected 2"


def test_require():
    """`require` raises `Wrong` with the given problem and details.

    If the problem is None, nothing is raised.
    """
    compare.require(None, "never shown")
    with pytest.raises(Wrong, match=r"^found\ndetail\Z"):
        compare.require("found", "", "detail")


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.array([True, False]), "[1, 0]"),
        (np.array([1, 2], np.int32), "[1, 2]"),
        (np.array([0.1, -2.0], np.float32), "[0.1, -2]"),
        (np.zeros((5, 5)), "an array of shape (5, 5)"),
    ],
)
def test_numbers_as_a_person_writes_them(array, text):
    """A small array is shown with all its numbers, a large array by its shape."""
    assert compare.numbers(array) == text
