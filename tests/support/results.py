"""Read the results of grading a class, so that two such results can be compared."""

import json
from pathlib import Path


def contents(folder: Path) -> dict[str, str]:
    """Return the text of each file below a folder, by the file's path in the folder.

    Every JSON file must be a report. Its durations are set to 0.
    """
    found = {}
    for path in sorted(folder.rglob("*.*")):
        text = path.read_text()
        if path.suffix == ".json":
            text = json.dumps(without_durations(json.loads(text)))
        found[str(path.relative_to(folder))] = text
    return found


def without_durations(report: dict) -> dict:
    """Return a copy of the report in which all durations are 0."""
    report = json.loads(json.dumps(report))
    for timed in [report, *(c for e in report["exercises"] for c in e["checks"])]:
        timed["duration"] = 0
    return report
