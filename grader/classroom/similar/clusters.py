"""Compare the code of all hand-ins of a class, and put copies into clusters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from grader.classroom.similar.normal_form import NotComparableError, normal_form
from grader.intake.submission import Submission

# Hand-ins are nearly equal if at least this fraction of units is common. Measured:
# right hand-ins in different styles have at most 0.32 in common, a hand-in and its copy
# at least 0.86, and at least 0.73 if both get other code between their lines.
NEAR = 0.7
FEW_UNITS = 60  # less code, under half of the homework, is often equal by chance


@dataclass(frozen=True)
class Cluster:
    """Hand-ins, each with nearly the same code as another one of the cluster.

    Attributes:
        names: the names of the hand-ins.
        share: min_i max_(j≠i) s_ij over the hand-ins of the cluster, where s_ij is the
            fraction of common code of the hand-ins i and j, see `shares_of`.
    """

    names: tuple[str, ...]
    share: float


@dataclass
class Findings:
    """The result of comparing the code of a class; hand-ins are given by their names.

    Attributes:
        clusters: the clusters, the largest first.
        median: the median over all pairs of hand-ins of their fraction of common code,
            see `shares_of`; None if fewer than two hand-ins were compared.
        in_strings: hand-ins with code in strings, each with a sentence about it.
        not_compared: hand-ins that were not compared, each with the reason.
        too_short: hand-ins in which the student has written too little code for a
            comparison.
    """

    clusters: list[Cluster] = field(default_factory=list)
    median: float | None = None
    in_strings: list[tuple[str, str]] = field(default_factory=list)
    not_compared: list[tuple[str, str]] = field(default_factory=list)
    too_short: list[str] = field(default_factory=list)


def compare(submissions: Mapping[str, Submission]) -> Findings:
    """Compare the code of all hand-ins of a class.

    Hand-ins that could not be read, or that are the unchanged starter, are left out.

    Args:
        submissions: the hand-ins by the names that the result shows.
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

    The fraction is the number of common units, divided by the number of units of the
    hand-in with fewer units. `tokens` says what a unit is.

    Args:
        units: for each of the n hand-ins, the hashes of its units; none is empty.

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

    Two hand-ins are in the same cluster if their fraction of common code is at least
    `NEAR`. They also are if a chain of such pairs connects them.

    Args:
        names: the names of the hand-ins.
        shares: the result of `shares_of`, [n, n].
    """
    near = scipy.sparse.csr_array(shares >= NEAR)
    _, labels = scipy.sparse.csgraph.connected_components(near, directed=False)
    found = []
    for label in np.flatnonzero(np.bincount(labels) > 1):
        members = np.flatnonzero(labels == label)
        share = shares[members].max(axis=1).min()
        found.append(Cluster(tuple(names[i] for i in members.tolist()), float(share)))
    yield from sorted(found, key=lambda one: (-len(one.names), -one.share, one.names))
