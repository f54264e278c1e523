"""Set resource limits on the current process."""

import contextlib
import os
import sys

try:
    import resource
except ImportError:  # Windows has no such limits; only deadlines hold there
    resource = None  # type: ignore[assignment]


def apply(
    memory: int, file_size: int, processes: int, seconds: int, niceness: int
) -> None:
    """Limit the resources that this process may use.

    A process without privileges cannot raise these limits again. A limit that the
    system refuses or does not have is left out; macOS, for example, does not limit the
    address space.

    Args:
        memory: largest size of the address space in bytes; 0 for no limit.
        file_size: largest size of each written file in bytes.
        processes: largest number of processes and threads of the user; 0 for no limit.
            It is used on Linux only.
        seconds: longest processor time in seconds. After this time, the system ends the
            process. This is needed if the grader has died and keeps no deadlines.
        niceness: number added to the niceness of the process. A process with a higher
            niceness gets less processor time.
    """
    if niceness:
        with contextlib.suppress(AttributeError, OSError):  # Windows has no niceness
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
