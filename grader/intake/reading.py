"""Read one file as a hand-in: a Python file or a notebook, by its contents."""

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from grader.contract.outcomes import Wrong
from grader.intake import contents, notebook
from grader.intake.names import FILE, MAX_SHOWN, NOTEBOOK, PYTHON, suffix_of
from grader.intake.notebook import MAX_NOTEBOOK
from grader.intake.submission import Submission

MAX_BYTES = 1 << 20
HEAD = 512  # bytes that tell a file's kind

# Reads a file: given a limit, it returns at most one byte more than that.
Read = Callable[[int], bytes]


def read_regular_file(path: Path, limit: int, name: str) -> bytes:
    """Read a regular file without ever waiting; at most one byte more than `limit`.

    Raises:
        Wrong: there is no such file, or it is a link, a pipe or a device.
    """
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
        file: the file's name, for messages.
        read: returns the file's bytes.
        name: the hand-in's name.
        path: of the file, if it lies in a folder and not in an archive.

    Raises:
        Wrong: it cannot be read.
    """
    kind, suffix = contents.kind_of(read(HEAD)), suffix_of(file)
    if kind == contents.NOTEBOOK or (suffix == NOTEBOOK and not kind):
        source = notebook.read(read(MAX_NOTEBOOK), file, MAX_BYTES)
        return with_notes(Submission(name, source.text.encode(), cells=source.starts))
    if kind:
        raise Wrong(f"{file} is a {kind}: hand in {FILE} or a notebook")
    if suffix != PYTHON:
        raise Wrong(
            f"{file!r} is neither a Python file nor a notebook or zip archive: "
            f"hand in {FILE}"
        )
    return from_source(read(MAX_BYTES), file, name, path)


def from_source(data: bytes, file: str, name: str, path: Path | None) -> Submission:
    """Make a hand-in from the bytes of a Python file; a wrong file has a `problem`.

    Arguments are those of `from_file`.
    """
    if len(data) > MAX_BYTES:
        problem = f"{file} is larger than {MAX_BYTES >> 20} MiB"
        return Submission(name, data[:MAX_BYTES], problem)
    if why := contents.no_text(data):
        return Submission(name, data, f"{file} {why}")
    text, magics = notebook.exported(contents.decoded(data))
    cells = notebook.cells_in(text) or ((0,) if magics else ())
    notes = (about_magics(magics, file),) if magics else ()
    source = text.encode() if magics else data
    exported = bool(cells)
    return with_notes(
        Submission(name, source, None, path, cells, notes, exported=exported)
    )


def about_magics(lines: list[int], file: str) -> str:
    """Return a note on the lines with notebook commands that were left out."""
    listed = ", ".join(map(str, lines[:MAX_SHOWN]))
    hidden = len(lines) - MAX_SHOWN
    more = f" and {hidden} more" if hidden > 0 else ""
    word = "line" if len(lines) == 1 else "lines"
    return f"orders to a notebook were left out of {file}: {word} {listed}{more}"


def with_notes(found: Submission) -> Submission:
    """Return the hand-in with notes on text that reads differently from how it runs."""
    notes = map(found.locate, contents.misleading(found.source))
    return replace(found, notes=(*found.notes, *notes))
