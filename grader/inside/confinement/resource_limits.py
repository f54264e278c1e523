"""Hard limits that a helper process sets on itself before it reads anything."""

import contextlib
import os
import sys

try:
    import resource
except ImportError:  # Windows has none; the grader's deadlines still hold there.
    resource = None  # type: ignore[assignment]


def apply(
    memory: int, file_size: int, processes: int, seconds: int, niceness: int
) -> None:
    """Bound what this process may use; 0 for what has no bound.

    Hard limits: a process without privileges cannot raise them again. macOS does not
    bind the address space; a limit that the system refuses is left out.

    Args:
        memory: address space, in bytes.
        file_size: of each file that it writes, in bytes.
        processes: with their threads, of the whole user, whoever started them.
        seconds: of a processor, in case the grader is not there to watch the clock.
        niceness: by which others come first where processors are short.
    """
    if niceness:
        with contextlib.suppress(AttributeError, OSError):  # Windows has none
            os.nice(niceness)
    if resource is None:
        return
    wanted = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_FSIZE, file_size),
        (resource.RLIMIT_CPU, seconds),
    ]
    if memory:
        wanted.append((resource.RLIMIT_AS, memory))
    if processes and sys.platform == "linux":
        wanted.append((resource.RLIMIT_NPROC, processes))
    for limit, value in wanted:
        try:
            resource.setrlimit(limit, (value, value))
        except (OSError, ValueError):
            continue
