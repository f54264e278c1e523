"""Start helper processes; raise a `GraderError` if a first start fails.

The first process of each kind is started before the hand-in runs. So the hand-in cannot
be the cause if this start fails.
"""

from collections.abc import Callable

from grader.contract.limits import Limits
from grader.contract.outcomes import GraderError
from grader.sandbox import helper, launch


def start_child(
    role: str,
    tier: str,
    limits: Limits,
    *,
    prints: bool = False,
    device: str = "cpu",
) -> helper.Child:
    """Start a helper process and return it without waiting until it is ready.

    Args:
        role: the kind of helper, for example "worker" or "runner".
        tier: the tier of the sandbox.
        limits: the limits of this grading; `start_seconds` is the time for the start.
        prints: True to keep what the process prints.
        device: "cpu" or "gpu".

    Raises:
        helper.Failure: the system cannot start the process.
    """
    try:
        started = launch.prepare(role, tier, device=device)
        seconds = limits.start_seconds
        return helper.Child(started, prints=prints, start_seconds=seconds)
    except (OSError, RuntimeError) as error:  # no process, disk space or thread is left
        raise helper.Died(f"cannot be started: {error}") from None


def start_first(role: str, start: Callable[[], helper.Child]) -> helper.Child:
    """Start the first helper of a kind, before the hand-in runs, and return it.

    Args:
        role: the kind of helper, for the message.
        start: the function that starts the process.

    Raises:
        GraderError: the system cannot start the process. This is not the hand-in's
            fault, because the hand-in has not run yet.
    """
    try:
        return start()
    except helper.Failure as failure:
        raise GraderError(f"the {role} {failure}") from None


def ready_first(role: str, child: helper.Child) -> None:
    """Wait until the first helper of a kind is ready, before the hand-in runs.

    Args:
        role: the kind of helper, for the message.
        child: the process.

    Raises:
        GraderError: the process ended or was too slow. This is not the hand-in's fault,
            because the hand-in has not run yet.
    """
    try:
        child.ready()
    except helper.Failure as failure:
        raise GraderError(no_start(role, child, failure)) from None


def no_start(role: str, child: helper.Child, failure: helper.Failure) -> str:
    """Return one line that says why a helper did not become ready.

    Args:
        role: the kind of helper.
        child: the process.
        failure: the exception. Its message is "" if the process was too slow.
    """
    why = str(failure) or f"no sign of life in {child.start_seconds:.0f} s"
    return (
        f"the {role} does not start: {why}; is the environment complete? "
        "Try `make clean grade`, or another SANDBOX"
    )
