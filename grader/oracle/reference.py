"""The reference: right answers, computed by the exported programs of the solution.

`make reference` exports the solution's parts for all shapes that occur in the checks.
Each program runs on CPU and on CUDA. Every grading uses these programs, and no grading
needs the solution's file. The fingerprints of known mistakes are in the same folder,
`grader/reference/`.
"""

import contextlib
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from grader.contract.case import Answer, Case, Trusted, flat
from grader.contract.outcomes import GraderError
from grader.oracle.known import Known, from_text

FORMAT = 3
FOLDER = Path(__file__).resolve().parents[1] / "reference"
PROGRAMS = "programs.npz"
MISTAKES = "mistakes.json"
PROVENANCE = "provenance.json"


class Reference:
    """The reference, which gives right answers to the cases that checks ask.

    Args:
        runner: client of the runner, which executes the programs.
        programs: serialised programs, uint8 [n] each, by `program_key`.
        answers: the answers so far, by the digest of their case; None for an empty
            dict. References for several hand-ins can share one dict.
    """

    def __init__(
        self,
        runner: Trusted,
        programs: dict[str, np.ndarray],
        answers: dict[str, Answer] | None = None,
    ) -> None:
        self.runner, self.programs = runner, programs
        self.answers = {} if answers is None else answers

    def answer(self, case: Case) -> Answer:
        """Return the right answer to a case; compute it only once.

        Raises:
            GraderError: the reference has no program for the case's part, settings and
                shapes, or the program failed.
            TimedOut, Killed: the runner gave no answer.
        """
        digest = case.digest()
        if digest not in self.answers:
            self.answers[digest] = self.computed(case)
            for _, array in flat(self.answers[digest]):
                array.flags.writeable = False  # whoever asks again gets it unchanged
        return self.answers[digest]

    def computed(self, case: Case) -> Answer:
        """Let the runner compute the right answer to a case, and return this answer.

        Raises:
            GraderError: the reference has no program for the case's part, settings and
                shapes, or the program failed.
            TimedOut, Killed: the runner gave no answer.
        """
        program = self.programs.get(program_key(case))
        if program is None:
            raise GraderError(
                f"the reference has no program for a case of {case.part}: "
                "grader/reference is of another version than the checks; staff: run "
                "`make reference`"
            )
        request = {"do": "reference", "program": program, "args": case.args}
        return Answer(self.runner.trusted(**request))


def program_key(case: Case) -> str:
    """Return the name of the reference's program that answers a case.

    Cases of the same part with equal settings, shapes and types share a program.
    """
    digest = hashlib.sha256(case.program_name().encode()).hexdigest()[:20]
    return f"{case.part}/{digest}"


def load_programs(folder: Path = FOLDER) -> dict[str, np.ndarray]:
    """Load the reference's programs.

    Args:
        folder: folder of the reference.

    Returns:
        The serialised programs, uint8 [n] each, by their `program_key`.

    Raises:
        GraderError: a file of the reference is missing or damaged, or the reference has
            a format that this grader does not read.
    """
    return load_arrays(PROGRAMS, folder)


def load_known(folder: Path = FOLDER) -> Known:
    """Load the recorded fingerprints of known mistakes.

    Args:
        folder: folder of the reference.

    Raises:
        GraderError: a file of the reference is missing or damaged, or the reference has
            a format that this grader does not read.
    """
    with damage_told():
        return from_text(recorded_bytes(folder, MISTAKES).decode())


def load_arrays(name: str, folder: Path = FOLDER) -> dict[str, np.ndarray]:
    """Load all arrays of one file of the reference, as a dict by their names.

    Args:
        name: name of the file.
        folder: folder of the reference, in which the file lies.

    Raises:
        GraderError: a file of the reference is missing or damaged, or the reference has
            a format that this grader does not read.
    """
    with damage_told():
        data = recorded_bytes(folder, name)
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}


def recorded_bytes(folder: Path, name: str) -> bytes:
    """Return the content of a file of the reference, after checking the file's hash.

    Args:
        folder: folder of the reference.
        name: name of the file in this folder.

    Raises:
        GraderError: the reference has a format that this grader does not read, or the
            file's hash differs from the hash recorded in provenance.json.
        OSError, ValueError, KeyError: a file is missing or damaged.
    """
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
    """Raise a `GraderError` if a with block cannot read the reference.

    Raises:
        GraderError: in the block, a file was missing or damaged. The message says how
            to restore the file.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise GraderError(
            f"the reference is missing (grader/reference/{Path(error.filename).name}): "
            "restore it, or, as staff, run `make reference`"
        ) from None
    except (
        *(OSError, ValueError, KeyError, TypeError, AttributeError),
        zipfile.BadZipFile,
    ):
        raise GraderError(
            "the reference in grader/reference is damaged; restore it, or, as staff, "
            "run `make reference`"
        ) from None
