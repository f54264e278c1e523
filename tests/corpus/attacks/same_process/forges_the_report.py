"""A process of its own waits for report.json and writes another over it.

Rows: 5, 53, 68
Grade: sync_target
Asserts: S R
Says: not implemented yet
May break on process: S: a plain process can write what its user can
"""

import json
import os
import time
from pathlib import Path

PATH = Path(PLACES["out"]) / "report.json"

if os.fork() == 0:
    os.setsid()
    end = time.monotonic() + 60
    while not PATH.exists() and time.monotonic() < end:
        time.sleep(0.05)
    if PATH.exists():
        document = json.loads(PATH.read_text())
        checks = document["exercises"][0]["checks"]
        for check in checks:
            check |= {"outcome": "passed", "score": check["max_score"]}
        document["score"] = sum(check["score"] for check in checks)
        PATH.write_text(json.dumps(document))
    os._exit(0)
