"""Start the first helper processes and those that take the place of dead ones."""

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
    """Start a helper process.

    Raises:
        helper.Failure: the system does not let us.
    """
    try:
        started = launch.prepare(role, tier, device=device)
        seconds = limits.start_seconds
        return helper.Child(started, prints=prints, start_seconds=seconds)
    except (OSError, RuntimeError) as error:  # no more processes, room, or threads
        raise helper.Died(f"cannot be started: {error}") from None


def start_first(role: str, start: Callable[[], helper.Child]) -> helper.Child:
    """Start a role's first process, before anything of the hand-in has run.

    Raises:
        GraderError: the system does not let us.
    """
    try:
        return start()
    except helper.Failure as failure:
        raise GraderError(f"the {role} {failure}") from None


def ready_first(role: str, child: helper.Child) -> None:
    """Wait for a role's first process, before anything of the hand-in has run.

    Raises:
        GraderError: it does not come up.
    """
    try:
        child.ready()
    except helper.Failure as failure:
        raise GraderError(no_start(role, child, failure)) from None


def no_start(role: str, child: helper.Child, failure: helper.Failure) -> str:
    """Return one clear line on a helper that does not come up."""
    why = str(failure) or f"no sign of life in {child.start_seconds:.0f} s"
    return (
        f"the {role} does not start: {why}; is the environment complete? "
        "Try `make clean grade`, or another SANDBOX"
    )
