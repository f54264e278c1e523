"""Nobody gets the points of somebody else, whoever has whichever name and number.

Classes are drawn at random. Names, group names and numbers are few: people share names,
a student ID is another one's login, and a group has a participant's number.
"""

import csv
import io
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from grader.classroom.entries import Entry
from grader.classroom.gradebooks.fill import Filled, fill
from grader.classroom.gradebooks.groups import Places
from grader.classroom.gradebooks.read import read_export
from grader.classroom.gradebooks.sheet import sheet_of
from grader.classroom.layouts import HandIn, Owner
from grader.contract.outcomes import Outcome
from grader.report.model import Check, Exercise, Report

NAMES = ("Jane Doe", "Doe Jané", "Bo Lee", "Li 12", "राज", "राजू")
TEAMS = ("Team 1", "Team-1", "12", "टीम")
TOKENS = ("1", "2", "3", "12", "a", "b")
NUMBERS = st.integers(1, 6).map(str)
PLATFORMS = ("canvas", "canvas without SIS", "worksheet", "teams", "gradebook", "d2l")


@dataclass(frozen=True)
class Person:
    """A student with the identifiers that platforms give; `listed` in the export."""

    name: str
    canvas: str
    moodle: str
    sid: str
    login: str
    email: str
    team: str
    listed: bool


@dataclass(frozen=True)
class Work:
    """A hand-in as `layouts` reads it, and the people who made it."""

    hand_in: HandIn
    people: tuple[Person, ...]


@st.composite
def classes(draw: st.DrawFn) -> list[Person]:
    """Draw the people of a class; an identifier is unique among those of its kind."""
    count = draw(st.integers(2, 4))

    def some(values: st.SearchStrategy[str]) -> list[str]:
        return draw(st.lists(values, min_size=count, max_size=count, unique=True))

    numbers, participants = some(NUMBERS), some(NUMBERS)
    sids, emails = some(st.sampled_from(TOKENS)), some(st.sampled_from("abcdef"))
    logins = some(st.sampled_from([*TOKENS, *(f"{c}@x.org" for c in emails)]))
    people = []
    for i in range(count):
        name, team = draw(st.sampled_from(NAMES)), draw(st.sampled_from(TEAMS))
        listed = draw(st.booleans())
        ids = numbers[i], participants[i], sids[i], logins[i], f"{emails[i]}@x.org"
        people.append(Person(name, *ids, team, listed))
    return people


def exported(platform: str, people: list[Person]) -> tuple[str, int]:
    """Return the text of an export, and the column of the scores."""
    listed = [p for p in people if p.listed]
    head, rows = {
        "canvas": (
            ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "HW (5)"],
            [[p.name, p.canvas, p.sid, p.login, "A", ""] for p in listed],
        ),
        "canvas without SIS": (
            ["Student", "ID", "SIS Login ID", "Section", "HW (5)"],
            [[p.name, p.canvas, p.login, "A", ""] for p in listed],
        ),
        "worksheet": (
            ["Identifier", "Full name", "Email address", "Grade", "Maximum grade"],
            [[f"Participant {p.moodle}", p.name, p.email, "", "100"] for p in listed],
        ),
        "teams": (
            ["Identifier", "Full name", "Group", "Grade", "Maximum grade"],
            [[f"Participant {p.moodle}", p.name, p.team, "", "100"] for p in listed],
        ),
        "gradebook": (
            ["First name", "Last name", "ID number", "Email address", "HW (Real)"],
            [[p.name, "", p.sid, p.email, "-"] for p in listed],
        ),
        "d2l": (
            ["OrgDefinedId", "Username", "First Name", "HW Points Grade"],
            [[f"#{p.sid}", f"#{p.login}", p.name, ""] for p in listed],
        ),
    }[platform]
    file = io.StringIO()
    csv.writer(file).writerows([head, *rows])
    column = len(head) - 1 - ("Maximum grade" in head)
    return file.getvalue(), column


def canvas_writes(name: str) -> str:
    """Return a name as Canvas writes it into the name of a file."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(
        c for c in folded if c.isalnum() or unicodedata.category(c).startswith("M")
    )


@st.composite
def works(draw: st.DrawFn, people: list[Person], number: int) -> Work:
    """Draw a hand-in of a person or of a team, in one of the layouts.

    In Moodle's layout, the names may look like those of teams, whoever handed in.
    """
    one = draw(st.sampled_from(people))
    team = tuple(p for p in people if p.team == one.team)
    kind = draw(st.sampled_from(["canvas", "moodle", "gradescope", "login", "name"]))
    like_teams = kind == "moodle" and draw(st.booleans())
    if draw(st.booleans()):
        owners: tuple[Owner, ...] = {
            "canvas": (Owner(canvas_writes(one.team), {"canvas": one.canvas}),),
            "moodle": (Owner(one.team, {"moodle": draw(NUMBERS)}),),
            "gradescope": tuple(Owner(p.name, {"email": p.email}) for p in team),
        }.get(kind, (Owner(one.team),))
        group = one.team if kind in ("login", "name") or like_teams else ""
        hand_in = HandIn(Path("x"), f"{number}", owners, group=group)
        return Work(hand_in, team)
    known = {"sid": one.sid, "email": one.email}
    few = draw(st.sampled_from([["sid"], ["email"], ["sid", "email"]]))
    owner = {
        "canvas": Owner(canvas_writes(one.name), {"canvas": one.canvas}),
        "moodle": Owner(one.name, {"moodle": one.moodle}),
        "gradescope": Owner(one.name, {kind: known[kind] for kind in few}),
        "login": Owner(one.login, {"login": one.login}),
        "name": Owner(one.name, {"login": one.name}),
    }[kind]
    group = one.name if like_teams else ""
    return Work(HandIn(Path("x"), f"{number}", (owner,), group=group), (one,))


def graded(work: Work, score: int) -> Entry:
    """Return the entry of a hand-in with so many points out of 100."""
    checks = [Check("a", "", Outcome.PASSED, score, score)]
    checks += [Check("b", "", Outcome.FAILED, 0, 100 - score)]
    report = Report("1", "", "", {}, [Exercise("td_loss", checks)])
    return Entry("0a1b2c3d", work.hand_in, report)


def cannot_be_known(work: Work, platform: str, people: list[Person]) -> bool:
    """Return whether nothing in the files tells the owner from another person.

    The owner is known by a name or login, which is that of another person in the
    export, or by the letters of the group, which are those of another group; and the
    export has no identifier of the owner's.
    """
    ids = {kind for owner in work.hand_in.owners for kind in owner.ids}
    comparable = {
        "canvas": {"canvas", "sid"},
        "canvas without SIS": {"canvas"},
        "worksheet": {"moodle", "email"},
        "teams": {"moodle"},
        "gradebook": {"sid", "email"},
        "d2l": {"sid"},
    }[platform]
    if ids and ids <= comparable:
        return False
    return any(
        not one.listed or "login" in ids or one.email == other.login
        for one in work.people
        for other in people
        if other is not one and other.listed
        if alike(one, other)
        or canvas_writes(one.team) == canvas_writes(other.team)
        or {one.name, one.login, one.email, one.team} & {*vars(other).values()}
    )


def alike(one: Person, other: Person) -> bool:
    """Return whether two people have the same name, up to accents and order."""
    plain = [p.name.replace("é", "e").lower().split() for p in (one, other)]
    return sorted(plain[0]) == sorted(plain[1])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whoever_gets_a_score_made_the_hand_in(data):
    """A score in the filled file is that of a hand-in of this row's person.

    A person in the export who does not get the score of an own hand-in is told of.
    """
    platform = data.draw(st.sampled_from(PLATFORMS))
    people = data.draw(classes())
    count = data.draw(st.integers(1, 2))
    made = [data.draw(works(people, number)) for number in range(count)]
    assume(not any(cannot_be_known(work, platform, people) for work in made))
    members = {}
    if "canvas" in platform and data.draw(st.booleans()):
        for one in people:
            members.setdefault(one.team, []).append(
                Owner(one.name, {"canvas": one.canvas})
            )
    text, column = exported(platform, people)
    assume(any(p.listed for p in people))
    entries = [graded(work, 10 + i) for i, work in enumerate(made)]
    filled = fill(Places(read_export(sheet_of(text), "HW"), members), entries)
    check(filled, column, [p for p in people if p.listed], made)


def check(filled: Filled, column: int, listed: list[Person], made: list[Work]) -> None:
    """Assert that nobody has the score of somebody else's hand-in."""
    rows = list(csv.reader(io.StringIO(filled.text)))[1:]
    entered = {one: row[column] for one, row in zip(listed, rows, strict=True)}
    told = [*filled.disputes, *filled.without_row]
    for one, score in entered.items():
        if score not in ("", "-"):
            assert one in made[int(score) - 10].people
    for i, work in enumerate(made):
        missing = [p for p in work.people if p.listed and entered[p] != str(10 + i)]
        assert told or not missing
