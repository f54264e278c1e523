"""Find the names that may be meant by an unknown name."""

import difflib
from collections.abc import Iterable

CLOSE = 0.74  # the least similarity, 0 to 1, at which one name may be meant by another
LONGEST = 60  # characters of a name that is compared


def alike(name: str, known: Iterable[str]) -> list[str]:
    """Return a list with the one known name that is most similar to an unknown name.

    The lengths of the two names differ by at most one character.

    Args:
        name: the unknown name.
        known: the known names.

    Returns:
        A list of one name; [] if no known name is similar.
    """
    near = [other for other in known if abs(len(other) - len(name)) <= 1]
    return difflib.get_close_matches(name, near, 1, CLOSE)


def renamed(name: str, known: Iterable[str]) -> str:
    """Return the known name that may stand for a missing one; "" if none is similar.

    Upper and lower case count as the same, and the lengths may differ.

    Args:
        name: the missing name.
        known: the known names.
    """
    short = {other.lower(): other for other in known if len(other) <= LONGEST}
    found = difflib.get_close_matches(name.lower(), short, 1, CLOSE)
    return short[found[0]] if found else ""
