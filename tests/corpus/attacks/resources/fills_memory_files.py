"""Fills /dev/shm and /tmp, which are memory, beyond what there is for it.

Rows: 40, 41
Grade: sync_target
Asserts: S R L O
Says: found nothing
Not run on process: would fill the machine's own /dev/shm and /tmp
"""


def sync_target(*_):
    full = []
    for folder in ("/dev/shm", "/tmp", "/dev", "/"):
        size = 0
        try:
            for number in range(2):
                with open(f"{folder}/big{number}", "wb") as file:
                    for _ in range(48):
                        size += file.write(bytes(1 << 20))
        except OSError:
            pass
        if size > 64 << 20:
            full.append(folder)
    tell(full)
