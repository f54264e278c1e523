"""Compare the code of all hand-ins of a course, and put copies into clusters.

Hand-ins are compared by their units. A unit is one statement or one expression of the
code, see `tokens`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from grader.classroom.similar.normal_form import NotComparableError, normal_form
from grader.intake.submission import Submission

# Two hand-ins are nearly equal if they have at least this fraction of their units in
# common. Measured: two right hand-ins in different styles have at most 0.32 in common.
# A hand-in and its disguised copy have at least 0.86 in common. They still have at
# least 0.73 in common if different other code is put between the lines of both.
NEAR = 0.7
# Hand-ins with fewer units are not compared: they have less than half of the homework,
# and so little code is often equal by chance.
FEW_UNITS = 60


@dataclass(frozen=True)
class Cluster:
    """A group of hand-ins with nearly equal code.

    Each hand-in of the group has nearly the same code as at least one other hand-in of
    the group.

    Attributes:
        names: the names of the hand-ins.
        share: how much code the hand-ins have in common, from 0 to 1. For each hand-in,
            take the hand-in of the group that is most similar to it, and the fraction
            of code that these two have in common, see `shares_of`. `share` is the
            smallest of these fractions.
    """

    names: tuple[str, ...]
    share: float


@dataclass
class Findings:
    """The result of comparing the code of all hand-ins of a course.

    Attributes:
        clusters: the groups of hand-ins with nearly equal code, the largest first.
        median: the fraction of code that two hand-ins typically have in common, see
            `shares_of`: the median over all pairs of hand-ins. None if fewer than two
            hand-ins were compared.
        in_strings: pairs (name of a hand-in, text) for hand-ins with code or data in
            strings. The text says what was found and in which lines.
        not_compared: pairs (name of a hand-in, reason) for hand-ins that cannot be
            compared.
        too_short: names of the hand-ins in which the student has written too little
            code for a comparison.
    """

    clusters: list[Cluster] = field(default_factory=list)
    median: float | None = None
    in_strings: list[tuple[str, str]] = field(default_factory=list)
    not_compared: list[tuple[str, str]] = field(default_factory=list)
    too_short: list[str] = field(default_factory=list)


def compare(submissions: Mapping[str, Submission]) -> Findings:
    """Compare the code of all hand-ins of a course.

    Hand-ins that could not be read, or that are the unchanged starter, are in no list
    of the result.

    Args:
        submissions: the hand-ins by name. The result uses the same names.
    """
    findings = Findings()
    units: dict[str, frozenset[int]] = {}
    for name, submission in sorted(submissions.items()):
        if submission.problem or submission.untouched:
            continue
        try:
            form = normal_form(submission.text, submission.cells)
        except NotComparableError as error:
            findings.not_compared.append((name, str(error)))
            continue
        for what, lines in (
            ("runs a text as code", form.running),
            ("keeps code or data in a string", form.holding),
        ):
            if lines:
                words = f"{what}: {places(submission, lines)}"
                findings.in_strings.append((name, words))
        if len(form.units) < FEW_UNITS:
            findings.too_short.append(name)
        else:
            units[name] = form.units
    if len(units) > 1:
        shares = shares_of([*units.values()])
        findings.median = float(np.median(shares[np.triu_indices(len(units), 1)]))
        findings.clusters = [*clusters_of([*units], shares)]
    return findings


def places(submission: Submission, lines: Sequence[int], most: int = 3) -> str:
    """Return a text that names lines of a hand-in; for a notebook, also the cells.

    Args:
        submission: the hand-in.
        lines: the numbers of the lines in the graded text, from 1.
        most: how many lines are named at most; the text counts the others.
    """
    shown = [
        submission.locate(f"dqn.py, line {line}").removeprefix("dqn.py, ")
        for line in lines[:most]
    ]
    more = len(lines) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")


def shares_of(units: Sequence[frozenset[int]]) -> np.ndarray:
    """Return, for each pair of hand-ins, the fraction of code that is common to both.

    A unit is one statement or one expression of the code, see `tokens`. The fraction is
    the number of units that both hand-ins contain, divided by the number of units of
    the shorter hand-in.

    Args:
        units: for each of the n hand-ins, the hashes of its units. Each hand-in has at
            least one unit.

    Returns:
        A symmetric array [n, n] of numbers from 0 to 1, with 0 on the diagonal.
    """
    columns: dict[int, int] = {}
    row_of = np.repeat(np.arange(len(units)), [*map(len, units)])
    column_of = [columns.setdefault(u, len(columns)) for one in units for u in one]
    contains = scipy.sparse.csr_array(
        (np.ones(len(row_of), np.int32), (row_of, column_of)),
        shape=(len(units), len(columns)),
    )
    shared = (contains @ contains.T).toarray()
    sizes = shared.diagonal().copy()
    np.fill_diagonal(shared, 0)
    return shared / np.minimum.outer(sizes, sizes)


def clusters_of(names: Sequence[str], shares: np.ndarray) -> Iterator[Cluster]:
    """Yield the clusters of nearly equal hand-ins, the largest first.

    Two hand-ins are in the same cluster if they have at least the fraction `NEAR` of
    their code in common, or if a chain of such pairs connects them.

    Args:
        names: the names of the n hand-ins.
        shares: for each pair of hand-ins, the fraction of code that is common to both,
            an array [n, n] from `shares_of`.
    """
    near = scipy.sparse.csr_array(shares >= NEAR)
    _, labels = scipy.sparse.csgraph.connected_components(near, directed=False)
    found = []
    for label in np.flatnonzero(np.bincount(labels) > 1):
        members = np.flatnonzero(labels == label)
        share = shares[members].max(axis=1).min()
        found.append(Cluster(tuple(names[i] for i in members.tolist()), float(share)))
    yield from sorted(found, key=lambda one: (-len(one.names), -one.share, one.names))
