"""Probe of `epsilon_greedy`: how often which action is chosen."""

from functools import partial

import numpy as np

from grader.contract import cases
from grader.contract.case import Student
from grader.contract.outcomes import Wrong
from grader.diagnosis.entries import Entries, traceable

KEYS, ROWS, ACTIONS = 4096, 16, 4
HARD = (  # rows of values: whole numbers, ties, negative and close ones
    *((2, 0, 1, -1), (0, 3, 3, 1), (1, 1, 1, 1), (-3, -1, -2, -1)),
    *((500, 500.05, 500.1, 500.15), (2.25, 2.75, -0.5, 0.5)),
    *((1000, 1001, 0, 0), (100, 100.9, 50, 0)),
)


def epsilon_greedy(student: Student) -> Entries:
    """Probe how often each action, by its number and by its rank, is chosen."""
    draws = Draws(student)
    for epsilon in (0.0, 0.05, 0.5, 0.9, 1.0):
        yield f"~ranks {epsilon}", partial(draws.by_rank, epsilon)
    yield "~ranks of negative values", partial(draws.by_rank, 0.0, 20.0)
    yield "~numbers", draws.by_number
    yield "~scatter", partial(draws.scatter, 0.5)
    yield "~together", draws.together
    yield "~alone 0.5", partial(draws.alone, 0.5)
    yield "~alone 1", partial(draws.alone, 1.0)
    yield "~of two 1", partial(draws.of_two, 1.0)
    yield "~of two 0.5", partial(draws.of_two, 0.5)
    yield "hard", draws.hard
    yield "keys", draws.repeats
    one = cases.exploration(draws.keys[0], draws.q_values[:1], 0.0)
    yield "one row", lambda: student.answer(one).array("actions")
    two = cases.exploration(draws.keys[0], cases.distinct(draws.rng, 8, 2), 0.5)
    yield "jit", lambda: traceable(student, two)


class Draws:
    """Actions for the same values by many keys.

    Args:
        student: the hand-in.
    """

    def __init__(self, student: Student) -> None:
        self.student = student
        self.rng = np.random.default_rng(5)
        self.q_values = cases.distinct(self.rng, ROWS, ACTIONS)
        self.keys = self.rng.integers(0, 2**32, (KEYS, 2), dtype=np.uint32)

    def chosen(
        self, epsilon: float, rows: int = ROWS, lower: float = 0.0
    ) -> np.ndarray:
        """Return the actions [K, rows] for values that are lowered by a number.

        Raises:
            Wrong: they have another shape.
        """
        q_values = self.q_values[:rows] - lower
        case = cases.exploration(self.keys[0], q_values, epsilon)
        actions = self.student.answer_keys(case, self.keys, "actions")
        if actions.shape[1:] != (rows,):
            raise Wrong(f"shape {actions.shape[1:]} for {rows} rows")
        return actions

    def by_rank(self, epsilon: float, lower: float = 0.0) -> np.ndarray:
        """Return the shares [A+1] of the best action, the second ..., and of none."""
        ranks = (-self.q_values).argsort(axis=1).argsort(axis=1)
        actions = self.chosen(epsilon, lower=lower)
        known = (actions[:, :, None] == np.arange(ACTIONS)).astype(float)
        shares = [known[:, ranks == rank].mean() for rank in range(ACTIONS)]
        return np.array([*shares, 1 - known.sum(axis=2).mean()])

    def by_number(self) -> np.ndarray:
        """Return the shares [A] of the actions by their numbers."""
        actions = self.chosen(1.0)
        return (actions[:, :, None] == np.arange(ACTIONS)).mean(axis=(0, 1))

    def scatter(self, epsilon: float) -> np.ndarray:
        """Compare the variance of the number of non-greedy rows with chance's, / 8."""
        others = (self.chosen(epsilon) != self.q_values.argmax(axis=1)).sum(axis=1)
        share = others.mean() / ROWS
        return np.array(others.var() / (ROWS * share * (1 - share) + 1e-9) / 8)

    def together(self) -> np.ndarray:
        """Return how often the first two rows have one action."""
        actions = self.chosen(1.0)
        return np.array((actions[:, 0] == actions[:, 1]).mean())

    def repeats(self) -> list[bool]:
        """Tell whether the same key, and another key, give the same actions."""
        pair = self.chosen(1.0)[:2]
        return [np.array_equal(pair[0], self.chosen(1.0)[0]), np.array_equal(*pair)]

    def alone(self, epsilon: float) -> np.ndarray:
        """Return a quarter of the shares [A] for a single row, where none are dealt."""
        actions = self.chosen(epsilon, 1)
        return (actions == np.arange(ACTIONS)).mean(axis=0) / 4  # of fewer draws

    def of_two(self, epsilon: float) -> np.ndarray:
        """Return how often the better one of two actions is chosen."""
        two = cases.distinct(np.random.default_rng(6), ROWS, 2)
        case = cases.exploration(self.keys[0], two, epsilon)
        actions = self.student.answer_keys(case, self.keys, "actions")
        return np.mean(actions == two.argmax(axis=1))

    def hard(self) -> list[bool]:
        """Tell whether hard values lead to a best action, or to one out of range."""
        found = []
        for row in HARD:
            alike = np.tile(np.array(row, np.float32), (ROWS, 1))
            case = cases.exploration(self.keys[0], alike, 0.0)
            actions = self.student.answer(case).array("actions")
            best = np.flatnonzero(alike[0] == alike[0].max())
            found += [bool(np.isin(actions, best).all()), bool((actions > 3).any())]
        return found
