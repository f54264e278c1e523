"""Find the one hand-in that a name, a login, an id or a file's name stands for."""

import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from grader.classroom.gradebooks.people import (
    MATCHED_BY,
    NUMBERS,
    People,
    as_one_word,
)
from grader.classroom.layouts import HandIn, Owner, normal_name
from grader.contract.outcomes import UsageError

_ID = re.compile("[0-9a-f]{8,64}")  # the class page shows at least 8 digits of an id
MOST_SHOWN = 8  # candidates in an error message
NEAR = 0.75  # of difflib's ratio, for texts with a typing mistake


class Known:
    """The hand-ins of a class with all names by which people may ask for them.

    Args:
        hand_ins: the hand-ins by id.
        books: gradebooks and lists of people. If it is certain which row is an owner's,
            the name and the identifiers in this row are used as well.
    """

    def __init__(self, hand_ins: Mapping[str, HandIn], books: Sequence[People]):
        self.hand_ins = hand_ins
        self.books = books
        self.wholes: dict[str, set[str]] = {}  # names of the hand-in, or of its group
        self.names: dict[str, set[str]] = {}
        for id_, hand_in in hand_ins.items():
            owners = hand_in.owners
            known = [names_of(owner, self.books) for owner in owners]
            self.wholes[id_] = forms(hand_in.entry) | forms(hand_in.group)
            if len(owners) == 1:
                self.wholes[id_] |= known[0]
            # In the name of a file, Canvas' number can be that of one member of a
            # group. Moodle's can be that of the group, which is nobody's.
            kinds = ("canvas",) if hand_in.group else NUMBERS
            numbers = (o.ids[kind] for o in owners for kind in kinds if kind in o.ids)
            self.names[id_] = set().union(*known, *map(forms, numbers))

    def find(self, who: str) -> str:
        """Return the id of the only hand-in that a text can mean.

        Args:
            who: an owner's name or identifier, the hand-in's name in the download, the
                name of its group, or at least the first 8 digits of its id.

        Raises:
            UsageError: no hand-in, or more than one, can be meant; or the text is the
                name of two people.
        """
        found = [
            id_
            for id_ in self.hand_ins
            if self.is_whole(who, id_) or asked(who) & self.names[id_]
        ]
        if len(found) == 1:
            self.require_one_person(who, found[0])
            return found[0]
        if found:
            raise UsageError(f"{who!r} can be {self.listed(found)}: say which one")
        near = self.listed([*self.alike(who)])
        hint = f": did you mean {near}?" if near else "; grades.csv lists all names"
        raise UsageError(f"{who!r} is the name of no hand-in{hint}")

    def require_one_person(self, who: str, id_: str) -> None:
        """Check that a text is not the name of two people.

        It can be, even if it means only one hand-in: the other person may have handed
        in nothing.

        Args:
            who: the text, as for `find`.
            id_: the id of the only hand-in that the text can mean.

        Raises:
            UsageError: a gradebook or list has two people of this name, and the text is
                not the name of the hand-in or of its group.
        """
        hand_in = self.hand_ins[id_]
        if forms(who) & (forms(hand_in.entry) | forms(hand_in.group)):
            return
        kinds = [owner.ids.keys() for owner in hand_in.owners]
        rows = (book.rows_named(who, some) for book in self.books for some in kinds)
        if any(len(found) > 1 for found in rows):
            words = f"write {hand_in.entry!r} if you mean this hand-in"
            raise UsageError(f"{who!r} is the name of two people: {words}")

    def is_whole(self, who: str, id_: str) -> bool:
        """Return whether a text means a hand-in as a whole, not one owner of several.

        A text does so if it is the hand-in's name in the download, the name of its
        group, at least the first 8 digits of its id, or a name of its only owner.

        Args:
            who: the text, as for `find`.
            id_: the hand-in's id.
        """
        starts = _ID.fullmatch(who.lower()) and id_.startswith(who.lower())
        return bool(starts or asked(who) & self.wholes[id_])

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
        who = hand_in.who
        return who if who == hand_in.entry else f"{who} ({hand_in.entry})"


def names_of(owner: Owner, books: Sequence[People]) -> set[str]:
    """Return all names and identifiers of a person, each in the forms of `forms`.

    They come from `owner`, and from the rows that are certainly the person's. The
    number in Canvas or Moodle comes from the rows only. If `owner` has a number
    in Canvas, its name is also there as Canvas joins it: "canvas doejane" and
    "canvas janedoe" for "Jane Doe".

    Args:
        owner: the person.
        books: gradebooks and lists of people; their rows are used.
    """
    ids = (value for kind, value in owner.ids.items() if kind not in NUMBERS)
    names = forms(owner.name).union(*map(forms, ids))
    if "canvas" in owner.ids:  # Canvas writes "Doe, Jane" as "doejane"
        names |= {f"canvas {name}" for name in as_one_word(owner.name)}
    for people in books:
        place, _ = people.row_of(owner)
        if place is not None:
            for kind in MATCHED_BY:
                names = names.union(*map(forms, people.texts(place, kind)))
    return names


def forms(text: str) -> set[str]:
    """Return the forms of a text; two texts count as equal if they share a form.

    In one form, upper and lower case count as equal. A text without digits and "@" can
    be a person's name. So it has another form, in which the order of the words,
    punctuation and accents do not count either. The set is empty for a blank text.
    """
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    # In names, order and accents do not matter; in identifiers, they do.
    name = "" if re.search(r"[\d@]", text) else normal_name(text)
    return {plain, name} - {""}


def asked(who: str) -> set[str]:
    """Return the forms in which a text is looked up among the names of hand-ins.

    These are the forms of `forms`, and others for the names of files from Canvas, which
    joins the words of a person's name. Each of the others is "canvas", a space and the
    text's words joined in some order: "canvas doejane" and "canvas janedoe" for "Doe,
    Jane".
    """
    return forms(who) | {f"canvas {name}" for name in as_one_word(who)}
