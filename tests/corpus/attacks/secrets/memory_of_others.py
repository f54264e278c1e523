"""Reads the memory of the process that started it, where the seed is.

Rows: 35
Grade: sync_target
Asserts: S R L
Says: found nothing
May break on process: L: processes of the same user can be read
"""

import os
import re


def sync_target(*_):
    found = set()
    for pid in {1, os.getppid()}:
        try:
            maps = open(f"/proc/{pid}/maps").read().splitlines()
            file = open(f"/proc/{pid}/mem", "rb", buffering=0)
        except OSError:
            continue
        for line in maps:
            start, end = (int(x, 16) for x in line.split()[0].split("-"))
            if " rw" in line and end - start < 1 << 26 and "[v" not in line:
                try:
                    file.seek(start)
                    data = file.read(end - start)
                except (OSError, ValueError):
                    continue
                found |= set(re.findall(rb"canary[A-Z0-9]{8}", data))
    tell(found)
