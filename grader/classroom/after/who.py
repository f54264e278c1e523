"""Find the one hand-in that a name, a login, an id or a file's name stands for."""

import difflib
import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from grader.classroom.gradebooks.export import Export
from grader.classroom.gradebooks.people import MATCHED_BY, People
from grader.classroom.layouts import HandIn, Owner, normal_name
from grader.contract.outcomes import UsageError

_ID = re.compile("[0-9a-f]{8,64}")  # the class page shows at least 8 digits of an id
MOST_SHOWN = 8  # candidates in an error message
NEAR = 0.75  # of difflib's ratio, for texts with a typing mistake
MOST_WORDS = 5  # of a name that is written as one word, in any order


class Known:
    """The hand-ins of a class with all names by which people may ask for them.

    Args:
        hand_ins: the hand-ins by id.
        exports: gradebooks and lists of people. What they say about a person counts as
            a name, if the person's row is certain.
    """

    def __init__(self, hand_ins: Mapping[str, HandIn], exports: Sequence[Export]):
        self.hand_ins = hand_ins
        books = [People(export) for export in exports]
        self.wholes = {
            id_: forms(hand_in.entry) | forms(hand_in.group)
            for id_, hand_in in hand_ins.items()
        }
        self.names = {
            id_: set().union(*(names_of(owner, books) for owner in hand_in.owners))
            for id_, hand_in in hand_ins.items()
        }

    def find(self, who: str) -> str:
        """Return the id of the only hand-in that a text can mean.

        Args:
            who: an owner's name or identifier, the hand-in's name in the download, the
                name of its group, or the first digits of its id.

        Raises:
            UsageError: no hand-in, or more than one, can be meant.
        """
        asked = forms(who) | {f"canvas {name}" for name in as_one_word(who)}
        found = [
            id_
            for id_ in self.hand_ins
            if self.is_whole(who, id_) or asked & self.names[id_]
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(f"{who!r} can be {self.listed(found)}: say which one")
        near = self.listed([*self.alike(who)])
        hint = f": did you mean {near}?" if near else "; grades.csv lists all names"
        raise UsageError(f"{who!r} is the name of no hand-in{hint}")

    def is_whole(self, who: str, id_: str) -> bool:
        """Return whether a text means a hand-in itself, and not one of its owners.

        Args:
            who: the text, as for `find`.
            id_: the hand-in's id.
        """
        starts = _ID.fullmatch(who.lower()) and id_.startswith(who.lower())
        return bool(starts or forms(who) & self.wholes[id_])

    def alike(self, who: str) -> Iterator[str]:
        """Yield the ids of the hand-ins with a name that resembles a text."""
        for id_ in self.hand_ins:
            names = self.wholes[id_] | self.names[id_]
            for asked in forms(who):
                near = difflib.get_close_matches(asked, names, 1, NEAR)
                if near or any(asked in name for name in names):
                    yield id_
                    break

    def listed(self, ids: Sequence[str]) -> str:
        """Return the owners and names of hand-ins, for messages."""
        shown = ", ".join(map(self.called, ids[:MOST_SHOWN]))
        more = len(ids) - MOST_SHOWN
        return f"{shown} and {more} more" if more > 0 else shown

    def called(self, id_: str) -> str:
        """Return the owners and the name of a hand-in, for messages."""
        hand_in = self.hand_ins[id_]
        owners = " & ".join(owner.name for owner in hand_in.owners)
        return owners if owners == hand_in.entry else f"{owners} ({hand_in.entry})"


def names_of(owner: Owner, books: Sequence[People]) -> set[str]:
    """Return the normal forms of all names and identifiers of a person.

    Args:
        owner: the person.
        books: gradebooks and lists of people.
    """
    names = forms(owner.name).union(*map(forms, owner.ids.values()))
    if "canvas" in owner.ids:  # Canvas writes "Doe, Jane" as "doejane"
        names |= {f"canvas {name}" for name in as_one_word(owner.name)}
    for people in books:
        place, _ = people.row_of(owner)
        if place is not None:
            for kind in MATCHED_BY:
                names |= forms(people.export.value(place, kind))
    return names


def forms(text: str) -> set[str]:
    """Return normal forms of a text; two texts mean the same if they share a form."""
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    # In names, order and accents do not matter; in identifiers, they do.
    name = "" if re.search(r"[\d@]", text) else normal_name(text)
    return {plain, name} - {""}


def as_one_word(name: str) -> set[str]:
    """Return a name's words written as one, in all orders; "doejane" for "Jane Doe"."""
    words = normal_name(name).split()
    if len(words) > MOST_WORDS:
        return set()
    return {"".join(order) for order in itertools.permutations(words)}
