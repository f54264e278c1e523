"""Grade hand-ins on the nodes of a cluster, which may join and die at any time.

Dask carries questions and answers; its own queue is not used, for three reasons. A node
that gets a resource after it has joined is given none of the tasks that already wait
for this resource, and stays idle (dask/distributed, issue 1116 and
`Scheduler.add_resources`). If a node dies, each task that waits there counts as a
possible cause, started or not; after `allowed-failures` deaths all of them fail
(dask/distributed, issue 5234). And Dask does not run a task alone if it may have killed
a node.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Any

from distributed import Client

from grader.classroom import one
from grader.classroom.cluster import addresses
from grader.classroom.cluster.node import grade_there, try_there
from grader.classroom.cluster.turns import TRIES, Node, Turns
from grader.classroom.pool import Graded, Gradings
from grader.contract.outcomes import GraderError, UsageError
from grader.escape import plain
from grader.grading.pipeline import Options
from grader.intake.submission import Submission

CONNECT_SECONDS = 30
LOOK_SECONDS = 1.0  # how often to look which nodes there are
MOST = 500  # gradings at once; Dask holds 512 connections


class Cluster:
    """A connection to Dask's scheduler, which a with block closes at its end.

    Args:
        address: the address of Dask's scheduler, as `tcp://host:8786`.
        code: the result of `pool.code_hash` on this machine.
        options: how to grade the hand-ins. `tier` is the wanted tier, or "" for the
            strongest tier that works on each node.
        jobs: how many hand-ins each node grades at once; None for as many as the node
            has threads.
        tell: a function that shows a sentence to staff.

    Raises:
        UsageError: the address is wrong, no scheduler answers there, or certificates
            are missing.
    """

    def __init__(
        self,
        address: str,
        code: str,
        options: Options,
        jobs: int | None,
        tell: Callable[[str], None],
    ) -> None:
        addresses.scheduler_at(address)
        # Dask would print tracebacks.
        for name in ("distributed", "distributed.client"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        security = addresses.security(address, "client")
        try:
            self.client = Client(address, timeout=CONNECT_SECONDS, security=security)
        except (OSError, ValueError) as error:
            words = addresses.reason(error)
            raise UsageError(f"CLUSTER={address!r}: no scheduler ({words})") from None
        self.address, self.code, self.options = address, code, options
        self.jobs, self.tell = jobs, tell
        self.nodes: dict[str, Node] = {}
        # Each item is a node, the name of a report, or "" for a test, and the answer.
        self.news: SimpleQueue[tuple[Node, str, Future]] = SimpleQueue()

    def meet(self) -> None:
        """Test the nodes that are there, and wait until all are tested.

        Raises:
            GraderError: there are nodes, and none of them can grade; or the connection
                to the scheduler is lost.
        """
        self.look()
        while any(not node.tested for node in self.nodes.values()):
            node, _, answer = self.news.get()
            self.tested(node, answer)
        if self.nodes and not self.ready():
            raise GraderError("no node of the cluster can grade")

    def ready(self) -> int:
        """Return the number of known nodes that have passed their test."""
        return sum(node.slots > 0 for node in self.nodes.values())

    def grade(self, tasks: Mapping[str, Submission], *, alone: bool) -> Gradings:
        """Grade hand-ins on the nodes; wait for a node while there is none.

        Args:
            tasks: the hand-ins by the names of their reports (see `pool.name_of`).
            alone: whether each hand-in has to be alone on its node.

        Yields:
            The name of each report and the result of the grading, in the order of
            completion.

        Raises:
            GraderError: the connection to the scheduler is lost.
        """
        turns = Turns(tasks, alone=alone)
        waits = False
        while turns.left():
            self.look()
            for node in self.nodes.values():
                while turns.running < MOST and (name := turns.take(node)):
                    options = replace(self.options, tier=node.tier)
                    question = one.pack(tasks[name], options)
                    self.ask(node, name, grade_there, question)
            if not self.ready() and not waits:
                self.tell(
                    "no node can grade now: waiting for one "
                    f"(`make node CLUSTER={self.address} LISTEN=…`)"
                )
            waits = not self.ready()
            try:
                node, name, answer = self.news.get(timeout=LOOK_SECONDS)
            except Empty:
                continue
            if not name:
                self.tested(node, answer)
                continue
            told = answered(answer)
            if not isinstance(told, Exception):
                turns.done(node, name)
                yield name, Graded(*told)
                continue
            self.forget(node)
            if not turns.died(node, name):
                words = f"{TRIES} nodes died while they graded it, the last one alone"
                yield name, Graded("", words)

    def look(self) -> None:
        """Ask the scheduler which nodes there are, and start the test of new ones.

        Raises:
            GraderError: the connection to the scheduler is lost.
        """
        try:
            there: dict[str, int] = self.client.nthreads()
        except Exception:
            raise lost() from None
        for address in self.nodes.keys() - there.keys():
            self.forget(self.nodes[address])
        for address in there.keys() - self.nodes.keys():
            node = self.nodes[address] = Node(address, there[address])
            words = self.code, self.options.tier, self.options.device
            self.ask(node, "", try_there, *words)

    def forget(self, node: Node) -> None:
        """Remove a node that has died from the known nodes.

        Staff are told if the node had passed its test. If the node is there after all,
        the next `look` tests it as a new one.
        """
        if self.nodes.get(node.address) is not node:
            return
        del self.nodes[node.address]
        if node.slots:
            again = f"; hand-ins to be graded again, last: {len(node.busy)}"
            self.tell(f"the node {node.address} is gone{again if node.busy else ''}")

    def tested(self, node: Node, answer: Future) -> None:
        """Store the result of a node's test in the node.

        If the node has passed, it gets hand-ins from now on. If not, staff are told.

        Args:
            node: the node.
            answer: the answer of `try_there`, which makes the test.

        Raises:
            GraderError: the connection to the scheduler is lost.
        """
        told = answered(answer)
        if isinstance(told, Exception):
            words = "the scheduler cannot reach it, or it cannot run the test"
            told = "", plain(f"{words} ({told})", 300)
        node.tested = True
        node.tier, node.problem = told
        if node.problem:
            self.tell(f"{node.address} takes no work: {node.problem}")
        else:
            node.slots = min(self.jobs or node.threads, node.threads)

    def ask(
        self,
        node: Node,
        name: str,
        function: Callable[..., Coroutine[Any, Any, object]],
        *words: object,
    ) -> None:
        """Have a node run a function, without waiting for the answer.

        When the answer comes, `node`, `name` and the answer are put into the queue
        `news`.

        Args:
            node: the node.
            name: the name of the report, if the function grades a hand-in; "" if the
                function tests the node.
            function: the function.
            words: the function's arguments.
        """

        async def asked() -> object:
            told = await self.client.run(
                function, *words, workers=[node.address], on_error="return"
            )
            return told[node.address]

        loop: Any = self.client.loop
        answer = asyncio.run_coroutine_threadsafe(asked(), loop.asyncio_loop)
        answer.add_done_callback(lambda done: self.news.put((node, name, done)))

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.client.close()


def answered(answer: Future) -> Any:
    """Return what a node has answered.

    If the node died or failed, the exception is returned, not raised.

    Raises:
        GraderError: the connection to the scheduler is lost.
    """
    try:
        return answer.result()
    except Exception:
        raise lost() from None


def lost() -> GraderError:
    """Return the error for a lost connection to the scheduler."""
    return GraderError(
        "the scheduler is gone; what is graded is kept, call again to go on"
    )
