"""The one result model; every output is made from it."""

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
# What the problem of a hand-in begins with that could not be run at all.
NOT_READ, NOT_IMPORTED = "not read: ", "not imported: "


@dataclass
class Check:
    """One check's result; `message` is what the student reads."""

    name: str
    description: str
    outcome: Outcome
    score: float
    max_score: float
    message: str = ""
    diagnosis: str | None = None
    hint: str | None = None
    duration: float = 0.0


@dataclass
class Exercise:
    """One exercise's checks."""

    name: str
    checks: list[Check] = field(default_factory=list)

    @property
    def score(self) -> float:
        """Points earned."""
        return sum(check.score for check in self.checks)

    @property
    def max_score(self) -> float:
        """Points there are."""
        return sum(check.max_score for check in self.checks)

    @property
    def number(self) -> int:
        """Its number in the contract."""
        return list(EXERCISES).index(self.name) + 1

    @property
    def unwritten(self) -> bool:
        """Tell whether the reason for having no points is a stub that is still one."""
        return any(c.message.startswith(NOT_IMPLEMENTED) for c in self.checks) and all(
            c.message.startswith(NOT_IMPLEMENTED) or c.outcome == Outcome.SKIPPED
            for c in self.checks
        )


@dataclass
class Report:
    """Everything that one grading found out."""

    seed: str
    sandbox: str
    device: str
    submission: dict[str, Any]  # name, sha256, problem, notes
    exercises: list[Exercise] = field(default_factory=list)
    learning: dict[str, Any] = field(default_factory=dict)
    printed: list[dict[str, Any]] = field(default_factory=list)  # by the hand-in
    duration: float = 0.0

    @property
    def score(self) -> float:
        """Points earned."""
        return sum(exercise.score for exercise in self.exercises)

    @property
    def max_score(self) -> float:
        """Points there are."""
        return sum(exercise.max_score for exercise in self.exercises)

    @property
    def problem(self) -> str:
        """Return why the hand-in could not be run, in a sentence; "" where it was.

        It begins with `NOT_READ` or `NOT_IMPORTED`.
        """
        return self.submission.get("problem") or ""

    @property
    def notes(self) -> list[str]:
        """Sentences on the hand-in: what was taken and why, what was left out."""
        return self.submission.get("notes") or []

    @property
    def grader_error(self) -> str:
        """Return what went wrong on our side, or "": then there is a score."""
        for exercise in self.exercises:
            for check in exercise.checks:
                if check.outcome == Outcome.GRADER_ERROR:
                    return f"{exercise.name}, {check.name}: {check.message}"
        return ""

    def as_json(self) -> str:
        """Return the report in the pinned schema."""
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
                }
                for exercise in self.exercises
            ],
            "learning": self.learning,
            "printed": self.printed,
        }
        return json_text(document, indent=1) + "\n"

    def save(self, folder: str) -> Path:
        """Write `report.json` whole or not at all; return its path."""
        path = Path(folder) / "report.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, self.as_json())
        return path


def load(path: Path) -> Report | None:
    """Load a report; None where there is none, or not a whole one."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        exercises = [
            Exercise(
                exercise["name"],
                [
                    Check(**{**check, "outcome": Outcome(check["outcome"])})
                    for check in exercise["checks"]
                ],
            )
            for exercise in document["exercises"]
        ]
        kept = {field.name: document[field.name] for field in fields(Report)}
        return Report(**{**kept, "exercises": exercises})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_whole(path: Path, text: str) -> None:
    """Write a file that is never seen half written, whatever happens meanwhile.

    Raises:
        OSError: it cannot be written; what was there before still is.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def check_as_dict(check: Check) -> dict[str, Any]:
    """Return one check in the pinned schema."""
    return {
        **asdict(check),
        "outcome": str(check.outcome),
        "score": plain_number(check.score),
        "max_score": plain_number(check.max_score),
        "duration": round(check.duration, 3),
    }


def plain_number(value: float) -> float | int:
    """Format points: 12 rather than 12.0; halves stay."""
    rounded = round(value, 2)
    return int(rounded) if rounded == int(rounded) else rounded
