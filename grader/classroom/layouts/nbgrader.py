"""Know nbgrader's folder `submitted`: STUDENT/ASSIGNMENT/ with the files.

`nbgrader collect` writes the time of the submission to `timestamp.txt` beside them
(jupyter/nbgrader, docs/source/user_guide/philosophy.rst).
"""

from pathlib import Path

from grader.classroom.layouts.files import hand_ins_below, is_folder, listing_or_nothing
from grader.classroom.layouts.found import Entries, Owner, Piece
from grader.contract.outcomes import UsageError
from grader.intake.names import FILE

SUBMITTED, _TIME = "submitted", "timestamp.txt"


def pieces(folder: Path, entries: Entries) -> dict[str, Piece]:
    """Return a `Piece` for each student's folder from nbgrader, by the folder's name.

    The result is {} unless more than half of the entries are students' folders.

    Args:
        folder: a folder that may be nbgrader's `submitted`.
        entries: the files and folders in `folder`.

    Raises:
        UsageError: there are several assignments, and it is not certain which one is
            to be graded.
    """
    named = folder.resolve().name == SUBMITTED
    students: dict[str, list[Path]] = {}
    for entry in entries:
        if is_folder(entry):
            inner = listing_or_nothing(Path(entry.path))
            below = [Path(e.path) for e in inner if is_folder(e)]
            stamped = any((path / _TIME).is_file() for path in below)
            if below and len(below) == len(inner) and (named or stamped):
                students[entry.name] = below
    if 2 * len(students) <= len(entries):
        return {}
    assignment = assignment_of([path for below in students.values() for path in below])
    result = {}
    for student, below in students.items():
        path = next((path for path in below if path.name == assignment), None)
        why = "" if path else f"there is no {assignment}/ in it"
        owners = (Owner(student, {"login": student}),) if path else ()
        result[student] = Piece(student, owners, path=path, why_not=why)
    return result


def assignment_of(folders: list[Path]) -> str:
    """Return the name of the assignment to grade.

    Of several assignments, it is the one in which a student has a hand-in with the name
    `dqn` and any suffix.

    Args:
        folders: all folders of all students' assignments.

    Raises:
        UsageError: there are several assignments, and not exactly one of them has such
            a hand-in.
    """
    names = {folder.name for folder in folders}
    if len(names) > 1:
        stem = Path(FILE).stem
        names = {
            folder.name
            for folder in folders
            if any(path.stem.lower() == stem for path in hand_ins_below(folder))
        }
    if len(names) > 1 or (folders and not names):
        found = ", ".join(sorted({folder.name for folder in folders}))
        raise UsageError(
            f"nbgrader's folder has several assignments ({found}), and {FILE} is not "
            "in exactly one of them: copy the one to grade to a folder of its own, "
            "as STUDENT/ASSIGNMENT"
        )
    return next(iter(names), "")
