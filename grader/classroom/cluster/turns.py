"""Decide which node grades which hand-in next, and how often a hand-in is tried.

A hand-in may be the reason why its node died, for instance by using all memory. So
those that were on a node when it died are graded last, each alone on a node. If a node
dies again, the hand-in that was alone on it is given up: it has cost two nodes.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

TRIES = 2


@dataclass(eq=False)
class Node:
    """What is known of a node.

    Attributes:
        address: its address in the cluster.
        threads: the largest number of hand-ins that it can grade at once.
        slots: how many hand-ins it grades at once; 0 until it has passed its test.
        tested: whether the test has ended.
        tier: the name of the tier that it uses; "" until it has passed its test.
        problem: why it failed its test, and so gets no hand-ins; "" if it did not fail.
        busy: the names of the reports on the hand-ins that it grades now.
        alone: whether it grades a hand-in that has to be alone.
    """

    address: str
    threads: int
    slots: int = 0
    tested: bool = False
    tier: str = ""
    problem: str = ""
    busy: set[str] = field(default_factory=set)
    alone: bool = False


class Turns:
    """The hand-ins that still have to be graded, by the names of their reports.

    Args:
        names: the names of the reports.
        alone: whether each hand-in has to be alone on its node.
    """

    def __init__(self, names: Iterable[str], *, alone: bool) -> None:
        self.together: deque[str] = deque(() if alone else names)
        self.singly: deque[str] = deque(names if alone else ())
        self.running = 0
        self.lost: Counter[str] = Counter()

    def left(self) -> bool:
        """Return whether hand-ins wait or are being graded."""
        return bool(self.together or self.singly or self.running)

    def take(self, node: Node) -> str | None:
        """Choose the hand-in that a node grades next.

        The hand-in counts as being graded until `done` or `died` is called.

        Returns:
            The name of the hand-in's report. None if the node is full or grades a
            hand-in alone, if no hand-in waits, or if those that wait have to be alone
            and the node is busy.
        """
        if node.alone or len(node.busy) >= node.slots:
            return None
        if self.together:
            name = self.together.popleft()
        elif self.singly and not node.busy:
            name = self.singly.popleft()
            node.alone = True
        else:
            return None
        node.busy.add(name)
        self.running += 1
        return name

    def done(self, node: Node, name: str) -> None:
        """Take note that a node has graded a hand-in.

        Args:
            node: the node.
            name: the name of the hand-in's report.
        """
        node.busy.discard(name)
        node.alone = False
        self.running -= 1

    def died(self, node: Node, name: str) -> bool:
        """Take note that a node died while it graded a hand-in.

        Args:
            node: the node.
            name: the name of the hand-in's report.

        Returns:
            Whether the hand-in is tried again.
        """
        self.done(node, name)
        self.lost[name] += 1
        again = self.lost[name] < TRIES
        if again:
            self.singly.append(name)
        return again
