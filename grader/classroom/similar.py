"""Hand-ins that are nearly the same, for a person to look at; nothing is judged here.

What the starter gives does not count, nor do names, comments and blanks: copydetect
compares fingerprints of what is left.
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
# Copydetect's own settings: runs of fewer tokens than NOISE are chance, and every
# longer one is found.
NOISE, WINDOW = 25, 1
# Of what one wrote, found in the other: among right hand-ins in different styles it is
# below 0.3, between one and its renamed and reordered copy above 0.8.
NEAR = 0.7
LARGEST = 100_000  # bytes; nobody writes that much, and it would take long
FEW_TOKENS = 200  # less than that beyond the starter is no sign of anything


@dataclass(frozen=True)
class Pair:
    """Two hand-ins by their names, and how much of the smaller is in the other, 0–1."""

    one: str
    other: str
    share: float


def available() -> bool:
    """Whether the library that compares is installed."""
    try:
        import copydetect  # noqa: F401
    except ImportError:
        return False
    return True


def find_pairs(sources: Mapping[str, bytes], near: float = NEAR) -> list[Pair]:
    """The pairs that are nearly the same, the nearest first.

    Args:
        sources: of the hand-ins, by name.
        near: the least share that is told.
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
        # Text that breaks the library costs only its own comparison.
        with contextlib.suppress(Exception):
            if len(source) <= LARGEST:
                print_of = fingerprint(source, starter)
                if print_of.token_coverage >= FEW_TOKENS:
                    written[name] = print_of
    pairs = []
    for one, other in itertools.combinations(sorted(written), 2):
        hashes = written[one].hashes, written[other].hashes
        # Cheap, and never far from the share in tokens.
        if len(hashes[0] & hashes[1]) < near / 2 * min(map(len, hashes)):
            continue
        _, shares, _ = compare_files(written[one], written[other])
        share = min(float(max(shares)), 1.0)
        if share >= near:
            pairs.append(Pair(one, other, share))
    return sorted(pairs, key=lambda pair: (-pair.share, pair.one, pair.other))
