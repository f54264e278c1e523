"""Find hand-ins that are nearly the same; a person has to judge them.

The starter's text, names, comments and blanks do not count: copydetect compares
fingerprints of the rest.
"""

import contextlib
import io
import itertools
import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

from grader.contract.exercises import ROOT

STARTER = ROOT / "starter" / "dqn.py"
# Copydetect's own settings: equal runs of fewer tokens than NOISE happen by chance;
# every longer one is found.
NOISE, WINDOW = 25, 1
# The share of one hand-in that is found in the other: below 0.3 between right hand-ins
# in different styles, above 0.8 between one and its renamed and reordered copy.
NEAR = 0.7
LARGEST = 100_000  # bytes; a larger file would take too long to compare
FEW_TOKENS = 200  # too little beyond the starter to tell copies from chance


@dataclass(frozen=True)
class Pair:
    """Two hand-ins that are nearly the same.

    Attributes:
        one, other: their names.
        share: of the smaller one that is found in the other, 0 to 1.
    """

    one: str
    other: str
    share: float


def available() -> bool:
    """Return whether the library that compares is installed."""
    try:
        import copydetect  # noqa: F401
    except ImportError:
        return False
    return True


def find_pairs(sources: Mapping[str, bytes], near: float = NEAR) -> list[Pair]:
    """Return the pairs that are nearly the same, the nearest first.

    Args:
        sources: of the hand-ins, by name.
        near: the smallest share to report.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from copydetect import CodeFingerprint, compare_files
    logging.getLogger("matplotlib").setLevel(logging.ERROR)

    def fingerprint(source: bytes, boilerplate: object = None) -> CodeFingerprint:
        text = io.StringIO(source.decode(errors="replace"))
        return CodeFingerprint(
            "dqn.py", NOISE, WINDOW, boilerplate, language="python", fp=text
        )

    starter = list(fingerprint(STARTER.read_bytes()).hashes)
    written = {}
    for name, source in sources.items():
        # A text that breaks the library is not compared; the others are.
        with contextlib.suppress(Exception):
            if len(source) <= LARGEST:
                print_of = fingerprint(source, starter)
                if print_of.token_coverage >= FEW_TOKENS:
                    written[name] = print_of
    pairs = []
    for one, other in itertools.combinations(sorted(written), 2):
        hashes = written[one].hashes, written[other].hashes
        # A cheap test first: this number is never far from the share in tokens.
        if len(hashes[0] & hashes[1]) < near / 2 * min(map(len, hashes)):
            continue
        _, shares, _ = compare_files(written[one], written[other])
        share = min(float(max(shares)), 1.0)
        if share >= near:
            pairs.append(Pair(one, other, share))
    return sorted(pairs, key=lambda pair: (-pair.share, pair.one, pair.other))
