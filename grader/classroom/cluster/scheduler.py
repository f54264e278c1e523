"""Run Dask's scheduler, which listens at one address and serves no web pages.

Everyone who can connect to the scheduler can run code on the nodes. Dask's own command
also opens web pages, by default on every address of the machine.
"""

import asyncio
import logging
import resource
import sys

from distributed import Scheduler

from grader.classroom.cluster import addresses
from grader.cli import guarded
from grader.contract.outcomes import UsageError

# A node that has been silent for so long is given up. Dask looks as rarely as that.
SILENT_SECONDS = 60.0


class Quiet(Scheduler):
    """A scheduler without web pages."""

    def start_http_server(self, *_: object, **__: object) -> None:
        """Start nothing, where Dask would start a web server."""


async def serve(cluster: str) -> None:
    """Run the scheduler until this process is stopped.

    Args:
        cluster: the address on which to listen, as `tcp://host:8786` or
            `tls://host:8786`.

    Raises:
        UsageError: the scheduler cannot listen at this address, or its certificates
            cannot be used. Or the address begins with `tls://`, and certificates are
            missing. Or it does not begin so, and Dask's configuration requires
            encryption.
    """
    at = addresses.scheduler_at(cluster)
    here = addresses.of_this_machine(at.hostname or "")
    if here is None:
        raise UsageError(
            f"CLUSTER={cluster!r}: {at.hostname} is no IPv4 address of this machine"
        )
    scheduler = Quiet(
        host=here,
        port=at.port or 0,
        protocol=at.scheme,
        security=addresses.security(cluster, "scheduler"),
        dashboard=False,
        worker_ttl=SILENT_SECONDS,
    )
    try:
        await scheduler
    except (OSError, RuntimeError) as error:
        why = addresses.reason(error)
        raise UsageError(f"CLUSTER={cluster!r}: {why}") from None
    print(f"the scheduler listens at {scheduler.address}", flush=True)
    await scheduler.finished()


def main() -> int:
    """Run the scheduler at the address that is the command's only argument.

    Returns:
        The exit code 0.

    Raises:
        UsageError: the scheduler cannot listen at this address, or lacks the
            certificates or the encryption that it needs.
    """
    (cluster,) = sys.argv[1:]
    logging.getLogger("distributed").setLevel(logging.WARNING)
    # Each grading has a connection on both sides of the scheduler.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(serve(cluster))
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
