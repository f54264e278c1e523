"""`python -m grader`."""

import sys

try:
    from grader.cli import main
except KeyboardInterrupt:  # stopped while all is still being imported
    sys.exit("stopped")

sys.exit(main())
