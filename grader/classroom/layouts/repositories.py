"""Know a folder of students' git repositories: GitHub Classroom's and Classroom 50's.

A repository's name is the assignment, "-" and the student's login at GitHub or the
team's name. `gh classroom clone` puts all of them into ASSIGNMENT-submissions
(github/gh-classroom, cmd/gh-classroom/clone/student-repos/student-repos.go), and
`gh teacher download` into CLASSROOM-ASSIGNMENT_submissions_TIME, beside a `scores.csv`
with names and e-mail addresses (foundation50/classroom50,
cli/gh-teacher/internal/download/download.go).
"""

import itertools
import re
from pathlib import Path

from grader.classroom.gradebooks.sheet import sheet_at
from grader.classroom.layouts.files import hand_ins_below, is_folder
from grader.classroom.layouts.found import Entries, Owner, Piece
from grader.contract.outcomes import UsageError
from grader.intake.names import FILE

STARTER = "starter"
_FOLDER = re.compile(r"(?P<prefix>.+?)(?:-submissions|_submissions_\d{4}_.+)", re.S)
_ENOUGH = 3  # so many logins do not all begin with the same word


def pieces(folder: Path, entries: Entries) -> dict[str, Piece]:
    """Return a `Piece` for each repository in a folder; the keys are their names.

    The result is {} if the names have no common beginning that ends with "-".
    """
    names = [
        e.name for e in entries if is_folder(e) and (folder / e.name / ".git").exists()
    ]
    prefix, certain = prefix_of(folder.resolve().name, names)
    if not prefix:
        return {}
    people = people_in(folder / "scores.csv")
    result = {}
    for name in names:
        login = name[len(prefix) :] if certain else ""
        # A login may look like the name of somebody else.
        owner = Owner(f"{login} at GitHub", {"github": login}) if login else Owner(name)
        owner = people.get(login.lower(), owner)
        result[name] = Piece(name, (owner,), path=place_in_repository(folder / name))
    return result


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


def people_in(path: Path) -> dict[str, Owner]:
    """Return the people in Classroom 50's table of scores; the keys are GitHub logins.

    The keys are in lower case.

    Args:
        path: path of the table, a CSV file. If it cannot be read, the result is {}.
    """
    try:
        sheet = sheet_at(str(path), path.name)
    except UsageError:
        return {}
    people = {}
    for row in sheet.rows[1:]:
        told = dict(zip(sheet.head, row.cells, strict=False))
        login, email = told.get("username", ""), told.get("email", "")
        name = f"{told.get('first_name', '')} {told.get('last_name', '')}".strip()
        if login:
            ids = {"github": login} | ({"email": email} if email else {})
            people[login.lower()] = Owner(name or f"{login} at GitHub", ids)
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
