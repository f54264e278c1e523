"""Recorded answers: what students' copies of the grader compare with.

`make reference` runs the checks on the solution and keeps every answer that a check
asked the reference for, under the digest of its question. So a record can only be
found by exactly the question it belongs to; a case that changed is missing, never
wrong.
"""

import contextlib
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grader.contract.case import Answer, Case, flat
from grader.contract.compare import RTOL
from grader.contract.outcomes import GraderError
from grader.oracle.candidate import LiveReference
from grader.oracle.known import Known, as_text, from_text

FORMAT = 2
FOLDER = Path(__file__).resolve().parents[1] / "reference"
ANSWERS = "answers.npz"
MISTAKES = "mistakes.json"
PROVENANCE = "provenance.json"


class RecordedReference:
    """Answers from `grader/reference/`.

    Raises:
        GraderError: the files are missing, damaged or of another version.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self.arrays = load_arrays(folder)
        self.names: dict[str, list[str]] = {}
        for name in sorted(self.arrays, key=lambda name: (len(name), name)):
            self.names.setdefault(name.split("/")[1], []).append(name)

    def answer(self, case: Case) -> Answer:
        """Return the recorded right answer."""
        if case.digest() not in self.names:
            raise GraderError(
                f"no recorded answer for a case of {case.part}: grader/reference is of "
                "another version than the checks; staff: run `make reference`"
            )
        answer = Answer()
        for name in self.names[case.digest()]:
            output, _, index = name.split("/")[2].partition(".")
            if index:
                answer.setdefault(output, []).append(self.arrays[name])
            else:
                answer[output] = self.arrays[name]
        return answer


class RecordingReference:
    """The live reference, remembering what it answered, and to whom."""

    def __init__(self, live: LiveReference) -> None:
        self.live = live
        self.arrays: dict[str, np.ndarray] = {}
        self.check = ""  # who is asking
        self.asked: dict[str, list[str]] = {}

    def answer(self, case: Case) -> Answer:
        """Return the right answer, and keep it."""
        answer = self.live.answer(case)
        question = f"{case.part}/{case.digest()}"
        checks = self.asked.setdefault(question, [])
        if self.check not in checks:
            checks.append(self.check)
        kept = {k: v for k, v in answer.items() if isinstance(v, np.ndarray | list)}
        for name, array in flat(kept):
            if array.dtype.kind in "biuf":
                self.arrays[f"{question}/{name}"] = array
        return answer


def load_arrays(folder: Path = FOLDER) -> dict[str, np.ndarray]:
    """Load every recorded array by its name."""
    with damage_told():
        data = recorded_bytes(folder, ANSWERS)
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}


def load_known(folder: Path = FOLDER) -> Known:
    """Load the recorded fingerprints of known mistakes."""
    with damage_told():
        return from_text(recorded_bytes(folder, MISTAKES).decode())


def load_provenance(folder: Path = FOLDER) -> dict[str, Any]:
    """Load by what and from what the record was made; {} where that is not known."""
    try:
        found = json.loads((folder / PROVENANCE).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def recorded_bytes(folder: Path, name: str) -> bytes:
    """Read one file of the record, as it was when the record was written."""
    provenance = json.loads((folder / PROVENANCE).read_text())
    data = (folder / name).read_bytes()
    if provenance["format"] != FORMAT:
        raise GraderError(
            f"{folder.name}/{PROVENANCE} is of format {provenance['format']}, "
            f"this grader reads {FORMAT}; staff: run `make reference`"
        )
    if provenance["sha256"][name] != hashlib.sha256(data).hexdigest():
        raise GraderError(
            f"grader/reference/{name} is not the file that {PROVENANCE} "
            "describes; restore both, or, as staff, run `make reference`"
        )
    return data


@contextlib.contextmanager
def damage_told() -> Iterator[None]:
    """Say in one line what is wrong with the record.

    Raises:
        GraderError: a file is missing, or cannot be read as what it should be.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise GraderError(
            "the recorded reference is missing (grader/reference/"
            f"{Path(error.filename).name}): restore it, or, as staff, run "
            "`make reference`"
        ) from None
    except (
        *(OSError, ValueError, KeyError, TypeError, AttributeError),
        zipfile.BadZipFile,
    ):
        raise GraderError(
            "the recorded reference in grader/reference is damaged; restore it, or, "
            "as staff, run `make reference`"
        ) from None


def save(
    arrays: dict[str, np.ndarray],
    known: Known,
    provenance: dict[str, Any],
    folder: Path = FOLDER,
) -> None:
    """Write the record; the same answers give the same bytes."""
    folder.mkdir(exist_ok=True)
    buffer = io.BytesIO()
    np.savez(buffer, **{name: arrays[name] for name in sorted(arrays)})  # type: ignore[arg-type]
    files = {ANSWERS: buffer.getvalue(), MISTAKES: as_text(known).encode()}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    provenance = {"format": FORMAT, "sha256": hashes, **provenance}
    text = json.dumps(provenance, indent=2, sort_keys=True) + "\n"
    (folder / PROVENANCE).write_text(text)


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
