"""List the hand-ins whose learning is measured, and read and write their runs.

A run is one grading of exercise 9, kept as a dict that `trial.graded` describes. A
session is one call of `make calibrate`, kept as a dict of its start, its code and its
settings. `tests/evidence/calibration/runs.jsonl` has one JSON object in each line. An
object with the key "code" is a session. Any other object is a run, and its key
"session" has the number of its session.
"""

import ast
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.corpus.mutants import MUTANTS
from tests.corpus.variants import WHOLE
from tests.support.edits import ROOT, SOLUTION
from tests.support.supplied import imported

EVIDENCE = ROOT / "tests" / "evidence"
RUNS = EVIDENCE / "calibration" / "runs.jsonl"
TABLE = EVIDENCE / "CALIBRATION.md"

LEARN = (
    *("q_network", "epsilon_greedy", "replay_buffer"),
    *("td_loss", "td_update", "sync_target"),
)
# The wanted number of runs of each hand-in, by kind, in the order of measurement.
ENOUGH = {"solution": 200, "whole": 8, "F": 10, "D": 10}
RIGHT = ("solution", "whole")  # the kinds of right hand-ins

DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef
Run = dict[str, Any]


@dataclass(frozen=True)
class Learner:
    """A hand-in whose learning is measured (here this word does not mean a process).

    Attributes:
        name: the name of the hand-in.
        kind: "solution", "whole" (a right hand-in in another style), "F" (a mutant that
            fails to learn) or "D" (a mutant that learns worse).
        source: the text of `dqn.py`.
    """

    name: str
    kind: str
    source: str

    @property
    def digest(self) -> str:
        """A short hash of the source without comments and docstrings."""
        return digest(self.source)

    def seed(self, number: int) -> str:
        """Return the seed of one run; no other run of any hand-in has the same seed.

        Args:
            number: the number of the run, from 1.
        """
        return f"{self.name} {number}"


@dataclass(frozen=True)
class Stored:
    """The content of `runs.jsonl`.

    Attributes:
        sessions: the sessions, by the number of the session.
        runs: the runs, in the order of the file.
    """

    sessions: dict[int, dict[str, Any]]
    runs: list[Run]


def learners() -> list[Learner]:
    """Return all hand-ins whose learning is measured, in the order of measurement."""
    mutants = [
        Learner(m.id, m.severity, m.source) for m in MUTANTS if m.exercise in LEARN
    ]
    return [
        Learner("solution", "solution", SOLUTION),
        *(Learner(variant.name, "whole", variant.source) for variant in WHOLE),
        *(m for kind in "FD" for m in mutants if m.kind == kind),
    ]


def digest(*sources: str) -> str:
    """Return one short hash of Python sources, without comments and docstrings.

    Args:
        sources: the texts of the sources; their order matters.
    """
    hashed = hashlib.sha256()
    for source in sources:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
                del node.body[0]
        hashed.update(ast.unparse(tree).encode())
    return hashed.hexdigest()[:12]


TRAIN = imported("train", "starter")
# Today's settings, by task.
SETTINGS: dict[str, dict[str, Any]] = {
    "maze": asdict(TRAIN.MAZE_SETTINGS),
    "cartpole": asdict(TRAIN.SETTINGS),
}


def read(path: Path) -> Stored:
    """Return the sessions and runs in a file; both are empty if there is no file.

    A last line without a newline is ignored: the program was killed while it wrote
    this line.

    Args:
        path: a file in the format of `runs.jsonl`.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    entries = [json.loads(line) for line in whole.splitlines()]
    sessions = {e["session"]: e for e in entries if "code" in e}
    return Stored(sessions, [e for e in entries if "code" not in e])


def write(path: Path, stored: Stored) -> None:
    """Replace the content of a file by runs and their sessions.

    Sessions to which no run belongs are left out.

    Args:
        path: the file, in the format of `runs.jsonl`.
        stored: the runs and sessions.
    """
    used = {run["session"] for run in stored.runs}
    kept = [entry for number, entry in stored.sessions.items() if number in used]
    path.parent.mkdir(exist_ok=True)
    lines = [line_of(entry) for entry in (*kept, *stored.runs)]
    new = path.with_suffix(".new")
    new.write_text("".join(lines), encoding="utf-8")
    # Replacing the file in one step keeps hours of runs if the program is killed here.
    new.replace(path)


def line_of(entry: dict[str, Any]) -> str:
    """Return a session or a run as one line of JSON."""
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n"


def current(stored: Stored, measured: Iterable[Learner]) -> Stored:
    """Return the runs that count: the newest of each hand-in and run number.

    A run counts only if it was made with today's source of the hand-in and today's
    settings.

    Args:
        stored: all sessions and runs.
        measured: the hand-ins as they are today.

    Returns:
        All sessions, and the runs that count.
    """
    digests = {learner.name: learner.digest for learner in measured}
    newest: dict[tuple[str, int], Run] = {}
    for run in stored.runs:
        if (
            run["source"] == digests.get(run["run"])
            and stored.sessions[run["session"]]["settings"] == SETTINGS
        ):
            newest[run["run"], run["number"]] = run
    return Stored(stored.sessions, list(newest.values()))
