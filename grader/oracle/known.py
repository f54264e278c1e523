"""Read and write the record of known mistakes: their names, hints and fingerprints."""

import json
from dataclasses import dataclass, field

# The answers of a part to fixed questions, by the question's name. An answer is a list
# of numbers, or the first line of an error's message.
Fingerprint = dict[str, list[float] | str]


@dataclass(frozen=True)
class Mistake:
    """A known mistake of a part.

    Attributes:
        id: name of the mistake, as in `tests/corpus/mutants/`.
        hint: advice for a student who has made the mistake.
        fingerprint: the fingerprint of a part that has this mistake.
    """

    id: str
    hint: str
    fingerprint: Fingerprint


@dataclass(frozen=True)
class Known:
    """The recorded fingerprints of all parts without a reader.

    Attributes:
        right: for each part by name, the fingerprint of the solution.
        mistakes: for each part by name, the known mistakes whose fingerprints differ
            from the solution's.
    """

    right: dict[str, Fingerprint] = field(default_factory=dict)
    mistakes: dict[str, list[Mistake]] = field(default_factory=dict)


def as_text(known: Known) -> str:
    """Return the record of known mistakes as a JSON text.

    Equal records give equal texts.
    """
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
    """Read the record of known mistakes from a JSON text that `as_text` has written.

    Raises:
        ValueError: the text is not JSON.
        KeyError, TypeError, AttributeError: the JSON is not such a record.
    """
    document = json.loads(text)
    return Known(
        {part: entry["right"] for part, entry in document.items()},
        {
            part: [Mistake(**mistake) for mistake in entry["mistakes"]]
            for part, entry in document.items()
        },
    )
