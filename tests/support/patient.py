"""The grader's command line with long deadlines, for hand-ins that do not hang.

Right hand-ins are slow, too, on a busy machine, and a diagnosis that is cut off says
nothing. No test should fail for that.
"""

import sys
from dataclasses import replace

from grader import cli
from grader.contract.limits import LIMITS

PATIENT = replace(
    LIMITS,
    start_seconds=300.0,
    import_seconds=300.0,
    call_seconds=150.0,
    part_seconds=900.0,
    diagnosis_seconds=300.0,
    run_seconds=1800.0,
    trusted_seconds=600.0,
    learn_seconds=900.0,
    all_learn_seconds=1800.0,
)
COMMAND = "tests.support.patient"  # this module, for `python -m`
# The time for a whole command, or for a process to end: reached only if it hangs.
SECONDS = PATIENT.run_seconds

if __name__ == "__main__":
    sys.exit(cli.main(PATIENT))
