"""Grade on a cluster of machines, the nodes, with Dask.

Each node has a copy of this repository. A node gets hand-ins only if its code equals
that of the machine that starts the gradings, and its sandbox isolates. `Node` checks
this when a node joins, and then gives the node a resource of Dask's. Every grading
needs this resource, so Dask sends gradings only to checked nodes. If a node dies, Dask
sends its hand-ins to another node.
"""

import asyncio
import io
import logging
from collections.abc import Mapping
from dataclasses import replace

from distributed import (
    Client,
    Future,
    KilledWorker,
    Worker,
    WorkerPlugin,
    as_completed,
    get_worker,
)

from grader.classroom import one, pool
from grader.classroom.pool import Graded, Gradings
from grader.contract.outcomes import GraderError, UsageError
from grader.escape import plain
from grader.grading.pipeline import Options
from grader.intake.submission import Submission
from grader.sandbox import self_test

PLUGIN = RESOURCE = "dqn-grader"
CONNECT_SECONDS = 30


class Node(WorkerPlugin):
    """A plugin that Dask runs on each node, to check the node before it gets work.

    Args:
        code: the result of `pool.code_hash` on the machine that starts the gradings.
        wanted: a tier of the sandbox, or "" for the strongest that works on the node.
        jobs: how many hand-ins to grade at once; None for the number of the node's
            threads.

    Attributes:
        tier: the tier of the sandbox that the node uses.
        problem: why the node gets no work, or "".
    """

    def __init__(self, code: str, wanted: str, jobs: int | None) -> None:
        self.code, self.wanted, self.jobs = code, wanted, jobs
        self.tier = self.problem = ""

    async def setup(self, worker: Worker) -> None:
        """Check the node, and set how much of the resource the node has.

        The amount is `jobs`, or 0 if the node has a problem.
        """
        await asyncio.to_thread(self.check)
        jobs = self.jobs or worker.state.nthreads
        await worker.set_resources(**{RESOURCE: 0 if self.problem else jobs})

    def check(self) -> None:
        """Check the code and the sandbox; set `tier`, or `problem` if a check fails."""
        if pool.code_hash() != self.code:
            self.problem = "its copy of the grader, or its Python, is another one"
            return
        try:
            self.tier = self_test.choose_official_tier(self.wanted)
        except (GraderError, OSError) as error:
            self.problem = str(error)


def problem_there(dask_worker: Worker) -> str:
    """Return why this node gets no work, or ""; Dask runs this function on a node.

    Args:
        dask_worker: Dask's worker on the node; Dask passes it by this name.
    """
    node = dask_worker.plugins[PLUGIN]
    assert isinstance(node, Node)
    return node.problem


def grade_there(question: bytes) -> tuple[str, str]:
    """Grade one hand-in on a node, where Dask runs it; return the fields of `Graded`.

    Args:
        question: the hand-in and the options, from `one.pack`.
    """
    submission, options = one.unpack(io.BytesIO(question))
    node = get_worker().plugins[PLUGIN]
    assert isinstance(node, Node)
    graded = pool.Running().grade(submission, replace(options, tier=node.tier))
    return graded.text, graded.why_not


class Cluster:
    """A connection to Dask's scheduler.

    Opening the connection makes Dask run `Node` on all nodes, which checks them.

    Args:
        address: the address of Dask's scheduler, as `tcp://host:8786`.
        code: the result of `pool.code_hash`.
        wanted: a tier of the sandbox, or "" for the strongest that works on each node.
        jobs: how many hand-ins to grade at once on each node; None for the number of
            the node's threads.

    Raises:
        UsageError: no scheduler answers at this address.
    """

    def __init__(self, address: str, code: str, wanted: str, jobs: int | None) -> None:
        for name in ("distributed", "distributed.client"):  # else they print tracebacks
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            self.client = Client(address, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            words = plain(str(error), 200)
            raise UsageError(f"CLUSTER={address!r}: no scheduler ({words})") from None
        self.client.register_plugin(Node(code, wanted, jobs), name=PLUGIN)

    def problems(self) -> dict[str, str]:
        """Return for each node, by its address, why it gets no work, or ""."""
        told: dict[str, str] = self.client.run(problem_there)
        return told

    def grade(self, tasks: Mapping[str, Submission], options: Options) -> Gradings:
        """Grade hand-ins on the nodes.

        Args:
            tasks: the hand-ins by name.
            options: how to grade them.

        Yields:
            A name and its result, in the order of completion.

        Raises:
            GraderError: the connection to the scheduler is lost.
        """
        names: dict[Future, str] = {
            self.client.submit(
                grade_there,
                one.pack(submission, options),
                key=f"{PLUGIN}-{name}",
                resources={RESOURCE: 1},
                pure=False,
            ): name
            for name, submission in tasks.items()
        }
        for future in as_completed(names):
            if future.status in ("cancelled", "lost"):
                raise GraderError(
                    "the scheduler is gone; what is graded is kept, call again to go on"
                )
            try:
                graded = Graded(*future.result())
            except KilledWorker:
                graded = Graded("", "every node that graded it died")
            except Exception as error:  # whatever Python raised on the node
                graded = Graded("", plain(f"the node: {error!r}", 300))
            yield names[future], graded
            future.release()

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
