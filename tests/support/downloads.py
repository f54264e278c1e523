"""Make downloads of learning platforms, and name what was found in them."""

from pathlib import Path

from grader.classroom import layouts


def made(folder: Path, *files: str) -> Path:
    """Make empty files in a folder and return the folder.

    Args:
        folder: the folder; it is made if it does not exist.
        files: paths in the folder; a path that ends in / becomes an empty folder.
    """
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.touch()
    return folder


def owners(found: layouts.Found) -> list[tuple[str, dict]]:
    """Return, for each owner that was found, the name and the ids.

    Args:
        found: result of `layouts.find`.
    """
    return [(o.name, o.ids) for hand_in in found.hand_ins for o in hand_in.owners]
