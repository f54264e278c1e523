"""Compare the code of all hand-ins of a class, and put copies into clusters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from grader.classroom.similar.normal_form import NotComparableError, normal_form
from grader.intake.submission import Submission

# The share of one hand-in's units that is found in another. Right hand-ins in different
# styles share at most 0.32. One and its copy share at least 0.86, and at least 0.73 if
# each of them has its own other code between the lines.
NEAR = 0.7
FEW_UNITS = 60  # less code than half of the homework is too often the same by chance


@dataclass(frozen=True)
class Cluster:
    """Hand-ins, the code of each of which is nearly the same as that of another.

    Attributes:
        names: of the hand-ins.
        share: of its code, at least, that each shares with another one, 0 to 1.
    """

    names: tuple[str, ...]
    share: float


@dataclass
class Findings:
    """What the comparison of a class has found; hand-ins go by their names.

    Attributes:
        clusters: the largest first.
        median: of the shares of all pairs; None without any pair.
        in_strings: hand-ins with code in strings, each with a sentence on it.
        not_compared: hand-ins, each with the reason.
        too_short: hand-ins with too little code beyond the starter's.
    """

    clusters: list[Cluster] = field(default_factory=list)
    median: float | None = None
    in_strings: list[tuple[str, str]] = field(default_factory=list)
    not_compared: list[tuple[str, str]] = field(default_factory=list)
    too_short: list[str] = field(default_factory=list)


def compare(submissions: Mapping[str, Submission]) -> Findings:
    """Compare all hand-ins of a class that were read.

    Args:
        submissions: by name.
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
    """Return lines of a source in words; of a notebook, with their cells."""
    shown = [
        submission.locate(f"dqn.py, line {line}").removeprefix("dqn.py, ")
        for line in lines[:most]
    ]
    more = len(lines) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")


def shares_of(units: Sequence[frozenset[int]]) -> np.ndarray:
    """Return for all pairs the share of the smaller one that is in the other.

    The units are looked up by their hashes, so that the cost is that of what is shared.

    Returns:
        A symmetric array [n, n], 0 on its diagonal.
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
    """Yield the hand-ins that are nearly the same, the largest cluster first.

    Args:
        names: of the hand-ins.
        shares: from `shares_of`.
    """
    near = scipy.sparse.csr_array(shares >= NEAR)
    _, labels = scipy.sparse.csgraph.connected_components(near, directed=False)
    found = []
    for label in np.flatnonzero(np.bincount(labels) > 1):
        members = np.flatnonzero(labels == label)
        share = shares[members].max(axis=1).min()
        found.append(Cluster(tuple(names[i] for i in members.tolist()), float(share)))
    yield from sorted(found, key=lambda one: (-len(one.names), -one.share, one.names))
