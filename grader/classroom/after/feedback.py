"""Pack the students' pages into archives that Canvas and Moodle hand out.

A platform reads from a file's name to whom the file goes. So a page is packed only if
it is certain whose it is; whatever is left out is listed.
"""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from grader.classroom.entries import Entry
from grader.classroom.gradebooks.groups import Places
from grader.classroom.gradebooks.people import normal
from grader.report.exercise import counted
from grader.report.model import write_whole

FOLDER = "feedback"
FILE = "report.html"
# Of a file's name, Canvas reads the first two parts between underscores that are
# numbers: the user and the file that was handed in. The file has to be one of this
# user's hand-in. In anonymous assignments it reads the two parts after "anon".
# (instructure/canvas-lms, app/models/abstract_assignment.rb,
# infer_comment_context_from_filename)
_ANONYMOUS = re.compile(r"(?:LATE_)?(anon_([^_]+)_\d+)(?=_)")


class Page(NamedTuple):
    """A page that is to be packed.

    Attributes:
        number: the number by which the platform knows to whom the page goes.
        who: the name of this person.
        id: the id of the hand-in.
        file: the file's name in the archive.
    """

    number: str
    who: str
    id: str
    file: str


@dataclass
class Packed:
    """The files of an archive, and the people to whom no page goes.

    Attributes:
        files: the ids of the hand-ins whose pages are packed, by the file's name.
        left_out: the names of the people to whom no page goes.
    """

    files: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def add(self, pages: Sequence[Page]) -> None:
        """Pack pages; leave out any that share their number with another of them."""
        counts = Counter(page.number for page in pages)
        for page in pages:
            if counts[page.number] == 1:
                self.files[page.file] = page.id
            else:
                self.left_out.append(page.who)


def for_canvas(entries: Iterable[Entry]) -> Packed:
    """Return the pages that Canvas can hand out, under names that Canvas understands.

    Only hand-ins that were downloaded from Canvas and have a report are packed, and of
    these only those whose name is not strange: their number can be another one. Canvas
    brings the page of a group to all of its members.

    Args:
        entries: all hand-ins with their results.
    """
    packed, pages = Packed(), []
    for entry in entries:
        if entry.report is None:
            continue
        name, owners = entry.hand_in.entry, entry.hand_in.owners
        is_sure = len(owners) == 1 and not entry.strange
        number = owners[0].ids.get("canvas", "") if is_sure else ""
        numbers = rf"(?:^|_)({re.escape(number)}_\d+)_"
        who = entry.hand_in.who
        if match := _ANONYMOUS.match(name):
            file = f"{match[1]}_{FILE}"
            pages.append(Page(match[2], who, entry.id, file))
        elif number and (match := re.search(numbers, name)):
            # The name is for people; it has no part that is a number.
            file = f"for-{''.join(filter(str.isalpha, who))}_{match[1]}_{FILE}"
            pages.append(Page(number, who, entry.id, file))
        else:
            packed.left_out.append(who)
    packed.add(pages)
    return packed


def for_moodle(entries: Iterable[Entry], places: Places) -> Packed:
    """Return the pages that Moodle can hand out, under names that Moodle understands.

    Of a file's name, Moodle reads what stands between the first two underscores: the
    number of a participant (moodle/moodle, mod/assign/feedback/file/importziplib.php).
    It is taken from the worksheet, from the row of the page's owner. If the hand-in's
    folder has a different number, the worksheet can be that of another assignment, and
    the page is left out. But a group's folder has the group's number instead of a
    participant's (mod/assign/classes/downloader.php). So a different number does not
    matter if the rows are those of the group's members.

    Args:
        entries: all hand-ins with their results.
        places: the rows of the grading worksheet of this assignment.
    """
    worksheet, packed, pages = places.export, Packed(), []
    rows = range(len(worksheet.rows))
    numbers = [normal(worksheet.value(row, "moodle"), "moodle") for row in rows]
    for entry in entries:
        hand_in = entry.hand_in
        told = {
            owner.ids["moodle"] for owner in hand_in.owners if "moodle" in owner.ids
        }
        if places.groups_of(hand_in):
            told = set()
        for name, row, _ in places.of(hand_in) if entry.report else ():
            number = numbers[row] if row is not None else ""
            is_right = number in told or not told
            if number and is_right and numbers.count(number) == 1:
                who = " ".join(re.findall(r"[^\W\d_]+", name)) or "Participant"
                file = f"{who}_{number}_assignsubmission_file_{FILE}"
                pages.append(Page(number, name, entry.id, file))
            else:
                packed.left_out.append(name)
    packed.add(pages)
    return packed


def pack(packed: Packed, pages: Path) -> bytes:
    """Return the bytes of an archive; equal pages give equal bytes.

    Args:
        packed: the files of the archive.
        pages: the folder of the students' pages.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, id_ in sorted(packed.files.items()):
            about = zipfile.ZipInfo(name)
            about.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(about, (pages / f"{id_}.html").read_bytes())
    return file.getvalue()


def write(out: Path, entries: Sequence[Entry], places: Places | None) -> list[str]:
    """Write the archives for Canvas and Moodle; return lines that describe them.

    The lines say how many reports each archive holds, and whose are not in it. An
    archive without files is not written and has no line. Archives of an earlier run
    are deleted. Moodle's archive is made only if the gradebook is Moodle's worksheet.

    Args:
        out: the folder of the results, with the students' pages.
        entries: all hand-ins with their results.
        places: the rows of the gradebook, or None if none was given.
    """
    archives = {"canvas": for_canvas(entries), "moodle": Packed()}
    if places and "moodle" in places.export.columns:
        archives["moodle"] = for_moodle(entries, places)
    lines = []
    for platform, packed in archives.items():
        path = out / FOLDER / f"{platform}.zip"
        path.unlink(missing_ok=True)
        if not packed.files:
            continue
        path.parent.mkdir(exist_ok=True)
        write_whole(path, pack(packed, out / "students"))
        lines.append(f"{path}: {counted(len(packed.files), 'report')}")
        if packed.left_out:
            lines.append(f"{path}: not in it: {'; '.join(packed.left_out)}")
    return lines
