"""Reads tests, recorded answers, the solution and .git where they would lie.

Rows: 31, 36
Grade: sync_target
Asserts: S R L
Says: found nothing
May break on process: L: a plain process can read what its user can
"""

from pathlib import Path


def sync_target(*_):
    root, found = Path(PLACES["root"]), []
    for name in (
        "solution/dqn.py",
        "tests/support/edits.py",
        ".git/HEAD",
        "grader/cli.py",
        "grader/reference/answers.npz",
        "grader/reference/mistakes.json",
    ):
        try:
            found.append((root / name).read_bytes()[:10])
        except OSError:
            continue
    tell(found)
