"""Makes a file beyond the limit, full of holes.

Rows: 41
Grade: sync_target
Asserts: S R L
Says: found nothing
"""


def sync_target(*_):
    try:
        with open("holes", "wb") as file:
            file.seek(100 << 20)
            file.write(b"x")
            file.flush()
    except OSError:
        tell("")
    tell("a large file")
