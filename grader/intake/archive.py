"""One file out of a zip archive that a stranger made. Nothing is ever unpacked.

All but the one file is only listed, so what else is in there can do no harm: archives
in the archive, links, names that lead elsewhere, terabytes of zeros.
"""

import io
import stat
import zipfile
from pathlib import PurePosixPath

from grader.contract.outcomes import Wrong
from grader.escape import plain

MAX_ARCHIVE = 16 << 20  # bytes; with a film of the agent in it, say
MAX_DIRECTORY = 1 << 20  # bytes of the list of its files: some 10 000
CHUNK = 64 << 10
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
PASSWORD = 1  # the bit of a member's flags


class Bounded(io.BytesIO):
    """An archive's bytes, of which no piece is read that is larger than a list."""

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes.

        Raises:
            zipfile.BadZipFile: too many of them are asked for at once.
        """
        if size is not None and size > MAX_DIRECTORY:
            raise zipfile.BadZipFile("it lists too many files")
        return super().read(size)


class Archive:
    """A zip archive in memory.

    Args:
        data: its bytes.

    Raises:
        Wrong: it is none, or damaged.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) > MAX_ARCHIVE:
            size = MAX_ARCHIVE >> 20
            raise Wrong(f"the archive is larger than {size} MiB: hand in dqn.py alone")
        try:
            self.file = zipfile.ZipFile(Bounded(data))
        except Exception as error:
            raise broken(error) from None
        # Old Windows programs write \ between folders.
        self.members = [
            (PurePosixPath(member.filename.replace("\\", "/")), member)
            for member in self.file.infolist()
        ]

    def paths(self) -> list[PurePosixPath]:
        """The paths of all files and folders in it, in its own order."""
        return [path for path, _ in self.members]

    def read(self, wanted: PurePosixPath, limit: int) -> bytes:
        """The bytes of one file; at most one more than `limit`.

        Raises:
            Wrong: it cannot be read, or there is more than one of that name.
        """
        shown = plain(str(wanted), 100)
        found = [member for path, member in self.members if path == wanted]
        if len(found) > 1:
            raise Wrong(f"there is more than one {shown} in the archive: keep one")
        (member,) = found
        kind = stat.S_IFMT(member.external_attr >> 16)
        if stat.S_ISLNK(kind):
            raise Wrong(f"{shown} in the archive is a link: put the file itself in")
        if member.is_dir() or kind not in (0, stat.S_IFREG):
            raise Wrong(f"{shown} in the archive is not a regular file")
        if member.flag_bits & PASSWORD:
            raise Wrong(f"{shown} in the archive has a password: pack it without one")
        if member.compress_type not in METHODS:
            raise Wrong(f"{shown} is packed in a way few programs know: use plain zip")
        data = bytearray()
        try:
            with self.file.open(member) as file:
                while len(data) <= limit and (chunk := file.read(CHUNK)):
                    data += chunk
        except Exception as error:
            raise broken(error) from None
        return bytes(data[: limit + 1])


def broken(error: Exception) -> Wrong:
    """What is told of an archive that cannot be read.

    Strange bytes find every way to make a reader fail: whatever it is, it is theirs.
    """
    words = (
        f" ({plain(str(error), 80)})" if isinstance(error, zipfile.BadZipFile) else ""
    )
    return Wrong(f"the archive is no zip file, or damaged{words}: pack it again")
