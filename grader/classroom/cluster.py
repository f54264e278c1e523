"""Grade on many machines, by Dask: each is a node with a copy of this repository.

A node takes hand-ins only when it has the same code as the machine that asks, and a
sandbox that isolates. It then offers a resource of Dask's that every grading needs: a
node that joins later is checked as well, and one that fails gets no work. A node that
dies costs nothing but time, for Dask gives its hand-ins to another.
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
    """Checks a node before it takes work; runs there.

    Args:
        code: `pool.code_hash` of the machine that asks.
        wanted: a tier of the sandbox, or "" for the strongest that works there.
        jobs: how many hand-ins at once; None for one on each of the node's threads.

    Attributes:
        tier: of the sandbox in which the node grades.
        problem: why it takes no work, or "".
    """

    def __init__(self, code: str, wanted: str, jobs: int | None) -> None:
        self.code, self.wanted, self.jobs = code, wanted, jobs
        self.tier = self.problem = ""

    async def setup(self, worker: Worker) -> None:
        """Try the sandbox; offer the resource where it holds."""
        await asyncio.to_thread(self.check)
        jobs = self.jobs or worker.state.nthreads
        await worker.set_resources(**{RESOURCE: 0 if self.problem else jobs})

    def check(self) -> None:
        """Set the tier, or the problem."""
        if pool.code_hash() != self.code:
            self.problem = "its copy of the grader, or its Python, is another one"
            return
        try:
            self.tier = self_test.choose_official_tier(self.wanted)
        except (GraderError, OSError) as error:
            self.problem = str(error)


def problem_there(dask_worker: Worker) -> str:
    """Return why a node takes no work, or ""; runs on the node."""
    node = dask_worker.plugins[PLUGIN]
    assert isinstance(node, Node)
    return node.problem


def grade_there(question: bytes) -> tuple[str, str]:
    """Return the fields of a `Graded`; runs on a node."""
    submission, options = one.unpack(io.BytesIO(question))
    node = get_worker().plugins[PLUGIN]
    assert isinstance(node, Node)
    graded = pool.Running().grade(submission, replace(options, tier=node.tier))
    return graded.text, graded.why_not


class Cluster:
    """A connection to the scheduler, with all nodes checked.

    Args:
        address: of Dask's scheduler, as `tcp://host:8786`.
        code: from `pool.code_hash`.
        wanted: a tier of the sandbox, or "".
        jobs: how many hand-ins at once on each node; None for one on each thread.

    Raises:
        UsageError: there is no scheduler.
    """

    def __init__(self, address: str, code: str, wanted: str, jobs: int | None) -> None:
        for name in ("distributed", "distributed.client"):  # they print tracebacks
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            self.client = Client(address, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            words = plain(str(error), 200)
            raise UsageError(f"CLUSTER={address!r}: no scheduler ({words})") from None
        self.client.register_plugin(Node(code, wanted, jobs), name=PLUGIN)

    def problems(self) -> dict[str, str]:
        """Return by the address of each node why it takes no work, or ""."""
        told: dict[str, str] = self.client.run(problem_there)
        return told

    def grade(self, tasks: Mapping[str, Submission], options: Options) -> Gradings:
        """Grade on the nodes, as `pool.grade_here` does on this machine.

        Raises:
            GraderError: the scheduler is gone.
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
