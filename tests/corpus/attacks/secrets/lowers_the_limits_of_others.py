"""Takes time, files and memory from the process that started it, by its limits.

Rows: 35, 44, 47
Grade: sync_target
Asserts: S R
Says: tried
May break on process: R: a plain process can end what its user can
"""

import os
import resource


def sync_target(*_):
    for limit in (resource.RLIMIT_CPU, resource.RLIMIT_NOFILE, resource.RLIMIT_AS):
        try:
            resource.prlimit(os.getppid(), limit, (0, 0))
        except OSError:
            pass
    raise RuntimeError("tried")
