"""Hard limits that a helper process sets on itself before it reads anything."""

try:
    import resource
except ImportError:  # Windows has none; the grader's deadlines still hold there.
    resource = None  # type: ignore[assignment]


def apply(memory: int, file_size: int) -> None:
    """Bound address space, file size (both in bytes), open files and core dumps.

    Hard limits: a process without privileges cannot raise them again. macOS does not
    bind the address space; a limit that the system refuses is left out.
    """
    if resource is None:
        return
    wanted = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_FSIZE, file_size),
    ]
    if memory:
        wanted.append((resource.RLIMIT_AS, memory))
    for limit, value in wanted:
        try:
            resource.setrlimit(limit, (value, value))
        except (OSError, ValueError):
            continue
