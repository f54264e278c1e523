"""The grader's command line with short deadlines; tests use it for slow hand-ins."""

import sys
from dataclasses import replace

from grader import cli
from grader.contract.limits import LIMITS

SHORT = replace(
    LIMITS,
    import_seconds=8.0,
    call_seconds=5.0,
    part_seconds=12.0,
    run_seconds=40.0,
)

if __name__ == "__main__":
    sys.exit(cli.main(SHORT))
