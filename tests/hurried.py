"""The command line of the grader with short deadlines, for hand-ins that hang."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from grader import cli, grading, session

IMPORT, CALL, EXERCISE, RUN = 8.0, 5.0, 12.0, 40.0  # seconds

if __name__ == "__main__":
    session.IMPORT_SECONDS = IMPORT
    session.Worker.ask.__defaults__ = (CALL,)
    session.Runner.untrusted.__defaults__ = (CALL, None)
    grading.Budget = lambda: session.Budget(exercise_seconds=EXERCISE, run_seconds=RUN)
    sys.exit(cli.main())
