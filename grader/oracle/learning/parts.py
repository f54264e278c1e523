"""Make the hand-in's parts ready for learning."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from grader.contract import cases, learning
from grader.contract.case import Case
from grader.contract.compare import same_arrays
from grader.contract.outcomes import (
    NOT_IMPLEMENTED,
    GraderError,
    NotImplementedYet,
    Raised,
    Stopped,
    Waiting,
    Wrong,
)
from grader.oracle import looks
from grader.oracle.candidate import Candidate
from grader.oracle.faults import part_name


class LearningParts:
    """The hand-in's parts for learning.

    Args:
        candidate: the hand-in, with the worker and the learner of `Learning`.
    """

    def __init__(self, candidate: Candidate) -> None:
        self.candidate, self.worker = candidate, candidate.worker

    def table_programs(self) -> dict[str, str]:
        """Export the parts for the table worlds; return the programs by role.

        Raises:
            Waiting: a part is a stub, cannot be exported or fails.
        """
        called = {"ReplayBuffer": self.open_buffer, "sync_target": self.try_sync}
        return self.exported(called, learning.table_programs)

    def network_programs(self) -> dict[str, str]:
        """Export the parts for the maze and CartPole; return the programs by role.

        Raises:
            Waiting: a part is a stub, cannot be exported or fails.
        """
        theta: list[np.ndarray] = []
        greedy = learning.programs([])["act"]

        def network() -> None:
            theta.extend(self.fresh_network(0))

        return self.exported(
            {
                "q_network": network,
                "epsilon_greedy": lambda: self.candidate.export(greedy),
                "ReplayBuffer": self.open_buffer,
                "sync_target": lambda: self.try_network_sync(theta),
            },
            lambda: learning.programs(theta),
        )

    def exported(
        self,
        steps: dict[str, Callable[[], Any]],
        programs: Callable[[], dict[str, Case]],
    ) -> dict[str, str]:
        """Try some parts, and export the others.

        Args:
            steps: for each part that is tried, the function that tries it.
            programs: function that returns a case for each program, by role; called
                after the steps.

        Returns:
            The names of the programs in the learner, by role.

        Raises:
            Waiting: a part is a stub, cannot be exported or fails.
        """
        missing = []
        for part, step in steps.items():
            try:
                needed(part, step)
            except NotImplementedYet:
                missing.append(part)
        if missing:
            raise Waiting(f"{NOT_IMPLEMENTED}: waits for {', '.join(missing)}")
        names = {}
        for role, case in programs().items():
            part = part_name(case)
            export = functools.partial(self.candidate.export, case)
            try:
                names[role] = needed(part, export)
            except NotImplementedYet:
                raise Waiting(f"{NOT_IMPLEMENTED}: waits for {part}") from None
        return names

    def open_buffer(self, capacity: int = learning.CAPACITY) -> None:
        """Let the worker make a new buffer for the next training run."""
        request = {"do": "open_buffer", "capacity": capacity}
        self.worker.ask(request, "ReplayBuffer", look=looks.nothing)

    def try_sync(self) -> None:
        """Ask `sync_target` one question."""
        request = {"do": "schedule", "first": 1, "count": 1, "period": 1}
        look = functools.partial(looks.schedule, 1)
        self.worker.ask(request, "sync_target", look=look)

    def try_network_sync(self, theta: list[np.ndarray]) -> None:
        """Ask `sync_target` about parameters of the hand-in's network.

        While the network learns, `sync_target` is asked about a table only. So this
        shows that it works for the network as well.

        Args:
            theta: parameters of the network; [] if there is no network.

        Raises:
            Wrong: `sync_target` returns neither of the two trees.
        """
        if not theta:
            self.try_sync()
            return
        others = [leaf + 1 for leaf in theta]
        for step in (1, 2):
            case = cases.sync(theta, others, step, 2, net="own")
            leaves = self.candidate.called(case).leaves("theta_T")
            if not any(same_arrays(leaves, tree) for tree in (theta, others)):
                raise Wrong("sync_target returned neither theta_Q nor theta_T")

    def fresh_network(self, seed: int) -> list[np.ndarray]:
        """Return the initial parameters of the hand-in's network.

        Args:
            seed: the seed of the key for `q_network`.
        """
        sizes = learning.STATE_DIM, learning.NUM_ACTIONS
        return self.candidate.answer(cases.fresh_network(seed, *sizes)).leaves("theta")


def needed(part: str, step: Callable[[], Any]) -> Any:
    """Return the result of a step that learning needs.

    Args:
        part: the name of the part that the step asks.
        step: the step, a function without arguments.

    Raises:
        NotImplementedYet: the part is a stub.
        Waiting: the part waits for another one, or the step failed in another way; the
            message names the part.
        GraderError: the grader could not do its work.
    """
    try:
        return step()
    except (NotImplementedYet, GraderError, Waiting):
        raise
    except (Exception, Stopped) as reason:
        words = str(reason).removeprefix(f"{part}: ")
        if not isinstance(reason, Raised):  # an exception's words come with its place
            words = words.partition("\n")[0]
        raise Waiting(f"waits for {part}, which fails: {words}") from None
