"""Hold the results of a grading: `Report`, from which every output is made."""

import json
import os
import tempfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from grader.contract.exercises import EXERCISES
from grader.contract.outcomes import NOT_IMPLEMENTED, Outcome
from grader.escape import json_text

SCHEMA = 1
# The two possible beginnings of `Report.problem`.
NOT_READ, NOT_IMPORTED = "not read: ", "not imported: "


@dataclass
class Check:
    """The result of one check.

    Attributes:
        name: the check's name, without "test_".
        description: one sentence on what the check asks, for students.
        outcome: how the check ended.
        score: the points that the hand-in earned.
        max_score: the points that the check pays.
        message: why there are no points, for students; "" if the check passed.
        diagnosis: the names of the mistakes that the part makes, in one text; None
            without a diagnosis.
        hint: how to find or mend the mistake, for students; None without a hint.
        reading: lines with what the part computes and what it should compute; None
            without a reading.
        duration: how long the check took, in seconds.
    """

    name: str
    description: str
    outcome: Outcome
    score: float
    max_score: float
    message: str = ""
    diagnosis: str | None = None
    hint: str | None = None
    reading: str | None = None
    duration: float = 0.0


@dataclass
class Exercise:
    """The results of one exercise.

    Attributes:
        name: the exercise's name.
        checks: the results of the exercise's checks.
        older: whether the results are from an earlier run, see `progress`.
        sha256: hash of the text that was graded in the earlier run; "" if `older` is
            False.
    """

    name: str
    checks: list[Check] = field(default_factory=list)
    older: bool = False
    sha256: str = ""

    @property
    def score(self) -> float:
        """Return the points that the hand-in earned in all checks of the exercise."""
        return sum(check.score for check in self.checks)

    @property
    def max_score(self) -> float:
        """Return the points that all checks of the exercise pay together."""
        return sum(check.max_score for check in self.checks)

    @property
    def is_complete(self) -> bool:
        """Return whether the hand-in earned all points of the exercise."""
        return self.score == self.max_score

    @property
    def number(self) -> int:
        """Return the exercise's number in the contract, from 1."""
        return list(EXERCISES).index(self.name) + 1

    @property
    def unwritten(self) -> bool:
        """Return whether the student has written none of the exercise's parts.

        The result is True if some checks found a stub and all others were skipped. It
        is False for exercise 9, which only waits for the parts of other exercises.
        """
        asked = [c for c in self.checks if c.outcome != Outcome.SKIPPED]
        stubs = [c for c in asked if c.message.startswith(NOT_IMPLEMENTED)]
        return bool(stubs) and stubs == asked


@dataclass
class Report:
    """All results of one grading.

    Attributes:
        seed: the seed of the run.
        sandbox: the tier of the sandbox.
        device: "cpu" or "gpu".
        submission: the hand-in's `name`, `sha256`, `problem` and `notes`.
        exercises: the results of the exercises that were graded.
        learning: the results of learning: an entry for each task, by the task's name.
        printed: the hand-in's output: entries from `Output.as_dict`, one for the import
            and one for each exercise, if the hand-in printed something then.
        duration: how long the grading took, in seconds.
    """

    seed: str
    sandbox: str
    device: str
    submission: dict[str, Any]
    exercises: list[Exercise] = field(default_factory=list)
    learning: dict[str, Any] = field(default_factory=dict)
    printed: list[dict[str, Any]] = field(default_factory=list)
    duration: float = 0.0

    @property
    def score(self) -> float:
        """Return the points that the hand-in earned in all exercises."""
        return sum(exercise.score for exercise in self.exercises)

    @property
    def max_score(self) -> float:
        """Return the points that all exercises pay together."""
        return sum(exercise.max_score for exercise in self.exercises)

    @property
    def problem(self) -> str:
        """Return why the hand-in was not read or not imported; "" if it was imported.

        The text begins with `NOT_READ` or `NOT_IMPORTED`.
        """
        return self.submission.get("problem") or ""

    @property
    def notes(self) -> list[str]:
        """Return sentences on which file was read and why, and on what was left out.

        The list is empty if there is nothing to say.
        """
        return self.submission.get("notes") or []

    def text_of(self, exercise: Exercise) -> str:
        """Return the hash of the hand-in's text for which an exercise was graded."""
        return exercise.sha256 if exercise.older else str(self.submission.get("sha256"))

    def is_of_this_text(self, exercise: Exercise) -> bool:
        """Return whether an exercise was graded for the text that this run has graded.

        This is False for an older result if the hand-in's text has changed since.
        """
        return self.text_of(exercise) == str(self.submission.get("sha256"))

    @property
    def grader_error(self) -> str:
        """Return the first fault of the grader itself, in words; "" if there is none.

        A report with a fault of the grader has no score.
        """
        for exercise in self.exercises:
            for check in exercise.checks:
                if check.outcome == Outcome.GRADER_ERROR:
                    return f"{exercise.name}, {check.name}: {check.message}"
        return ""

    def as_json(self) -> str:
        """Return the text of report.json.

        The score in this text is null if there was a fault of the grader.
        """
        document = {
            "schema": SCHEMA,
            "score": None if self.grader_error else plain_number(self.score),
            "max_score": plain_number(self.max_score),
            "seed": self.seed,
            "sandbox": self.sandbox,
            "device": self.device,
            "duration": round(self.duration, 3),
            "submission": self.submission,
            "exercises": [
                {
                    "name": exercise.name,
                    "score": plain_number(exercise.score),
                    "max_score": plain_number(exercise.max_score),
                    "checks": [check_as_dict(check) for check in exercise.checks],
                    **(
                        {"older": True, "sha256": exercise.sha256}
                        if exercise.older
                        else {}
                    ),
                }
                for exercise in self.exercises
            ],
            "learning": self.learning,
            "printed": self.printed,
        }
        return json_text(document, indent=1) + "\n"

    def save(self, folder: str) -> Path:
        """Write `report.json` completely or not at all; return the file's path.

        Args:
            folder: the folder to write to; it is made if it is missing.

        Raises:
            OSError: the file cannot be written.
        """
        path = Path(folder) / "report.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, self.as_json())
        return path


def load(path: Path) -> Report | None:
    """Read a report from report.json; return None if the file is missing or damaged."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        kept = {field.name: document[field.name] for field in fields(Report)}
        kept["exercises"] = [exercise_from(entry) for entry in document["exercises"]]
        kept["submission"] = {**document["submission"]}
        kept["learning"] = {**document["learning"]}
        kept["printed"] = [
            {name: entry[name] for name in ("exercise", "text", "dropped")}
            for entry in document["printed"]
        ]
        return Report(**kept)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def exercise_from(entry: dict[str, Any]) -> Exercise:
    """Return the `Exercise` that an entry in report.json describes.

    Raises:
        KeyError, TypeError, ValueError: the entry is damaged.
    """
    checks = [
        Check(
            **{
                **check,
                "outcome": Outcome(check["outcome"]),
                "score": float(check["score"]),
                "max_score": float(check["max_score"]),
            }
        )
        for check in entry["checks"]
    ]
    older, sha256 = bool(entry.get("older")), str(entry.get("sha256", ""))
    return Exercise(entry["name"], checks, older, sha256)


def write_whole(path: Path, data: str | bytes) -> None:
    """Write a file completely or not at all.

    The data is written into a temporary file, which is then renamed. So no other
    program ever sees half a file.

    Args:
        path: the path of the file.
        data: the contents of the file; a text is written as UTF-8.

    Raises:
        OSError: the file cannot be written. An older file with this name stays as it
            was.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def check_as_dict(check: Check) -> dict[str, Any]:
    """Return a check's entry in report.json."""
    return {
        **asdict(check),
        "outcome": str(check.outcome),
        "score": plain_number(check.score),
        "max_score": plain_number(check.max_score),
        "duration": round(check.duration, 3),
    }


def plain_number(value: float) -> float | int:
    """Round points to two decimals; return a whole number as an int: 12, not 12.0."""
    rounded = round(value, 2)
    return int(rounded) if rounded == int(rounded) else rounded
