"""The grader's command line for a hand-in that hangs once: only a call has a short end.

All other deadlines are long, so that right work in the same terminal is never cut off.
"""

import sys
from dataclasses import replace

from grader import cli
from tests.support.patient import PATIENT

if __name__ == "__main__":
    sys.exit(cli.main(replace(PATIENT, call_seconds=15.0, restarts=0)))
