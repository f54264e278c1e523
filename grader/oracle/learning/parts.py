"""Export or try the hand-in's parts before learning, and say which part is missing."""

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
    TimedOut,
    UsedUp,
    Waiting,
    Wrong,
)
from grader.oracle import looks
from grader.oracle.candidate import Candidate
from grader.oracle.faults import part_name


class LearningParts:
    """The parts of the hand-in that learning needs.

    Args:
        candidate: the hand-in in the second worker, with the learner as the runner.
    """

    def __init__(self, candidate: Candidate) -> None:
        self.candidate, self.worker = candidate, candidate.worker

    def table_programs(self) -> dict[str, str]:
        """Export `td_update` for the table worlds; try the buffer and `sync_target`.

        The table worlds need `ReplayBuffer` and `sync_target`, too. These two cannot be
        exported, so they are called once, to see whether they work.

        Returns:
            {"update": name of the program of `td_update`}.

        Raises:
            Waiting: one of the three parts is a stub or fails, or `td_update` cannot be
                exported.
            TimedOut: one of the three parts took too long.
        """
        called = {"ReplayBuffer": self.open_buffer, "sync_target": self.try_sync}
        return self.exported(called, learning.table_programs)

    def network_programs(self) -> dict[str, str]:
        """Export three parts for the maze and CartPole, and try the two other parts.

        The maze and CartPole also need `ReplayBuffer` and `sync_target`. These two
        cannot be exported, so they are called, to see whether they work.

        Returns:
            The names of the programs, by role: "network" for the network that
            `q_network` returns, "act" for `epsilon_greedy`, "update" for `td_update`.

        Raises:
            Waiting: a part is a stub, cannot be exported or fails.
            TimedOut: a part took too long.
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
        """Try some parts, then export programs; return the programs' names.

        Args:
            steps: functions without arguments that each try one part, by the name of
                the part.
            programs: function without arguments, called after the steps. It returns a
                case for each program to export, by the program's role ("network", "act"
                or "update"). The program must be able to answer the case.

        Returns:
            The names of the exported programs, by role.

        Raises:
            Waiting: a part is a stub, cannot be exported or fails.
            TimedOut: a part took too long.
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
        """Let the worker make a new `ReplayBuffer`, which the next training uses.

        Args:
            capacity: the largest number of transitions in the buffer.

        Raises:
            Wrong, Raised, Waiting, Stopped: the hand-in made no buffer.
        """
        request = {"do": "open_buffer", "capacity": capacity}
        self.worker.ask(request, "ReplayBuffer", look=looks.nothing)

    def try_sync(self) -> None:
        """Ask `sync_target` about one update, to see whether it answers.

        Raises:
            Wrong, Raised, Waiting, Stopped: `sync_target` gave no answer.
        """
        request = {"do": "schedule", "first": 1, "count": 1, "period": 1}
        look = functools.partial(looks.schedule, 1)
        self.worker.ask(request, "sync_target", look=look)

    def try_network_sync(self, theta: list[np.ndarray]) -> None:
        """Check that `sync_target` works with parameters of the hand-in's network.

        During learning, `sync_target` gets small tables instead of these parameters.

        Args:
            theta: parameters of the network; [] if there is no network. In this case,
                only `try_sync` is called.

        Raises:
            Wrong: `sync_target` returns neither theta_Q nor theta_T.
            Raised, Waiting, Stopped: `sync_target` gave no answer.
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
        """Return the parameters of a new network that the hand-in's `q_network` makes.

        Args:
            seed: the seed of the key for `q_network`.

        Returns:
            The leaves of theta, as a list of arrays.

        Raises:
            Wrong, Raised, Waiting, Stopped: `q_network` gave no answer.
        """
        sizes = learning.STATE_DIM, learning.NUM_ACTIONS
        return self.candidate.answer(cases.fresh_network(seed, *sizes)).leaves("theta")


def needed(part: str, step: Callable[[], Any]) -> Any:
    """Call a function that asks a part, and return the function's result.

    Args:
        part: the name of the part.
        step: the function, which takes no arguments.

    Raises:
        NotImplementedYet: the part is a stub.
        Waiting: the part fails, or the part calls another part that is a stub. The
            message names the part that fails or the stub.
        TimedOut: the part took too long; the message names it. Or no time is left; then
            the message names no part.
        GraderError: the grader itself failed.
    """
    try:
        return step()
    except (NotImplementedYet, GraderError, Waiting, UsedUp):
        raise
    except (Exception, Stopped) as reason:
        words = str(reason).removeprefix(f"{part}: ")
        if not isinstance(reason, Raised):  # an exception's words come with its place
            words = words.partition("\n")[0]
        # On a machine that is less busy, the part may be in time: this is no failure.
        kind = type(reason) if isinstance(reason, TimedOut) else Waiting
        raise kind(f"waits for {part}, which fails: {words}") from None
