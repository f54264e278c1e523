"""Read one Python file or notebook as a hand-in."""

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from grader.contract.outcomes import Wrong
from grader.intake import contents, notebook
from grader.intake.names import FILE, MAX_SHOWN, NOTEBOOK, PYTHON, is_stored, suffix_of
from grader.intake.notebook import MAX_NOTEBOOK
from grader.intake.submission import Submission

MAX_BYTES = 1 << 20  # of Python source
HEAD = 512  # bytes at the beginning of a file that show the file's kind

STORED = f"ILIAS may store {FILE} as dqnpy.sec"

# A function that takes a limit n and returns the first bytes of a file, at most n + 1.
Read = Callable[[int], bytes]


def read_regular_file(path: Path, limit: int, name: str) -> bytes:
    """Return the first bytes of a regular file, at most `limit` + 1.

    Args:
        path: path of the file.
        limit: largest size in bytes that the caller accepts. If `limit` + 1 bytes are
            returned, the file is larger.
        name: name of the file, for messages.

    Raises:
        Wrong: the file does not exist or cannot be read, or the path is a link, a
            folder, a pipe or a device.
    """
    # O_NONBLOCK, because opening a pipe would wait for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except OSError as error:
        why = "it is a link" if error.errno == errno.ELOOP else error.strerror
        raise Wrong(f"{name} cannot be read: {why}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Wrong(f"{name} cannot be read: it is not a regular file")
    with os.fdopen(handle, "rb") as file:
        return file.read(limit + 1)


def from_file(file: str, read: Read, name: str, path: Path | None) -> Submission:
    """Read a Python file or a notebook as a hand-in.

    Args:
        file: name of the file, for messages.
        read: function that takes a limit n and returns the first bytes of the file, at
            most n + 1.
        name: name of the hand-in.
        path: path of the file; None for a file in an archive.

    Raises:
        Wrong: the file cannot be read, or is neither a Python file nor a notebook.
    """
    kind, suffix = contents.kind_of(read(HEAD)), suffix_of(file)
    if kind == contents.NOTEBOOK or (suffix == NOTEBOOK and not kind):
        source = notebook.read(read(MAX_NOTEBOOK), file, MAX_BYTES)
        text, starts, names = source.text.encode(), source.starts, source.names
        return with_notes(Submission(name, text, cells=starts, cell_names=names))
    if kind:
        raise Wrong(f"{file} is a {kind}: hand in {FILE} or a notebook")
    if suffix != PYTHON:
        raise Wrong(
            f"{file!r} is neither a Python file nor a notebook or zip archive: "
            f"hand in {FILE}"
        )
    return from_source(read(MAX_BYTES), file, name, path)


def from_source(data: bytes, file: str, name: str, path: Path | None) -> Submission:
    """Make a hand-in of the bytes of a Python file.

    Notebook commands in the file are replaced. If the file has more than MAX_BYTES
    bytes, is empty, is not UTF-8 text or has a NUL character, the hand-in has a
    `problem`.

    Args:
        data: bytes of the file.
        file: name of the file, for messages.
        name: name of the hand-in.
        path: path of the file; None for a file in an archive.
    """
    if len(data) > MAX_BYTES:
        problem = f"{file} is larger than {MAX_BYTES >> 20} MiB"
        return Submission(name, data[:MAX_BYTES], problem)
    if why := contents.no_text(data):
        return Submission(name, data, f"{file} {why}")
    text, magics = notebook.exported(contents.decoded(data))
    cells = notebook.cells_in(text) or ((0,) if magics else ())
    notes = (f"{file} was read as a Python file: {STORED}",) * is_stored(file)
    notes += (about_magics(magics, file),) if magics else ()
    source = text.encode() if magics else data
    exported = bool(cells)
    return with_notes(
        Submission(name, source, None, path, cells, notes, exported=exported)
    )


def about_magics(lines: list[int], file: str) -> str:
    """Return a sentence for the student on notebook commands that were left out.

    Args:
        lines: numbers, from 1, of the lines with these commands.
        file: name of the file.
    """
    listed = ", ".join(map(str, lines[:MAX_SHOWN]))
    hidden = len(lines) - MAX_SHOWN
    more = f" and {hidden} more" if hidden > 0 else ""
    word = "line" if len(lines) == 1 else "lines"
    return f"orders to a notebook were left out of {file}: {word} {listed}{more}"


def with_notes(found: Submission) -> Submission:
    """Return a copy of a hand-in with added notes on misleading places in its source.

    At such a place a person would see other code than Python runs; see
    `contents.misleading`.
    """
    notes = map(found.locate, contents.misleading(found.source))
    return replace(found, notes=(*found.notes, *notes))
