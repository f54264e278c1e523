"""What a class's run has written, to be compared with another's."""

import json
from pathlib import Path


def contents(folder: Path) -> dict[str, str]:
    """The text of every file below a folder, durations left out."""
    found = {}
    for path in sorted(folder.rglob("*.*")):
        text = path.read_text()
        if path.suffix == ".json":
            report = json.loads(text)
            report["duration"] = 0
            for exercise in report["exercises"]:
                for check in exercise["checks"]:
                    check["duration"] = 0
            text = json.dumps(report)
        found[str(path.relative_to(folder))] = text
    return found
