"""Grade all hand-ins of a class, on this machine or on a cluster, and show progress."""

import contextlib
import datetime
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from grader import escape
from grader.classroom import pool
from grader.contract.outcomes import UsageError
from grader.grading.pipeline import Options, check_device
from grader.intake.submission import Submission
from grader.sandbox import self_test

# A function that takes hand-ins by the names of their reports, and yields the results.
# If its second argument is true, each machine grades one hand-in at a time.
Grading = Callable[[Mapping[str, Submission], bool], pool.Gradings]


def grade_all(
    start: Grading,
    tasks: Mapping[str, Submission],
    kept: pool.Kept,
    console: Console,
) -> dict[str, str]:
    """Grade all hand-ins, then grade again those in which a check ran out of time.

    In the second round, each machine grades one hand-in at a time, because it may have
    been too busy in the first round. Every report is written to `kept`.

    Args:
        start: a function that grades hand-ins.
        tasks: the hand-ins by the names of their reports (see `pool.name_of`).
        kept: the store for the reports.
        console: the console for the progress bar.

    Returns:
        The reason for each hand-in that could not be graded, by the name of its report.
    """
    why_not: dict[str, str] = {}

    def keep(chosen: Mapping[str, Submission], *, alone: bool) -> None:
        done = start(chosen, alone)
        with progress(console, len(chosen)) as advance, contextlib.closing(done):
            for name, graded in done:
                if graded.text:
                    kept.put(name, graded.text, alone=alone)
                else:
                    why_not[name] = graded.why_not
                advance()

    keep({n: s for n, s in tasks.items() if not kept.is_open(n)}, alone=False)
    late = {name: s for name, s in tasks.items() if kept.is_open(name)}
    if late:
        words = f"{len(late)} ran out of time: once more, without the others"
        console.print(words, markup=False)
        keep(late, alone=True)
    return why_not


@contextlib.contextmanager
def on_this_machine(options: Options, jobs: int | None) -> Iterator[Grading]:
    """Provide, for a with block, a function that grades hand-ins on this machine.

    Args:
        options: how to grade the hand-ins. `tier` is the wanted tier, or "" for the
            strongest tier that works on this machine.
        jobs: how many hand-ins to grade at once; None for one on each core.

    Raises:
        GraderError: no such tier works on this machine.
        UsageError: the device is "gpu", and JAX with CUDA is not installed.
    """
    check_device(options.device)
    options = replace(options, tier=self_test.choose_official_tier(options.tier))
    together = jobs or cores()
    yield lambda tasks, alone: pool.grade_here(tasks, options, 1 if alone else together)


@contextlib.contextmanager
def on_cluster(
    address: str, code: str, options: Options, jobs: int | None, console: Console
) -> Iterator[Grading]:
    """Provide, for a with block, a function that grades hand-ins on a cluster.

    Before the block begins, the nodes that are there are tested; later ones are tested
    when they join. For each node that gets no hand-ins, the reason is printed to
    stderr.

    Args:
        address: the address of Dask's scheduler, as `tcp://host:8786`.
        code: the result of `pool.code_hash` on this machine.
        options: how to grade the hand-ins. `tier` is the wanted tier, or "" for the
            strongest tier that works on each node.
        jobs: how many hand-ins each node grades at once; None for as many as the node
            has threads.
        console: the console on which the number of nodes is printed.

    Raises:
        UsageError: Dask is not installed, the address is wrong, no scheduler answers
            there, or certificates are missing.
        GraderError: the cluster has nodes, and none of them can grade.
    """
    try:
        from grader.classroom.cluster.nodes import Cluster
    except ImportError:
        raise UsageError(
            "CLUSTER: Dask is not installed (`make grade-class CLUSTER=…` installs it)"
        ) from None

    def tell(words: str) -> None:
        print(escape.terminal(words), file=sys.stderr, flush=True)

    with Cluster(address, code, options, jobs, tell) as nodes:
        nodes.meet()
        console.print(f"nodes that are ready: {nodes.ready()}", markup=False)
        yield lambda tasks, alone: nodes.grade(tasks, alone=alone)


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class TimeLeft(ProgressColumn):
    """A column of the progress bar that shows the estimated time left.

    The estimate uses the average speed since the start. The rich library would use the
    speed of the last moments, which jumps when several gradings end together.
    """

    def render(self, task: Task) -> Text:
        """Return the text of the column, such as "left 0:01:30".

        Args:
            task: rich's record of the progress. Its field `whole` is the estimated time
                in seconds for all gradings together; None until the first grading has
                ended.
        """
        whole = task.fields["whole"]
        if whole is None:
            return Text("left -:--:--")
        seconds = max(int(whole - (task.elapsed or 0)), 0)
        return Text(f"left {datetime.timedelta(seconds=seconds)}")


@contextlib.contextmanager
def progress(console: Console, total: int) -> Iterator[Callable[[], None]]:
    """Provide, for a with block, a function to call after each grading.

    The function takes no arguments and returns nothing. On a terminal, each call moves
    a progress bar; elsewhere nothing is shown.

    Args:
        console: the console for the bar.
        total: how many gradings there are.
    """
    columns = (
        *(TextColumn("Grading"), BarColumn(), MofNCompleteColumn()),
        *(TimeElapsedColumn(), TimeLeft()),
    )
    bar = Progress(
        *columns, console=console, disable=not console.is_terminal or not total
    )
    with bar:
        bar.add_task("", total=total, whole=None)
        (task,) = bar.tasks

        def advance() -> None:
            done = task.completed + 1
            bar.update(task.id, advance=1, whole=(task.elapsed or 0) / done * total)

        yield advance
