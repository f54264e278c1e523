"""Ask `epsilon_greedy` for actions, with chosen values, ε and keys."""

import numpy as np

from grader.contract import cases
from grader.contract.case import Student
from grader.contract.outcomes import Raised, Wrong
from grader.diagnosis.patterns.choice import words
from grader.diagnosis.patterns.choice.fit import Sample
from grader.diagnosis.reading import Reading

ASKED = "with probability ε any action, else argmax_a Q(s,a)"
BY_ROW = f"{ASKED}, for each row by itself"
KEYS, ROWS, ACTIONS = 2048, 16, 4
# Of these ε, 0.015 is as far as can be from a whole number of hundredths.
EPSILONS = (0.0, 0.015, 0.05, 0.23, 0.37, 0.66, 0.88, 1.0)
FEW_EPSILONS = (0.0, 0.37, 1.0)  # if the export fails, each key needs its own call
HARD = (  # rows of values: whole numbers, ties, negative and close values
    *((2, 0, 1, -1), (0, 3, 3, 1), (1, 1, 1, 1), (-3, -1, -2, -1)),
    *((500, 500.05, 500.1, 500.15), (2.25, 2.75, -0.5, 0.5)),
    *((1000, 1001, 0, 0), (100, 100.9, 50, 0)),
)


class OtherShape(Exception):
    """Raised if the actions for N rows of Q values have another shape than [N].

    Args:
        shape: shape of the actions for one key.
        rows: the number N of rows.
    """

    def __init__(self, shape: tuple[int, ...], rows: int) -> None:
        super().__init__()
        self.shape, self.rows = shape, rows

    def reading(self) -> Reading | None:
        """Return the reading that says which shape the actions have; never None."""
        text = f"actions of shape {self.shape} for {self.rows} rows of values"
        known = {
            (): words.SQUEEZED if self.rows == 1 else words.ONE_ACTION,
            (self.rows, self.rows): words.SQUARE,
        }
        differences = (known[self.shape],) if self.shape in known else ()
        return Reading(text, f"actions of shape ({self.rows},)", differences)


class Questions:
    """Asks the hand-in's `epsilon_greedy` for actions.

    Attributes:
        student: the hand-in.
        rng: draws values and keys.
        keys: 60 keys [60,2], for calls with one key each.
        epsilons: the ε to ask for: `EPSILONS`, or `FEW_EPSILONS` if the export fails.
        values: the Q values to ask for: two arrays [N,A] for N states and A actions;
            only one array if the export fails.
        untraced: message of the exception that the export raised; "" without one.
    """

    def __init__(self, student: Student, rng: np.random.Generator) -> None:
        self.student, self.rng = student, rng
        self.keys = rng.integers(0, 2**32, (60, 2), dtype=np.uint32)
        self.epsilons: tuple[float, ...] = EPSILONS
        self.untraced = ""
        mixed = cases.distinct(rng, ROWS, ACTIONS)
        negative = cases.distinct(rng, ROWS, ACTIONS) - 20
        for q_values in (mixed, negative):
            # Not the largest of all: so the arg max over all rows is not row 0's.
            q_values[0] -= 0.7
        self.values = [mixed, negative]
        try:
            student.export(cases.exploration(self.keys[0], mixed, 0.5))
        except Raised as error:
            self.untraced = str(error)
            self.epsilons, self.values = FEW_EPSILONS, [mixed]

    def chosen(self, q_values: np.ndarray, epsilon: float) -> Sample:
        """Ask for the actions with `KEYS` new keys, and return these actions.

        Args:
            q_values: Q values of N states and A actions [N,A].
            epsilon: ε.

        Raises:
            Raised: the hand-in's code has raised an exception.
            OtherShape: the actions for a key have another shape than [N].
            Wrong: the actions are not whole numbers.
        """
        keys = self.rng.integers(0, 2**32, (KEYS, 2), dtype=np.uint32)
        case = cases.exploration(keys[0], q_values, epsilon)
        actions = self.student.answer_keys(case, keys, "actions")
        if actions.ndim != 2 or actions.shape[1:] != q_values.shape[:1]:
            raise OtherShape(actions.shape[1:], len(q_values))
        if actions.dtype.kind not in "biuf" or (actions != np.round(actions)).any():
            raise Wrong("no whole numbers")
        return Sample(epsilon, q_values, actions.astype(np.int64))

    def hard(self, epsilon: float) -> Sample:
        """Ask for actions at Q values that are equal, close together or whole numbers.

        Some of the values are fixed, others are drawn. There are `KEYS` new keys.

        Args:
            epsilon: ε.

        Raises:
            Raised: the hand-in's code has raised an exception.
            OtherShape: the actions for a key have another shape than [16].
            Wrong: the actions are not whole numbers.
        """
        drawn = self.rng.integers(-2, 5, (ROWS - len(HARD), ACTIONS))
        q_values = np.concatenate([np.array(HARD), drawn]).astype(np.float32)
        return self.chosen(q_values, epsilon)

    def by_place(self, samples: list[Sample]) -> bool:
        """Tell whether rows of Q in other places get other actions.

        Call this only if the actions are the same for every key. One number for all
        rows, as the place of the largest of all values, does not count.

        Args:
            samples: the actions for each array of Q values and each ε.
        """
        for sample in samples:
            if sample.epsilon in FEW_EPSILONS[1:]:
                rolled = np.roll(sample.q_values, 1, axis=0)
                actions = self.chosen(rolled, sample.epsilon).actions[0]
                moved = (actions != np.roll(sample.actions[0], 1)).any()
                if moved and (actions != actions[0]).any():
                    return True
        return False

    def only_action(self, samples: list[Sample]) -> int | None:
        """Return the number that the hand-in takes in every row, whatever it is asked.

        One more question has the columns of Q rotated: there a rule that depends on Q,
        such as the best action of the first row, takes another action.

        Args:
            samples: the actions for each array of Q values and each ε.

        Returns:
            None if there are several numbers.
        """
        rotated = self.chosen(np.roll(self.values[0], 1, axis=1), 0.5)
        numbers = {int(a) for s in [*samples, rotated] for a in np.unique(s.actions)}
        return numbers.pop() if len(numbers) == 1 else None

    def alone(self) -> Reading | None:
        """Return a reading if the action for one row of Q values has a wrong shape.

        Returns:
            None if the shape is [1], which is right.
        """
        q_values = cases.distinct(self.rng, 1, 3)
        case = cases.exploration(self.keys[0], q_values, 0.0)
        actions = self.student.answer(case).array("actions")
        return None if actions.shape == (1,) else OtherShape(actions.shape, 1).reading()

    def repeats(self, epsilon: float) -> bool:
        """Tell whether two calls with the same values, key and ε give equal actions.

        The calls are made in the worker, without export.
        """
        case = cases.exploration(self.keys[0], self.values[0], epsilon)
        one, other = (self.student.called(case).array("actions") for _ in range(2))
        return np.array_equal(one, other)

    def decays(self) -> bool:
        """Tell whether the hand-in stops exploring after some calls, though ε stays 1.

        The hand-in is imported anew and called 60 times.
        """
        student, q_values = self.student.afresh(), self.values[0]
        best = q_values.argmax(axis=1)
        shares = []
        for key in self.keys[:60]:
            case = cases.exploration(key, q_values, 1.0)
            shares.append((student.called(case).array("actions") != best).mean())
        return bool(np.mean(shares[:5]) > 0.35 and np.mean(shares[-10:]) < 0.05)

    def down_the_columns(self) -> Reading | None:
        """Return a reading if the arg max runs over rows, not over actions; else None.

        The question has as many rows as actions, because such code may fail with other
        shapes.
        """
        q_values = cases.distinct(self.rng, ACTIONS, ACTIONS)
        down, across = q_values.argmax(axis=0), q_values.argmax(axis=1)
        case = cases.exploration(self.keys[0], q_values, 0.0)
        try:
            actions = self.student.answer(case).array("actions")
        except (Raised, Wrong):
            return None
        if np.array_equal(actions, down) and not np.array_equal(down, across):
            text, asked = (f"at ε = 0: argmax_{i} Q(s,a)" for i in "sa")
            return Reading(text, asked, (words.AXIS_0,))
        return None
