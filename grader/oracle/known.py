"""The record of the known mistakes: names, hints and fingerprints."""

import json
from dataclasses import dataclass, field

# A part's answers by the question's name: numbers, or the first line of an error.
Fingerprint = dict[str, list[float] | str]


@dataclass(frozen=True)
class Mistake:
    """A known mistake of a part.

    Attributes:
        id: name of the mistake.
        hint: text for the student.
        fingerprint: answers of a part with this mistake.
    """

    id: str
    hint: str
    fingerprint: Fingerprint


@dataclass(frozen=True)
class Known:
    """The fingerprints of parts, by the parts' names in the contract.

    Attributes:
        right: fingerprint of the solution.
        mistakes: known mistakes that differ from the solution.
    """

    right: dict[str, Fingerprint] = field(default_factory=dict)
    mistakes: dict[str, list[Mistake]] = field(default_factory=dict)


def as_text(known: Known) -> str:
    """Return the record as JSON; equal records give equal texts."""
    document = {
        part: {
            "right": known.right[part],
            "mistakes": [vars(mistake) for mistake in known.mistakes[part]],
        }
        for part in known.right
    }
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    # Write each entry on a line of its own, so that a diff shows single changes.
    return text.replace('], "', '],\n"').replace('}, {"id"', '},\n{"id"') + "\n"


def from_text(text: str) -> Known:
    """Return the record in a text of `as_text`.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: the text is no such record.
    """
    document = json.loads(text)
    return Known(
        {part: entry["right"] for part, entry in document.items()},
        {
            part: [Mistake(**mistake) for mistake in entry["mistakes"]]
            for part, entry in document.items()
        },
    )
