"""Grade all hand-ins, here or on a cluster, with a progress bar."""

import contextlib
import datetime
import os
import sys
from collections.abc import Callable, Iterator, Mapping

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
from grader.contract.outcomes import GraderError, UsageError
from grader.grading.pipeline import Options
from grader.intake.submission import Submission

# Grades hand-ins, by name; alone: one at a time.
Grading = Callable[[Mapping[str, Submission], bool], pool.Gradings]


def grade_all(
    start: Grading,
    tasks: Mapping[str, Submission],
    kept: pool.Kept,
    console: Console,
) -> dict[str, str]:
    """Grade all hand-ins, and those that ran out of time once more.

    Args:
        start: grades.
        tasks: hand-ins by name.
        kept: where reports are kept.
        console: for the progress.

    Returns:
        By name, why a hand-in could not be graded.
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
    """Give what grades in processes of this machine.

    Args:
        options: how to grade.
        jobs: how many hand-ins at once; None for one on each core.
    """
    together = jobs or cores()
    yield lambda tasks, alone: pool.grade_here(tasks, options, 1 if alone else together)


@contextlib.contextmanager
def on_cluster(
    address: str, code: str, options: Options, jobs: int | None, console: Console
) -> Iterator[Grading]:
    """Give what grades on the nodes of a cluster, which are checked first.

    Args:
        address: of Dask's scheduler, as `tcp://host:8786`.
        code: from `pool.code_hash`.
        options: how to grade; each node chooses its tier of the sandbox.
        jobs: how many hand-ins at once on each node; None for one on each core.
        console: for the number of nodes.

    Raises:
        UsageError: there is no such cluster.
        GraderError: none of its nodes can grade.
    """
    try:
        from grader.classroom.cluster import Cluster
    except ImportError:
        raise UsageError(
            "CLUSTER: Dask is not installed (`make grade-class CLUSTER=…` installs it)"
        ) from None
    with Cluster(address, code, options.tier, jobs) as nodes:
        problems = nodes.problems()
        for node, problem in problems.items():
            if problem:
                words = f"{node} takes no work: {problem}"
                print(escape.terminal(words), file=sys.stderr)
        ready = sum(not problem for problem in problems.values())
        if problems and not ready:
            raise GraderError("no node of the cluster can grade")
        console.print(f"nodes that are ready: {ready}", markup=False)
        yield lambda tasks, alone: nodes.grade(tasks, options)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class TimeLeft(ProgressColumn):
    """The time that the rest takes at the speed so far; gradings end in bursts."""

    def render(self, task: Task) -> Text:
        """Return the time left in words; `whole` is the estimate of all."""
        whole = task.fields["whole"]
        if whole is None:
            return Text("left -:--:--")
        seconds = max(int(whole - (task.elapsed or 0)), 0)
        return Text(f"left {datetime.timedelta(seconds=seconds)}")


@contextlib.contextmanager
def progress(console: Console, total: int) -> Iterator[Callable[[], None]]:
    """Give a function to call after each grading; a bar on a terminal, else nothing."""
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
