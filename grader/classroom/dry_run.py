"""Print what a class run would do: whose each hand-in is, and which file is taken."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from grader.classroom.after.attendance import Attendance
from grader.classroom.entries import NOT_ON_ROSTER, STRANGE, Entry
from grader.classroom.gradebooks.export import Export
from grader.classroom.gradebooks.fill import fill, not_entered
from grader.classroom.gradebooks.groups import Places
from grader.classroom.layouts import Found, HandIn, Owner
from grader.classroom.results import about_people, print_lines
from grader.intake.submission import Submission
from grader.report.exercise import counted


@dataclass(frozen=True)
class Plan:
    """What a class run would do.

    Attributes:
        folder: the folder of all hand-ins, as the user gave it.
        found: what was found in the folder.
        submissions: the hand-ins that were read, by their names in the download.
        unread: why the other hand-ins could not be read, by their names in the
            download.
        places: the rows of the gradebook, or None if none was given.
        attended: who handed in nothing, and whose hand-ins are not on the roster.
    """

    folder: Path
    found: Found
    submissions: Mapping[str, Submission]
    unread: Mapping[str, str]
    places: Places | None
    attended: Attendance

    @property
    def problems(self) -> dict[str, str]:
        """Why hand-ins cannot be read or cannot be run, by their names in the download.

        The reasons are those in `unread` and `Submission.problem` of the hand-ins that
        were read.
        """
        taken = {name: s.problem for name, s in self.submissions.items() if s.problem}
        return {**taken, **self.unread}

    def show(self, console: Console) -> int:
        """Print the plan, without the headline, and return the exit code.

        Returns:
            2 if a hand-in cannot be read, cannot be run, or has a name of a form that
            the platform does not give; else 0.
        """
        print_lines(self.lines(), console)
        return 2 if self.problems or self.found.strange else 0

    def lines(self) -> Iterator[str]:
        """Yield the lines of the plan."""
        places, found, problems = self.places, self.found, self.problems
        doubts = set()  # what was said of single people
        for hand_in in found.hand_ins:
            yield ""
            yield heading_of(hand_in)
            submission = self.submissions.get(hand_in.entry)
            path = (submission.path if submission else None) or hand_in.path.absolute()
            yield f"  file: {path.relative_to(self.folder.absolute())}"
            if strange := found.strange.get(hand_in.entry):
                yield f"  ! {STRANGE}: {strange}"
            if hand_in.entry in problems:
                yield f"  ! not read: {problems[hand_in.entry]}"
            notes = submission.notes if submission else ()
            yield from (f"  {note}" for note in notes)
            if stranger := self.attended.strangers.get(hand_in.entry):
                yield f"  ! {NOT_ON_ROSTER}: {stranger}"
            if places:
                for name, row, doubt in places.of(hand_in):
                    words = not_entered(name, doubt) if doubt else ""
                    doubts.add(words)
                    words = words or row_words(places.export, name, row)
                    yield f"  {places.export.file}: {words}"
        yield ""
        yield from (f"left out: {name} ({why})" for name, why in found.ignored)
        entries = [Entry(h.entry, h, None) for h in found.hand_ins]
        if places:
            for dispute in fill(places, entries).disputes:
                if dispute not in doubts:
                    yield f"{places.export.file}: {dispute}"
        yield from about_people([], self.attended)
        late = sum(hand_in.late for hand_in in found.hand_ins)
        yield (
            f"{counted(len(found.hand_ins), 'hand-in')}, {late} late, "
            f"{len(problems)} not read, "
            f"{len(found.ignored)} left out. Nothing was graded."
        )


def heading_of(hand_in: HandIn) -> str:
    """Return whose a hand-in is: "Jane Doe (moodle 4711), late"."""
    owners = " & ".join(owner_words(owner) for owner in hand_in.owners)
    known = {owner.name for owner in hand_in.owners}
    if hand_in.group:
        members = "" if known == {hand_in.group} else f": {owners}"
        owners = f"group {hand_in.group}{members}"
    return f"{owners}{', late' * hand_in.late}"


def owner_words(owner: Owner) -> str:
    """Return a person's name and identifiers: "Jane Doe (moodle 4711)"."""
    ids = ", ".join(f"{kind} {value}" for kind, value in owner.ids.items())
    return f"{owner.name} ({ids})" if ids else owner.name


def row_words(export: Export, name: str, row: int | None) -> str:
    """Return which row of a gradebook is a person's: "row 4: Doe, Jane; 11".

    The text counts rows from 1, and quotes the row's first two cells. If the row's
    score must not be changed, the text says why.

    Args:
        export: the gradebook.
        name: the person's name, used only if there is no row.
        row: the row's index, from 0; None for no row, as in "no row for Jane Doe".
    """
    if row is None:
        return f"no row for {name}"
    words = f"row {row + 1}: {'; '.join(export.rows[row].cells[:2])}"
    why = export.kept.get(row)
    return f"{words}: not entered, for {why}" if why else words
