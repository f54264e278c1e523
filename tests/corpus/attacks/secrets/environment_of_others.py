"""Reads the environment of every process that it sees, tokens among it.

Rows: 32, 67
Grade: sync_target
Asserts: S R L
Says: found nothing
May break on process: L: processes of the same user can be read
"""

import glob
import re


def sync_target(*_):
    found = set()
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            data = open(path, "rb").read()
        except OSError:
            continue
        found |= set(re.findall(rb"canary[A-Z0-9]{8}|GITHUB_\w+", data))
    tell(found)
