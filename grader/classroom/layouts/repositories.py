"""Know a folder of students' git repositories: GitHub Classroom's and Classroom 50's.

A repository's name is the assignment, "-" and the student's login at GitHub or the
team's name. `gh classroom clone` puts all of them into ASSIGNMENT-submissions
(github/gh-classroom, cmd/gh-classroom/clone/student-repos/student-repos.go), and
`gh teacher download` into CLASSROOM-ASSIGNMENT_submissions_TIME, beside a `scores.csv`
with names and e-mail addresses (foundation50/classroom50,
cli/gh-teacher/internal/download/download.go). In a group assignment of Classroom 50,
only the first who accepts has a repository; the table has the same scores for each
member of the group.
"""

import itertools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from grader.classroom.gradebooks.sheet import sheet_at
from grader.classroom.layouts.files import hand_ins_below, is_folder
from grader.classroom.layouts.found import Entries, Owner, Piece
from grader.contract.outcomes import UsageError
from grader.intake.names import FILE

STARTER = "starter"
SCORES = "scores.csv"  # Classroom 50's table of scores
# The columns of the table in which the members of a group have the same, without
# "override", which may be there without a submission.
_SAME = (
    *("score", "max_score", "datetime", "submission_tag", "submitted_by"),
    *("review_url", "late"),
)
_FOLDER = re.compile(r"(?P<prefix>.+?)(?:-submissions|_submissions_\d{4}_.+)", re.S)
_LOST = f"{SCORES} has scores, but it is not certain in which repository"
_ENOUGH = 3  # so many logins do not all begin with the same word


class Listed(NamedTuple):
    """A person in Classroom 50's table of scores.

    Attributes:
        owner: the person.
        rows: the person's submissions, the newest first: the cells of the columns
            `_SAME`. Empty if there are none.
    """

    owner: Owner
    rows: tuple[tuple[str, ...], ...] = ()


def pieces(folder: Path, entries: Entries) -> dict[str, Piece]:
    """Return a `Piece` for each repository in a folder; the keys are their names.

    The result is {} if the names have no common beginning that ends with "-". If the
    table of scores has people whose repository is not known, it is a piece, too, which
    says who they are.
    """
    names = [
        e.name for e in entries if is_folder(e) and (folder / e.name / ".git").exists()
    ]
    prefix, certain = prefix_of(folder.resolve().name, names)
    if not prefix:
        return {}
    people = people_in(folder / SCORES)
    own = {name[len(prefix) :].lower(): name for name in names if certain}
    mates, lost = group_mates(own, people)
    result = {}
    for name in names:
        login = name[len(prefix) :] if certain else ""
        # A login may look like the name of somebody else.
        owner = Owner(f"{login} at GitHub", {"github": login}) if login else Owner(name)
        first = people.get(login.lower(), Listed(owner)).owner
        owners = (first, *mates.get(name, ()))
        result[name] = Piece(name, owners, path=place_in_repository(folder / name))
    if lost:
        who = "; ".join(owner.name for owner in lost)
        why = f"it has scores of people whose repository is not certain: {who}"
        result[SCORES] = Piece(SCORES, tuple(lost), why_not=why, of_each=_LOST)
    return result


def group_mates(
    own: Mapping[str, str], people: Mapping[str, Listed]
) -> tuple[dict[str, list[Owner]], list[Owner]]:
    """Return the people whose hand-in is in the repository of somebody else.

    They are those who have the same submissions in the table of scores as the one owner
    of a repository, if the newest submission's link leads to this repository. The link
    alone is not enough, because students can write any link into their results.

    Args:
        own: the names of the repositories, by the owner's login in lower case. If it is
            empty, the result is empty, because the owners are not known.
        people: the result of `people_in`.

    Returns:
        These people by the name of the repository; and those who have submissions, but
        no repository that is certain.
    """
    alike: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for login, listed in people.items():
        if own and listed.rows:
            alike.setdefault(listed.rows, []).append(login)
    mates: dict[str, list[Owner]] = {}
    lost = []
    for rows, logins in alike.items():
        link = f"{rows[0][_SAME.index('review_url')]}/".lower()
        names = [own[login] for login in logins if login in own]
        others = [people[login].owner for login in logins if login not in own]
        if len(names) == 1 and f"/{names[0].lower()}/" in link:
            mates[names[0]] = others
        else:
            lost += others
    return mates, lost


def prefix_of(folder: str, names: list[str]) -> tuple[str, bool]:
    """Return what all names begin with, and whether the logins begin after it.

    Both the assignment and a login may have a "-" in it.

    Args:
        folder: the name of the folder of all repositories.
        names: the names of the repositories.

    Returns:
        The common beginning, which ends with "-"; "" if there is none. The second value
        is false if a part of the beginning may belong to the logins.
    """
    if match := _FOLDER.fullmatch(folder):
        prefix = f"{match['prefix']}-"
        if all(name.lower().startswith(prefix.lower()) for name in names):
            return prefix, True
    low, high = min(names, default=""), max(names, default="")
    same = itertools.takewhile(
        lambda pair: pair[0] == pair[1], zip(low, high, strict=False)
    )
    common = "".join(letter for letter, _ in same)
    common = common[: common.rfind("-") + 1]
    if len(names) == 1:  # may be anybody's repository
        return "", False
    return common, len(names) >= _ENOUGH or common.count("-") == 1


def people_in(path: Path) -> dict[str, Listed]:
    """Return the people in Classroom 50's table of scores; the keys are GitHub logins.

    The keys are in lower case.

    Args:
        path: path of the table, a CSV file. If it cannot be read, the result is {}.
    """
    try:
        sheet = sheet_at(str(path), path.name)
    except UsageError:
        return {}
    people: dict[str, Listed] = {}
    for row in sheet.rows[1:]:
        told = dict(zip(sheet.head, row.cells, strict=False))
        login, email = told.get("username", ""), told.get("email", "")
        name = f"{told.get('first_name', '')} {told.get('last_name', '')}".strip()
        if login:
            ids = {"github": login} | ({"email": email} if email else {})
            owner = Owner(name or f"{login} at GitHub", ids)
            same = tuple(told.get(column, "") for column in _SAME)
            rows = people.get(login.lower(), Listed(owner)).rows
            people[login.lower()] = Listed(owner, (*rows, same) if any(same) else rows)
    return people


def place_in_repository(folder: Path) -> Path:
    """Return the path to grade in a repository: the repository, or its starter/.

    The result is starter/ if a `dqn.py` is in it, others are in other folders, and none
    is in the repository's top folder. The others may be somebody else's, for instance
    the solution.
    """
    own = folder / STARTER
    found = [path for path in hand_ins_below(folder) if path.name == FILE]
    others = [path for path in found if path.parent != own]
    if own / FILE in found and others and folder / FILE not in others:
        return own
    return folder
