"""Have this machine grade for a cluster, as a worker of Dask that has one address.

Whoever reaches a worker can run code on it, and Dask's own commands listen on every
address for pages of theirs, whatever they are told.
"""

import argparse
import ipaddress
import os
import socket
import sys
from urllib.parse import urlsplit

from grader.cli import guarded
from grader.contract.outcomes import UsageError

LOOPBACK = "127.0.0.1"


def command(cluster: str, listen: str = "", jobs: str = "") -> list[str]:
    """The command that starts the worker.

    Args:
        cluster: address of the scheduler, as `tcp://host:8786`.
        listen: address of this machine, or "" for one that only itself reaches.
        jobs: so many hand-ins at once, or "" for one for each core.

    Raises:
        UsageError: one makes no sense.
    """
    try:
        scheduler = urlsplit(cluster)
        there = scheduler.port and scheduler.hostname and address_of(scheduler.hostname)
    except (OSError, ValueError):
        there = None
    if not there or scheduler.scheme not in ("tcp", "tls"):
        raise UsageError(f"CLUSTER={cluster!r}: use tcp://host:port of the scheduler")
    listen = listen or LOOPBACK
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
    if jobs and not (jobs.isdecimal() and 0 < int(jobs) <= 999):
        raise UsageError(f"JOBS={jobs!r}: use a number, one for each core or fewer")
    words = [sys.executable, "-m", "dask", "worker", "--no-nanny", "--no-dashboard"]
    words += ["--host", here, "--dashboard-address", f"{here}:0"]
    return [*words, *(["--nthreads", jobs] if jobs else []), "--", cluster]


def address_of(host: str) -> str:
    """The IPv4 address of a host.

    Raises:
        OSError, ValueError: there is none.
    """
    return socket.gethostbyname(host)


def is_local(address: str) -> bool:
    """Whether an address is reached from this machine alone."""
    return ipaddress.ip_address(address).is_loopback


def main() -> int:
    """Become the worker; 2 where that makes no sense."""
    parser = argparse.ArgumentParser(prog="python -m grader.classroom.node")
    parser.add_argument("cluster", help="tcp://… of Dask's scheduler")
    parser.add_argument("--listen", default="", help="an address of this machine")
    parser.add_argument("--jobs", default="", help="so many at once")
    words = command(**vars(parser.parse_args()))
    os.execv(words[0], words)


if __name__ == "__main__":
    sys.exit(guarded(main))
