"""Run the grader: `python -m grader`."""

import sys

try:
    from grader.cli import main
except KeyboardInterrupt:  # stopped during the imports
    sys.exit("stopped")

sys.exit(main())
