"""Grade on a cluster of machines, the nodes, with Dask.

Each node has a copy of this repository. A node gets hand-ins only if two conditions
hold. Its code equals the code of the machine that starts the gradings. Its sandbox
isolates hand-ins, unless SANDBOX=process is set. The plugin `Node` tests both when a
node joins the cluster.

If both hold, the plugin tells Dask how many hand-ins the node may grade at once. If
not, this number is 0, so Dask sends no hand-in to the node. In Dask, the number is a
resource of the node, and every grading takes one unit while it runs. If a node dies,
Dask sends its hand-ins to another node.
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
    """A plugin that Dask runs on each node, to test the node before it gets hand-ins.

    Args:
        code: the result of `pool.code_hash` on the machine that starts the gradings.
        wanted: the name of a tier, or "" for the strongest tier that works on the node.
        jobs: how many hand-ins the node grades at once; None for the number of the
            node's threads.

    Attributes:
        tier: the name of the tier that the node uses; "" until the node has passed.
        problem: why the node gets no hand-ins; "" if it gets hand-ins.
    """

    def __init__(self, code: str, wanted: str, jobs: int | None) -> None:
        self.code, self.wanted, self.jobs = code, wanted, jobs
        self.tier = self.problem = ""

    async def setup(self, worker: Worker) -> None:
        """Test the node, and set how many hand-ins Dask sends to it at once.

        The number is 0 if the node has a problem. Otherwise it is `jobs`, or the number
        of the node's threads if `jobs` is None.

        Args:
            worker: Dask's worker on the node.
        """
        await asyncio.to_thread(self.check)
        jobs = self.jobs or worker.state.nthreads
        await worker.set_resources(**{RESOURCE: 0 if self.problem else jobs})

    def check(self) -> None:
        """Test the node's code and sandbox; set `tier` if both pass, else `problem`."""
        if pool.code_hash() != self.code:
            self.problem = "its copy of the grader, or its Python, is another one"
            return
        try:
            self.tier = self_test.choose_official_tier(self.wanted)
        except (GraderError, OSError) as error:
            self.problem = str(error)


def problem_there(dask_worker: Worker) -> str:
    """Return why this node gets no hand-ins; "" if it gets hand-ins.

    Dask runs this function on the node.

    Args:
        dask_worker: Dask's worker on the node; Dask passes it by this name.
    """
    node = dask_worker.plugins[PLUGIN]
    assert isinstance(node, Node)
    return node.problem


def grade_there(question: bytes) -> tuple[str, str]:
    """Grade one hand-in on the node on which Dask runs this function.

    Args:
        question: the hand-in and the options, packed by `one.pack`.

    Returns:
        The two fields of `Graded`: the text of report.json, and why there is no report.
        One of them is "".
    """
    submission, options = one.unpack(io.BytesIO(question))
    node = get_worker().plugins[PLUGIN]
    assert isinstance(node, Node)
    graded = pool.Running().grade(submission, replace(options, tier=node.tier))
    return graded.text, graded.why_not


class Cluster:
    """A connection to Dask's scheduler, which a with block closes at its end.

    When a `Cluster` is made, it connects and makes Dask run the plugin `Node` on all
    nodes.

    Args:
        address: the address of Dask's scheduler, as `tcp://host:8786`.
        code: the result of `pool.code_hash` on this machine.
        wanted: the name of a tier, or "" for the strongest tier that works on each
            node.
        jobs: how many hand-ins each node grades at once; None for the number of the
            node's threads.

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
        """Return why nodes get no hand-ins, by the address of each node.

        The value is "" for a node that gets hand-ins.
        """
        told: dict[str, str] = self.client.run(problem_there)
        return told

    def grade(self, tasks: Mapping[str, Submission], options: Options) -> Gradings:
        """Grade hand-ins on the nodes.

        Args:
            tasks: the hand-ins by the names of their reports (see `pool.name_of`).
            options: how to grade the hand-ins; each node replaces the tier by its own.

        Yields:
            The name of each report and the result of the grading, in the order of
            completion.

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
