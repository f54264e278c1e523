"""`make reference`, but with the checks of three exercises, because eight take minutes.

`tests/system/test_own_exercise.py` records all exercises.
"""

import sys

from tests.tools import reference

if __name__ == "__main__":
    reference.UNITS = ("update_Q_TD0", "q_network", "sync_target")
    sys.exit(reference.main())
