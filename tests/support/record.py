"""Record the reference: the solution's programs and answers; compare two records.

The name of an answer contains the digest of its case. So an answer is found only for
exactly this case.
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
    """A reference that asks the solution, and records its programs and answers.

    Args:
        solution: the solution, as a candidate.

    Attributes:
        programs: serialised programs, arrays uint8 [n], by `program_key`.
        answers: arrays by "part/digest/output": the part's name, the digest of the
            case, and the name of the array in the answer.
        check: the name of the check that asks now; the caller sets it.
        asked: the names of the checks that have asked a case, by "part/digest".
    """

    def __init__(self, solution: Candidate) -> None:
        self.solution = solution
        self.programs: Arrays = {}
        self.answers: Arrays = {}
        self.check = ""
        self.asked: dict[str, list[str]] = {}

    def answer(self, case: Case) -> Answer:
        """Return the solution's answer to a case; record the answer and the program."""
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
        """Return the solution's program for a case, serialised as uint8 [n].

        The program can run on all `PLATFORMS`.
        """
        request = {"part": case.part, "spec": case.spec, "args": case.blank()}
        asked = {"do": "export", **request, "platforms": PLATFORMS}
        return self.solution.worker.ask(asked, case.part).answer["program"]


def load_answers(path: Path = ANSWERS) -> Arrays:
    """Return the recorded answers: arrays by "part/digest/output" (see `Recorder`).

    Raises:
        OSError, ValueError, BadZipFile: the file is missing or damaged.
    """
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def load_provenance(folder: Path = FOLDER) -> dict[str, Any]:
    """Return which machine and which versions have made the record.

    The result is {} if the file is missing or damaged. `save` describes the entries.
    """
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
    """Write the record to files; equal programs and answers give equal bytes.

    Args:
        programs: serialised programs by `program_key`.
        answers: arrays by "part/digest/output" (see `Recorder`).
        known: the fingerprints of the solution and of the known mistakes.
        provenance: what has made the record: the hash of the solution, versions,
            machine.
        folder: the folder for programs, fingerprints and provenance.
        path: the file for the answers.
    """
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
    """Return arrays as the bytes of an npz file, sorted by name."""
    buffer = io.BytesIO()
    in_order = {name: arrays[name] for name in sorted(arrays)}
    np.savez_compressed(buffer, **in_order)
    return buffer.getvalue()


@dataclass(frozen=True)
class Drift:
    """How the answers to one check's cases have changed between two records.

    Attributes:
        check: the exercise and the name of the check.
        both: the number of arrays that are in both records.
        new: the number of arrays that are only in the new record.
        gone: the number of arrays that are only in the old record.
        largest: the largest `difference` of an array that is in both records; 0 if
            there is none.
    """

    check: str
    both: int = 0
    new: int = 0
    gone: int = 0
    largest: float = 0.0

    @property
    def changed(self) -> bool:
        """Whether an array is new or gone, or has changed by more than the tolerance.

        A difference of NaN counts as such a change.
        """
        return bool(self.new or self.gone) or not self.largest <= RTOL


def drift(
    old: dict[str, np.ndarray], new: dict[str, np.ndarray], asked: dict[str, list[str]]
) -> list[Drift]:
    """Return, for each check, how the answers to its cases have changed.

    The arrays of a case that no check asks now are counted under a name such as
    "td_loss asked no more".

    Args:
        old: the arrays of the old record by "part/digest/output" (see `Recorder`).
        new: the arrays of the new record, by the same names.
        asked: the names of the checks that ask a case now, by "part/digest".
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
    """Return the largest |a - b| of two arrays, divided by the largest |b|.

    If the largest |b| is below 1, there is no division. The result is infinity for
    arrays of different shapes.
    """
    if a.shape != b.shape:
        return float("inf")
    scale = max(1.0, float(np.abs(b.astype(np.float64)).max(initial=0.0)))
    gap = np.abs(a.astype(np.float64) - b.astype(np.float64))
    return float(gap.max(initial=0.0)) / scale
