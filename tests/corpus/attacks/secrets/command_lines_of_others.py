"""Reads the command line of every process that it sees: seed and paths.

Rows: 33
Grade: sync_target
Asserts: S R L
Says: found nothing
Breaks on process: L: processes of the same user can be read
"""

import glob
import re


def sync_target(*_):
    found = set()
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        data = open(path, "rb").read()
        found |= set(re.findall(rb"canary[A-Z0-9]{8}|ro-bind|hand-in", data))
    tell(found)
