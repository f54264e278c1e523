"""Compare the code of all hand-ins of a class, and put copies into clusters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from grader.classroom.similar.normal_form import NotComparableError, normal_form
from grader.intake.submission import Submission

# Hand-ins are nearly equal if at least this part of their units is common. Measured:
# right hand-ins in different styles have at most 0.32 in common, a hand-in and its copy
# at least 0.86, and at least 0.73 if both get other code between their lines.
NEAR = 0.7
FEW_UNITS = 60  # less code, under half of the homework, is often equal by chance


@dataclass(frozen=True)
class Cluster:
    """Hand-ins, each with nearly the same code as another one of the cluster.

    Attributes:
        names: names of the hand-ins.
        share: each hand-in has at least this part of its code in common with another
            one of the cluster; from 0 to 1, as in `shares_of`.
    """

    names: tuple[str, ...]
    share: float


@dataclass
class Findings:
    """Result of the comparison of a class; hand-ins are given by their names.

    Attributes:
        clusters: clusters, the largest first.
        median: median of `shares_of` over all pairs; None if there is no pair.
        in_strings: hand-ins with code in strings, each with a sentence about it.
        not_compared: hand-ins that were not compared, each with the reason.
        too_short: hand-ins with too little code of the student to be compared.
    """

    clusters: list[Cluster] = field(default_factory=list)
    median: float | None = None
    in_strings: list[tuple[str, str]] = field(default_factory=list)
    not_compared: list[tuple[str, str]] = field(default_factory=list)
    too_short: list[str] = field(default_factory=list)


def compare(submissions: Mapping[str, Submission]) -> Findings:
    """Compare the code of all hand-ins of a class.

    Hand-ins that could not be read, or that are the unchanged starter, are skipped.

    Args:
        submissions: hand-ins by name.
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
        lines: numbers of the lines.
        most: largest number of lines that are named.
    """
    shown = [
        submission.locate(f"dqn.py, line {line}").removeprefix("dqn.py, ")
        for line in lines[:most]
    ]
    more = len(lines) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")


def shares_of(units: Sequence[frozenset[int]]) -> np.ndarray:
    """Return, for each pair of hand-ins, which part of their units is common.

    The number of common units is divided by the number of units of the hand-in with
    fewer units. A sparse product counts the common units, so the cost grows only with
    their number.

    Args:
        units: hashes of the units of each hand-in.

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
    """Yield clusters of nearly equal hand-ins, the largest first.

    Args:
        names: names of the hand-ins.
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
