"""Grade a whole class: `python -m grader.classroom`."""

import sys

try:
    from grader.classroom.command import main
except KeyboardInterrupt:  # stopped during the imports
    sys.exit("stopped")
except ModuleNotFoundError as missing:
    words = f"error: {missing.name} is not installed: use `make grade-class`"
    print(words, file=sys.stderr)
    sys.exit(2)

sys.exit(main())
