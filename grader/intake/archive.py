"""Read single files of a zip archive in memory, without unpacking the archive.

All files are listed, but only files that are asked for are read. So inner archives,
links, paths that lead out of the archive and files with terabytes of zeros can do no
harm.
"""

import io
import stat
import zipfile
from pathlib import PurePosixPath

from grader.contract.outcomes import Wrong
from grader.escape import one_line
from grader.intake.names import shown

MAX_ARCHIVE = 16 << 20  # bytes of an archive, enough for one with a film of the agent
MAX_DIRECTORY = 1 << 20  # bytes of the archive's list of files: about 10 000 names
CHUNK = 64 << 10  # bytes read at once
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
PASSWORD = 1  # bit of a member's flags: the file is encrypted


class Bounded(io.BytesIO):
    """An archive's bytes as a file that refuses `read(n)` for n > MAX_DIRECTORY."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next `size` bytes, or all remaining bytes for None or -1.

        Raises:
            zipfile.BadZipFile: `size` is larger than MAX_DIRECTORY. `zipfile` reads so
                many bytes at once only if the archive's list of files is too long.
        """
        if size is not None and size > MAX_DIRECTORY:
            raise zipfile.BadZipFile("it lists too many files")
        return super().read(size)


class Archive:
    """A zip archive in memory.

    Args:
        data: bytes of the archive.

    Raises:
        Wrong: `data` is larger than MAX_ARCHIVE, is no zip archive, or is damaged.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) > MAX_ARCHIVE:
            size = MAX_ARCHIVE >> 20
            raise Wrong(f"the archive is larger than {size} MiB: hand in dqn.py alone")
        try:
            self.file = zipfile.ZipFile(Bounded(data))
        except Exception as error:
            raise broken(error) from None
        # Old Windows programs write \ between folder names. A folder's name ends in /.
        # A file without a name cannot be a hand-in.
        names = [(m.filename.replace("\\", "/"), m) for m in self.file.infolist()]
        self.members = [
            (PurePosixPath(name), member)
            for name, member in names
            if name and not name.endswith("/")
        ]

    def paths(self) -> list[PurePosixPath]:
        """Return the paths of all files that have a name, in the archive's order."""
        return [path for path, _ in self.members]

    def read(self, wanted: PurePosixPath, limit: int) -> bytes:
        """Return the first bytes of one file, at most `limit` + 1.

        Args:
            wanted: path of the file, from `paths`.
            limit: largest size in bytes that the caller accepts. If `limit` + 1 bytes
                are returned, the file is larger.

        Raises:
            Wrong: the file cannot be read, or several files have this path.
        """
        name = shown(wanted)
        found = [member for path, member in self.members if path == wanted]
        if len(found) > 1:
            raise Wrong(f"there is more than one {name} in the archive: keep one")
        (member,) = found
        require_plain_file(member, name)
        data = bytearray()
        try:
            with self.file.open(member) as file:
                while len(data) <= limit and (chunk := file.read(CHUNK)):
                    data += chunk
        except Exception as error:
            raise broken(error) from None
        return bytes(data[: limit + 1])


def require_plain_file(member: zipfile.ZipInfo, name: str) -> None:
    """Check that an entry of an archive is a regular file that `zipfile` can read.

    Args:
        member: the entry of the archive.
        name: path of the entry, for messages.

    Raises:
        Wrong: the entry is no regular file, has a password, or is packed in a way that
            the grader does not read.
    """
    kind = stat.S_IFMT(member.external_attr >> 16)
    if stat.S_ISLNK(kind):
        raise Wrong(f"{name} in the archive is a link: put the file itself in")
    if kind not in (0, stat.S_IFREG):
        raise Wrong(f"{name} in the archive is not a regular file")
    if member.flag_bits & PASSWORD:
        raise Wrong(f"{name} in the archive has a password: pack it without one")
    if member.compress_type not in METHODS:
        raise Wrong(f"{name} is packed in a way few programs know: use plain zip")


def broken(error: Exception) -> Wrong:
    """Return the exception `Wrong` to raise for an archive that cannot be read.

    Args:
        error: exception that `zipfile` raised. It can be of any class, because the
            bytes of a hostile archive can cause all kinds of errors.
    """
    why = ""
    if isinstance(error, zipfile.BadZipFile):
        why = f" ({one_line(str(error), 80)})"
    return Wrong(f"the archive is no zip file, or damaged{why}: pack it again")
