"""Sets PYTHONPATH, PYTHONSTARTUP and the like for whatever is started next.

Rows: 10, 11
Grade: sync_target
Asserts: S R O
Says: exited with code 4
"""

import os

for name in ("PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "PYTEST_ADDOPTS"):
    os.environ[name] = "/tmp"
os.environ["LD_PRELOAD"] = "/tmp/evil.so"
os.environ["XLA_FLAGS"] = "--xla_dump_to=/tmp"


def sync_target(*_):
    os._exit(4)
