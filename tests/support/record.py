"""The record of the reference: its programs and answers, and how they change.

Answers are kept under the digest of their question. So an answer can only be found by
exactly the question to which it belongs.
"""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grader.contract.case import Answer, Case, flat
from grader.contract.compare import RTOL
from grader.contract.exercises import ROOT
from grader.oracle.candidate import Candidate
from grader.oracle.known import Known, as_text
from grader.oracle.reference import (
    FOLDER,
    FORMAT,
    MISTAKES,
    PROGRAMS,
    PROVENANCE,
    program_key,
)

ANSWERS = ROOT / "tests" / "evidence" / "answers.npz"
PLATFORMS = ["cpu", "cuda"]
Arrays = dict[str, np.ndarray]


class Recorder:
    """Answers as the solution does, and keeps its programs and answers.

    Attributes:
        programs: serialised, uint8 [n], by `program_key`.
        answers: arrays by "part/digest/output".
        check: the check that asks now.
        asked: the checks that have asked a question, by "part/digest".
    """

    def __init__(self, solution: Candidate) -> None:
        self.solution = solution
        self.programs: Arrays = {}
        self.answers: Arrays = {}
        self.check = ""
        self.asked: dict[str, list[str]] = {}

    def answer(self, case: Case) -> Answer:
        """Return the solution's answer; keep it and its program."""
        answer = self.solution.traced(case)
        question = f"{case.part}/{case.digest()}"
        checks = self.asked.setdefault(question, [])
        if self.check not in checks:
            checks.append(self.check)
        for name, array in flat(answer):
            self.answers[f"{question}/{name}"] = array
        if program_key(case) not in self.programs:
            self.programs[program_key(case)] = self.exported(case)
        return answer

    def exported(self, case: Case) -> np.ndarray:
        """Return the solution's program for a case, for all platforms in one."""
        request = {"part": case.part, "spec": case.spec, "args": case.blank()}
        asked = {"do": "export", **request, "platforms": PLATFORMS}
        return self.solution.worker.ask(asked, case.part).answer["program"]


def load_answers(path: Path = ANSWERS) -> Arrays:
    """Load every recorded array by its name.

    Raises:
        OSError, ValueError, BadZipFile: the file is missing or damaged.
    """
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def load_provenance(folder: Path = FOLDER) -> dict[str, Any]:
    """Load from which versions and machine the record was made; {} where unknown."""
    try:
        found = json.loads((folder / PROVENANCE).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def save(
    programs: Arrays,
    answers: Arrays,
    known: Known,
    provenance: dict[str, Any],
    folder: Path = FOLDER,
    path: Path = ANSWERS,
) -> None:
    """Write the record; equal programs and answers give equal bytes."""
    folder.mkdir(exist_ok=True)
    files = {
        PROGRAMS: as_bytes(programs),
        MISTAKES: as_text(known).encode(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_bytes(answers))
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    provenance = {"format": FORMAT, "sha256": hashes, **provenance}
    text = json.dumps(provenance, indent=2, sort_keys=True) + "\n"
    (folder / PROVENANCE).write_text(text)


def as_bytes(arrays: Arrays) -> bytes:
    """Return arrays as the bytes of an npz file, in the order of their names."""
    buffer = io.BytesIO()
    in_order = {name: arrays[name] for name in sorted(arrays)}
    np.savez_compressed(buffer, **in_order)
    return buffer.getvalue()


@dataclass(frozen=True)
class Drift:
    """How the answers that one check asks for have changed.

    Attributes:
        check: its exercise and name.
        both: arrays that are recorded and asked for now.
        new: those asked for now only.
        gone: those recorded that nobody asks for any more.
        largest: difference among the first, as `difference` has it.
    """

    check: str
    both: int = 0
    new: int = 0
    gone: int = 0
    largest: float = 0.0

    @property
    def changed(self) -> bool:
        """Tell whether anything is beyond the checks' tolerance, or another question.

        A difference that is no number is.
        """
        return bool(self.new or self.gone) or not self.largest <= RTOL


def drift(
    old: dict[str, np.ndarray], new: dict[str, np.ndarray], asked: dict[str, list[str]]
) -> list[Drift]:
    """Return how the record changes: a row for each check, in the order of asking.

    Args:
        old: recorded arrays by name.
        new: those of now.
        asked: the checks that ask a question, by the question's part of the name.
    """
    names: dict[str, list[str]] = {}
    for name in (*new, *(name for name in old if name not in new)):
        part, digest, _ = name.split("/")
        for check in asked.get(f"{part}/{digest}", [f"{part} asked no more"]):
            names.setdefault(check, []).append(name)
    return [
        Drift(
            check,
            both=sum(name in old and name in new for name in group),
            new=sum(name not in old for name in group),
            gone=sum(name not in new for name in group),
            largest=max(
                (difference(old[n], new[n]) for n in group if n in old and n in new),
                key=lambda value: (value != value, value),  # a NaN is the worst
                default=0.0,
            ),
        )
        for check, group in names.items()
    ]


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Return the largest difference, relative to the scale; inf for other shapes."""
    if a.shape != b.shape:
        return float("inf")
    scale = max(1.0, float(np.abs(b.astype(np.float64)).max(initial=0.0)))
    gap = np.abs(a.astype(np.float64) - b.astype(np.float64))
    return float(gap.max(initial=0.0)) / scale
