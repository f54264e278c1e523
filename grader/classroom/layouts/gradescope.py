"""Know the folders of Gradescope's "Export Submissions", by its file of metadata.

The file has an entry for each folder, with names, e-mail addresses and student IDs of
all submitters. It also has all results of all attempts, and so may have many megabytes:
only the submitters are parsed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.classroom.layouts.files import GRADESCOPE
from grader.classroom.layouts.found import Entries, Owner, Piece
from grader.contract.outcomes import UsageError

_SUBMITTERS = ":submitters:"


def pieces(folder: Path, entries: Entries) -> dict[str, Piece]:
    """Return a `Piece` for each hand-in in Gradescope's metadata, by its folder's name.

    If this folder is missing, the attribute `why_not` says so. The result is {} if
    there is no file of metadata.

    Args:
        folder: the unpacked export from Gradescope.
        entries: the files and folders in `folder`.

    Raises:
        UsageError: the file of metadata cannot be read, or does not come from
            Gradescope. Or PyYAML is not installed.
    """
    path = folder / GRADESCOPE
    if not path.is_file():
        return {}
    submitters = read_submitters(path)
    there = {entry.name for entry in entries}
    missing = "it is in the metadata, but not in the folder"
    return {
        name: Piece(name, owners, why_not="" if name in there else missing)
        for name, owners in submitters.items()
    }


def read_submitters(path: Path) -> dict[str, tuple[Owner, ...]]:
    """Return the owners of each hand-in; the keys are names of folders.

    Args:
        path: the path of Gradescope's file of metadata.

    Raises:
        UsageError: the file cannot be read, or does not come from Gradescope. Or PyYAML
            is not installed.
    """
    try:
        import yaml
    except ImportError:
        raise UsageError(
            f"{GRADESCOPE} is read with PyYAML, which is not installed "
            "(`make grade-class` installs it)"
        ) from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        text = path.read_text(encoding="utf-8")
        try:
            document = yaml.load(submitters_in(text), loader)
        except yaml.YAMLError:  # a text that is said elsewhere in the file, perhaps
            document = yaml.load(text, loader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        words = str(error).partition("\n")[0]
        raise UsageError(f"{path} cannot be read: {words}") from None
    if not isinstance(document, dict):
        raise UsageError(f"{path} is not what Gradescope exports: no submissions in it")
    return {
        str(folder): owners
        for folder, about in document.items()
        if (owners := tuple(submitters_of(about)))
    }


def submitters_in(text: str) -> str:
    """Return the lines of the metadata that name folders and submitters."""
    kept = []
    level, wanted = 0, True
    for line in text.splitlines():
        if not line.strip():  # in a text, at any depth
            continue
        depth = len(line) - len(line.lstrip(" "))
        if not depth:
            level, wanted = 0, True
        elif not level or (depth == level and line[depth] != "-"):
            level, wanted = depth, line[depth:].startswith(_SUBMITTERS)
        if wanted:
            kept.append(line)
    return "\n".join(kept)


def submitters_of(about: Any) -> Iterator[Owner]:
    """Yield the owners of one hand-in in Gradescope's metadata.

    Args:
        about: the metadata's entry for the hand-in. If the entry does not have the
            expected form, nothing is yielded.
    """
    people = about.get(":submitters") if isinstance(about, dict) else None
    for person in people if isinstance(people, list) else []:
        if isinstance(person, dict):
            told = {key: person.get(f":{key}") for key in ("name", "email", "sid")}
            known = {key: str(value) for key, value in told.items() if value}
            name = known.pop("name", "") or next(iter(known.values()), "")
            if name:
                yield Owner(name, known)
