"""Tests for the order in which nodes get hand-ins, and for hand-ins that kill them."""

import pytest

from grader.classroom.cluster.turns import Node, Turns


@pytest.fixture
def node():
    """Return a function that makes a node with so many slots."""
    return lambda slots: Node("tcp://10.0.0.2:1", slots, slots)


def test_a_node_gets_as_many_as_it_has_slots(node):
    """A node gets no more hand-ins than slots, and the next one when one is done."""
    turns, two, none = Turns("abc", alone=False), node(2), node(0)
    assert [turns.take(two) for _ in range(3)] == ["a", "b", None]
    assert turns.take(none) is None
    turns.done(two, "a")
    assert [turns.take(two) for _ in range(2)] == ["c", None]
    turns.done(two, "b")
    assert turns.left()
    turns.done(two, "c")
    assert not turns.left()


def test_what_was_on_a_dead_node_is_graded_last_and_alone(node):
    """The hand-ins of a dead node wait for the others, then get a node for themselves.

    Here "a" kills its nodes, so it is given up after the second one. "b" is innocent.
    """
    turns, dies, lives = Turns("abcd", alone=False), node(2), node(2)
    assert [turns.take(dies), turns.take(dies)] == ["a", "b"]
    assert turns.died(dies, "b")
    assert turns.died(dies, "a")
    assert [turns.take(lives), turns.take(lives)] == ["c", "d"]
    turns.done(lives, "c")
    assert turns.take(lives) is None  # because "d" is still there
    turns.done(lives, "d")
    assert [turns.take(lives), turns.take(lives)] == ["b", None]
    turns.done(lives, "b")
    assert turns.take(lives) == "a"
    assert not turns.died(lives, "a")
    assert not turns.left()


def test_one_at_a_time_on_each_node(node):
    """With `alone`, each node grades one hand-in at a time, however many slots it has.

    A hand-in whose node dies gets a second node.
    """
    turns, one, two = Turns("abc", alone=True), node(8), node(8)
    assert [turns.take(one), turns.take(one), turns.take(two)] == ["a", None, "b"]
    assert turns.died(one, "a")
    turns.done(two, "b")
    assert turns.take(two) == "c"
    turns.done(two, "c")
    assert turns.take(two) == "a"
