"""Let this machine grade for a cluster: start a Dask worker on it, with safe options.

Everyone who can connect to a Dask worker can run code on its machine. By default, a
worker also serves web pages on every address of the machine. The worker that this
module starts listens on one address only.
"""

import argparse
import ipaddress
import os
import socket
import sys
from urllib.parse import urlsplit

from grader.classroom.arguments import jobs
from grader.cli import guarded
from grader.contract.outcomes import UsageError

LOOPBACK = "127.0.0.1"


def parse(words: list[str]) -> argparse.Namespace:
    """Parse the command line's words, without the program's name.

    An unknown option ends the program with exit code 2.

    Returns:
        The parsed values, as the attributes `cluster`, `listen` and `jobs`.

    Raises:
        UsageError: the value of an argument is wrong.
    """
    parser = argparse.ArgumentParser(prog="python -m grader.classroom.node")
    parser.add_argument("cluster", help="tcp://… of Dask's scheduler")
    parser.add_argument(
        "--listen",
        type=lambda text: text or LOOPBACK,
        default=LOOPBACK,
        help="an address of this machine",
    )
    parser.add_argument("--jobs", type=jobs, help="so many at once")
    return parser.parse_args(words)


def command(cluster: str, listen: str, jobs: int | None) -> list[str]:
    """Return the command that starts a Dask worker, as a list of words.

    Args:
        cluster: the address of Dask's scheduler, as `tcp://host:8786`.
        listen: the address of this machine on which the worker listens.
        jobs: how many hand-ins to grade at once; None for one on each core.

    Raises:
        UsageError: an address is wrong, or the scheduler cannot reach `listen`.
    """
    try:
        scheduler = urlsplit(cluster)
        there = scheduler.port and scheduler.hostname and address_of(scheduler.hostname)
    except (OSError, ValueError):
        there = None
    if not there or scheduler.scheme not in ("tcp", "tls"):
        raise UsageError(f"CLUSTER={cluster!r}: use tcp://host:port of the scheduler")
    try:
        here = address_of(listen)
        with socket.socket() as tried:
            tried.bind((here, 0))
    except (OSError, ValueError):
        raise UsageError(
            f"LISTEN={listen!r} is no IPv4 address of this machine"
        ) from None
    if is_local(here) and not is_local(there):
        raise UsageError(
            f"LISTEN={listen!r}: the scheduler at {cluster} cannot reach this; use the "
            "address of this machine in the network of the cluster"
        )
    words = [sys.executable, "-m", "dask", "worker", "--no-nanny", "--no-dashboard"]
    words += ["--host", here, "--dashboard-address", f"{here}:0"]
    return [*words, *(["--nthreads", str(jobs)] if jobs else []), "--", cluster]


def address_of(host: str) -> str:
    """Return the IPv4 address of a host.

    Raises:
        OSError, ValueError: the host has no IPv4 address.
    """
    return socket.gethostbyname(host)


def is_local(address: str) -> bool:
    """Return whether only this machine itself can connect to an IPv4 address."""
    return ipaddress.ip_address(address).is_loopback


def main() -> int:
    """Replace this process by a Dask worker with the options of the command line.

    This function never returns.

    Raises:
        UsageError: an argument is wrong.
    """
    words = command(**vars(parse(sys.argv[1:])))
    os.execv(words[0], words)


if __name__ == "__main__":
    sys.exit(guarded(main))
