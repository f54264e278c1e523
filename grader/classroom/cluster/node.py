"""Let this machine grade for a cluster: run a Dask worker on it, with safe options.

Everyone who can connect to a Dask worker can run code on its machine. By default, a
worker also serves web pages on every address of the machine. The worker that this
module starts listens at one address only.
"""

import argparse
import asyncio
import io
import logging
import os
import sys
from urllib.parse import urlsplit

from distributed import Worker
from distributed.comm import connect

from grader.classroom import one, pool
from grader.classroom.arguments import jobs
from grader.classroom.cluster import addresses
from grader.cli import guarded
from grader.contract.outcomes import GraderError, UsageError
from grader.escape import plain
from grader.grading.pipeline import check_device
from grader.sandbox import self_test

LOOPBACK = "127.0.0.1"
RETRY_SECONDS = 5.0


class Quiet(Worker):
    """A worker without web pages."""

    def start_http_server(self, *_: object, **__: object) -> None:
        """Start nothing, where Dask would start a web server."""


async def try_there(code: str, wanted: str, device: str) -> tuple[str, str]:
    """Test whether the node that runs this function can grade.

    The node needs the same code as the machine that starts the gradings, the device,
    and a sandbox that works.

    Args:
        code: the result of `pool.code_hash` on the machine that starts the gradings.
        wanted: the name of a tier, or "" for the strongest tier that works on the node.
        device: "cpu" or "gpu".

    Returns:
        The name of the tier that the node uses, and why the node cannot grade. One of
        them is "".
    """

    def tried() -> tuple[str, str]:
        try:
            if pool.code_hash() != code:
                return "", "its copy of the grader, or its Python, is another one"
            check_device(device)
            return self_test.choose_official_tier(wanted), ""
        except (GraderError, UsageError, OSError) as error:
            return "", str(error)

    return await asyncio.to_thread(tried)


async def grade_there(question: bytes, dask_worker: Worker) -> tuple[str, str]:
    """Grade one hand-in on the node that runs this function.

    Args:
        question: the hand-in and the options, packed by `one.pack`.
        dask_worker: the worker on the node; Dask passes it by this name. At most as
            many hand-ins as it has threads are graded at once.

    Returns:
        The two fields of `Graded`: the text of report.json, and why there is no report.
        One of them is "".
    """

    def graded() -> tuple[str, str]:
        try:
            result = pool.Running().grade(*one.unpack(io.BytesIO(question)))
        except Exception as error:  # so that it is not taken for the node's death
            return "", plain(f"the node: {error!r}", 300)
        return result.text, result.why_not

    threads = dask_worker.executors["default"]
    return await asyncio.get_running_loop().run_in_executor(threads, graded)


def parse(words: list[str]) -> argparse.Namespace:
    """Parse the command line's words, without the program's name.

    An unknown option ends the program with exit code 2.

    Returns:
        The parsed values, as the attributes `cluster`, `listen` and `jobs`.

    Raises:
        UsageError: the value of an argument is wrong.
    """
    parser = argparse.ArgumentParser(prog="python -m grader.classroom.cluster.node")
    parser.add_argument("cluster", help="tcp://… of Dask's scheduler")
    parser.add_argument(
        "--listen",
        type=lambda text: text or LOOPBACK,
        default=LOOPBACK,
        help="an address of this machine, and a port if you like",
    )
    parser.add_argument("--jobs", type=jobs, help="so many at once")
    return parser.parse_args(words)


def where(cluster: str, listen: str) -> tuple[str, int]:
    """Return the IPv4 address and the port at which the node listens; 0 for any port.

    Args:
        cluster: the address of Dask's scheduler, as `tcp://host:8786`.
        listen: the address of this machine, as `10.0.0.2` or `10.0.0.2:9000`.

    Raises:
        UsageError: an address is wrong, or the scheduler cannot reach `listen`.
    """
    there = addresses.scheduler_at(cluster)
    try:
        parts = urlsplit(f"//{listen}")
        here, port = addresses.of_this_machine(parts.hostname or ""), parts.port or 0
    except ValueError:
        here = None
    if here is None or parts.netloc != listen:
        raise UsageError(
            f"LISTEN={listen!r} is no IPv4 address of this machine, as 10.0.0.2 or "
            "10.0.0.2:9000"
        )
    try:
        far = not addresses.is_local(there.hostname or "")
    except (OSError, ValueError):
        raise UsageError(f"CLUSTER={cluster!r}: no such host") from None
    if far and addresses.is_local(here):
        raise UsageError(
            f"LISTEN={listen!r}: the scheduler at {cluster} cannot reach this; use the "
            "address of this machine in the network of the cluster"
        )
    return here, port


async def serve(cluster: str, listen: str, jobs: int | None) -> None:
    """Grade for the cluster until the scheduler is gone or this process is stopped.

    Args:
        cluster: the address of Dask's scheduler, as `tcp://host:8786`.
        listen: the address of this machine at which to listen, with or without a port.
        jobs: how many hand-ins to grade at once; None for one on each core.

    Raises:
        UsageError: an address is wrong, or the certificates are missing.
    """
    here, port = where(cluster, listen)
    security = addresses.security(cluster, "worker")
    told = ""
    while True:  # a worker would try for ever, and never say why
        try:
            tried = await connect(cluster, **security.get_connection_args("worker"))
            await tried.close()
            break
        except OSError as error:
            words = addresses.reason(error)
        if words != told:
            print(f"waiting for {cluster} ({words})", file=sys.stderr, flush=True)
        told = words
        await asyncio.sleep(RETRY_SECONDS)
    worker = Quiet(
        cluster, host=here, port=port, nthreads=jobs, security=security, dashboard=False
    )
    try:
        await worker
    except (OSError, RuntimeError) as error:
        why = addresses.reason(error)
        raise UsageError(f"LISTEN={listen!r}: {why}") from None
    words = f"grades for {cluster}, {worker.state.nthreads} at once"
    print(f"the node {worker.address} {words}", flush=True)
    await worker.finished()
    print("the scheduler is gone", file=sys.stderr)


def main() -> int:
    """Grade for the cluster that the command line names; return the exit code.

    Raises:
        UsageError: an argument is wrong.
    """
    logging.getLogger("distributed").setLevel(logging.WARNING)
    asyncio.run(serve(**vars(parse(sys.argv[1:]))))
    return 2


if __name__ == "__main__":
    code = guarded(main)
    sys.stdout.flush()
    os._exit(code)  # at once; gradings that still run end when this process ends
