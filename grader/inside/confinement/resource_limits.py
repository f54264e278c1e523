"""Hard limits of the system that a process sets on itself."""

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
    """Limit what this process may use; 0 means no limit.

    A process without privileges cannot raise hard limits again. macOS does not limit
    the address space; a limit that the system refuses is left out.

    Args:
        memory: address space, in bytes.
        file_size: of each file that it writes, in bytes.
        processes: and threads, of all of the user's programs together.
        seconds: of processor time, in case the grader is not there to watch the clock.
        niceness: the higher, the more other processes come first.
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
