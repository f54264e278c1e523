"""What is recorded of the known mistakes: their names, hints and answers."""

import json
from dataclasses import dataclass, field

# By name, what a part answers to the questions of `probes`: numbers, or an error.
Fingerprint = dict[str, list[float] | str]


@dataclass(frozen=True)
class Mistake:
    """A known mistake of a part: its id, what is said of it, what it answers."""

    id: str
    hint: str
    fingerprint: Fingerprint


@dataclass(frozen=True)
class Known:
    """What is known of the parts, by their names in the contract.

    Attributes:
        right: the fingerprint of the solution.
        mistakes: the known mistakes whose fingerprint is their own.
    """

    right: dict[str, Fingerprint] = field(default_factory=dict)
    mistakes: dict[str, list[Mistake]] = field(default_factory=dict)


def as_text(known: Known) -> str:
    """Return all that is known as JSON; the same gives the same text."""
    document = {
        part: {
            "right": known.right[part],
            "mistakes": [vars(mistake) for mistake in known.mistakes[part]],
        }
        for part in known.right
    }
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    # A line for each entry, so that a change shows as one in a diff.
    return text.replace('], "', '],\n"').replace('}, {"id"', '},\n{"id"') + "\n"


def from_text(text: str) -> Known:
    """Invert `as_text`.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is something else.
    """
    document = json.loads(text)
    return Known(
        {part: entry["right"] for part, entry in document.items()},
        {
            part: [Mistake(**mistake) for mistake in entry["mistakes"]]
            for part, entry in document.items()
        },
    )
