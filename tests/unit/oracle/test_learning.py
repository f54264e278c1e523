"""`Learning` runs the tasks in the right order; its worker and learner are fakes."""

import functools
import time
from dataclasses import replace

import numpy as np
import pytest

from grader.contract import learning, mdps
from grader.contract.learning import FULL, HALF
from grader.contract.limits import LIMITS
from grader.contract.outcomes import (
    NOT_IMPLEMENTED,
    RUN_USED_UP,
    GraderError,
    Killed,
    NotImplementedYet,
    Outcome,
    Raised,
    TimedOut,
    UsedUp,
    Waiting,
    Wrong,
)
from grader.diagnosis.learning_messages import (
    TOO_SLOW,
    of_cartpole,
    of_maze,
    of_tables,
)
from grader.grading.passes import outcome_of
from grader.intake.submission import Submission
from grader.oracle.budget import Budget
from grader.oracle.learning import run
from grader.oracle.worker_client import Reply
from grader.sandbox.output import Output

FACTS = {"maze": {"shortest": 4.0, "random_walk": 24.0}, "cartpole": {}}


def trained(mean_return, problem="", **more):
    """Return the learner's answer when a training has ended.

    Args:
        mean_return: the mean return at the end.
        problem: why the training was stopped; "" if it was not stopped.
        more: fields of the answer that are replaced.
    """
    return {
        "mean_return": mean_return,
        "problem": problem,
        "curve": np.array([[1024.0, mean_return / 2], [2048.0, mean_return]]),
        "facts": {},
        "compared": 10,
        "watched": {},
        "deviates": False,
        **more,
    }


class FakeWorker:
    """A fake worker whose parts work, except for the parts in `broken`.

    Attributes:
        broken: for the name of a part, the exception that the part raises.
        asked: for each request, the pair (kind of the request, part).
        running: False after `stop`.
    """

    def __init__(self, submission, tier, budget):
        self.budget, self.printed, self.loaded = budget, {}, True
        self.broken, self.asked, self.running = {}, [], True

    def ask(self, request, what, seconds=None, look=None):
        """Answer a request, or raise the exception of the part."""
        self.budget.left()
        self.asked.append((request["do"], what))
        if what in self.broken:
            raise self.broken[what]
        if request["do"] == "call":
            return Reply({"theta_T": self.synced(request)}, Output())
        answers = {
            "export": {"program": np.zeros(3, np.uint8)},
            "schedule": {"synced": np.zeros(request.get("count", 0), np.int8)},
            "open_buffer": {},
            "use_buffer": {"rows": "drawn"},
        }
        if request["do"] != "use_buffer":
            look(answers[request["do"]])
        return Reply(answers[request["do"]], Output())

    def synced(self, request):
        """Return the arrays that a right `sync_target` returns for a request."""
        due = request["spec"]["step"] % request["spec"]["period"] == 0
        return request["args"]["theta_Q" if due else "theta_T"]

    def book(self, stage, output):
        """Ignore the output of the hand-in."""

    def stop(self):
        """Pretend that the process ends."""
        self.running = False


class FakeRunner:
    """A fake learner whose trainings end as the test has set.

    Attributes:
        outcomes: for each task ("table", "maze", "cartpole"), a list of functions, one
            for each training. The last function also serves further trainings. A
            function takes the request and `on_question`, and returns the answer or
            raises.
        requests: all requests that learn a task.
        running: False after `stop`.
    """

    device = "cpu"

    def __init__(self, role, tier, budget, programs, device):
        self.budget, self.programs = budget, programs
        self.outcomes = {
            "table": [lambda request, ask: {"Q": "table"}],
            "maze": [lambda request, ask: trained(-4.0, facts=FACTS["maze"])],
            "cartpole": [lambda request, ask: trained(500.0)],
        }
        self.requests, self.running = [], True

    def untrusted(self, request, what, seconds=None, on_question=None):
        """Answer a request; if it is to learn a task, by a function in `outcomes`.

        Args:
            request: the request.
            what: ignored.
            seconds: ignored.
            on_question: function that answers a question of the learner.
        """
        self.budget.left()
        if request["do"] == "run":
            return {"theta": [np.zeros((2, 4), np.float32)]}
        task = request.get("task", "table")
        done = len(self.of(task))
        self.requests.append(request)
        outcome = self.outcomes[task][min(done, len(self.outcomes[task]) - 1)]
        return {"problem": "", "deviates": False, **outcome(request, on_question)}

    def of(self, task):
        """Return the requests that learn this task."""
        return [r for r in self.requests if r.get("task", "table") == task]

    def load(self, name, case):
        """Pretend that a program is loaded."""

    def stop(self):
        """Pretend that the process ends."""
        self.running = False


@pytest.fixture
def process(monkeypatch):
    """Return a `Learning` with a fake worker and a fake learner."""
    monkeypatch.setattr(run, "WorkerClient", FakeWorker)
    monkeypatch.setattr(run, "RunnerClient", FakeRunner)
    budget = Budget(replace(LIMITS, trainings=3))
    submission = Submission("hand-in", b"")
    return run.Learning(submission, "process", "1", "cpu", budget, {}, lambda _: None)


def learned(process):
    """Run the learning to its end; return its results."""
    process.run()
    return process.wait()


def assert_ended(process):
    """Fail unless the worker and the learner of a `Learning` have been stopped."""
    assert not process.worker.running
    assert not process.runner.running


def ends_with(*returns, task="maze"):
    """Return functions for `outcomes`, one for each training.

    Args:
        returns: the mean return of each training.
        task: the task, "maze" or "cartpole".
    """
    return [
        lambda request, ask, mean=mean: trained(mean, facts=FACTS[task])
        for mean in returns
    ]


def raises(reason):
    """Return a function for `outcomes` that raises an exception.

    Args:
        reason: the exception.
    """

    def outcome(request, ask):
        raise reason

    return outcome


def deviates_at_first(request, ask):
    """Return the answer to a training; without a formula, the updates deviate.

    This is a function for `outcomes`.
    """
    return trained(-4.0, facts=FACTS["maze"], deviates=not request["by_formula"])


def test_all_tasks_are_learned(process):
    """Tables, maze and CartPole are learned in this order; then both processes stop."""
    results = learned(process)
    tasks = [request.get("task", "table") for request in process.runner.requests]
    assert tasks == ["table"] * len(mdps.KINDS) + ["maze", "cartpole"]
    assert [mdp.name for mdp, _ in results.tables.learned] == [
        kind(np.random.default_rng(0)).name for kind in mdps.KINDS
    ]
    assert (results.maze.mean_return, results.cartpole.mean_return) == (-4, 500)
    assert (results.maze.share, results.cartpole.runs) == (1, 1)
    assert results.cartpole.curve == [[1024, 250.0], [2048, 500.0]]
    assert results.cartpole.reason is results.maze.reason is results.tables.reason
    assert results.cartpole.reason is None
    assert not results.deviates
    assert not results.by_formula
    assert_ended(process)


def test_the_best_training_counts(process):
    """A task has at most three trainings with different seeds; the best one counts."""
    process.runner.outcomes["cartpole"] = ends_with(100, 300, 200, task="cartpole")
    results = learned(process)
    assert (results.cartpole.mean_return, results.cartpole.runs) == (300, 3)
    requests = process.runner.of("cartpole")
    assert len({request["seed"] for request in requests}) == len(requests) == 3
    assert not any(request["by_formula"] for request in process.runner.requests)


def test_training_ends_with_full_points(process):
    """After a training with full points, the task has no further training."""
    process.runner.outcomes["maze"] = ends_with(-20, -5, -4)
    process.runner.outcomes["cartpole"] = ends_with(400, 460, 500, task="cartpole")
    results = learned(process)
    assert (results.maze.mean_return, results.maze.runs) == (-5, 2)
    assert (results.cartpole.mean_return, results.cartpole.runs) == (460, 2)


@pytest.mark.parametrize("task", ["maze", "cartpole"])
@pytest.mark.parametrize("found_in", [0, 1], ids=["first run", "second run"])
def test_a_trick_ends_learning(process, task, found_in):
    """If a training is stopped because a part cheats, the task has no further training.

    The best earlier training still counts.
    """
    earlier = {"maze": -15.0, "cartpole": 100.0}[task]
    outcomes = ends_with(earlier, task=task)[:found_in]
    outcomes.append(lambda request, ask: trained(0.0, "sample draws more often"))
    process.runner.outcomes[task] = outcomes
    result = getattr(learned(process), task)
    mean_return = earlier if found_in else None
    assert (result.mean_return, result.runs) == (mean_return, found_in + 1)
    assert result.problem == "sample draws more often"
    assert result.as_dict()["mean_return"] == mean_return


def test_cartpole_needs_the_maze(process):
    """If the maze was not learned, CartPole is not tried, and its reason says so."""
    process.runner.outcomes["maze"] = ends_with(-15)
    results = learned(process)
    assert process.runner.of("cartpole") == []
    assert (results.maze.runs, results.maze.mean_return) == (3, -15)
    assert str(results.cartpole.reason) == run.NEEDS_MAZE
    assert results.cartpole.mean_return is None


@pytest.mark.parametrize(
    "reason", [TimedOut("learning the maze: no answer"), GraderError("ended")]
)
def test_what_stopped_the_maze_stops_cartpole(process, reason):
    """If an exception stops the maze, CartPole is not tried and has the same reason.

    The tables keep their result.
    """
    process.runner.outcomes["maze"] = [raises(reason)]
    results = learned(process)
    assert isinstance(results.maze.reason, type(reason))
    assert results.cartpole.reason is results.maze.reason
    assert len(results.tables.learned) == len(mdps.KINDS)
    assert process.runner.of("cartpole") == []
    assert not process.runner.running


def test_a_problem_in_a_table(process):
    """If a problem stops the learning of a table, the reason names the table's MDP.

    The maze is still learned.
    """
    process.runner.outcomes["table"] = [lambda request, ask: {"problem": "changed"}]
    results = learned(process)
    assert isinstance(results.tables.reason, Wrong)
    assert str(results.tables.reason) == "chain with one end: changed"
    assert results.maze.share == 1


def test_a_judged_training_is_kept(process):
    """If the second training hangs, the first training counts.

    The result says that the second training gave no answer. The check of a goal that
    the first training has not reached is a timeout.
    """
    process.runner.outcomes["cartpole"] = [
        *ends_with(210, task="cartpole"),
        raises(TimedOut("learning CartPole: no answer within 150 s")),
    ]
    results = learned(process)
    result = results.cartpole
    assert (result.mean_return, result.reason) == (210, None)
    assert "no answer within 150 s" in result.problem
    assert of_cartpole(HALF, results, {}) is None
    error = of_cartpole(FULL, results, {})
    assert outcome_of(error)[0] == Outcome.TIMEOUT
    assert "mean return 210.0, expected 450" in str(error)


def test_no_time_for_another_training_in_the_maze(process):
    """If the second training in the maze hangs, its checks and CartPole's time out."""
    process.runner.outcomes["maze"] = [*ends_with(-15), raises(TimedOut("late"))]
    results = learned(process)
    for error in (of_maze(results, {}), of_cartpole(HALF, results, {})):
        assert outcome_of(error)[0] == Outcome.TIMEOUT
        assert "late" in str(error)


def test_stopped_learning_asks_nothing_more(process):
    """After `stop`, learning goes on to no other task, which would start processes."""

    def stops(request, ask):
        process.stop()
        raise Killed("the process was ended")

    process.runner.outcomes["table"] = [stops]
    learned(process)
    asked = [what for _, what in process.worker.asked]
    assert "epsilon_greedy" not in asked
    assert len(process.runner.requests) == 1


# ---------------------------------------------------------------- stubs


def test_a_sync_that_fails_for_the_network(process):
    """A `sync_target` that returns neither θ_Q nor θ_T of the network is refused.

    The tables are learned before, and the maze is not tried.
    """
    process.worker.synced = lambda request: [
        a + b + 1
        for a, b in zip(
            *(request["args"][tree] for tree in ("theta_Q", "theta_T")), strict=True
        )
    ]
    results = learned(process)
    assert len(results.tables.learned) == len(mdps.KINDS)
    assert isinstance(results.maze.reason, Waiting)
    assert "neither theta_Q nor theta_T" in str(results.maze.reason)


def test_stubs_are_waited_for(process):
    """If a task needs parts that are stubs, the task is skipped.

    The reason names all of these stubs.
    """
    for part in ("q_network", "sync_target"):
        process.worker.broken[part] = NotImplementedYet(part)
    results = learned(process)
    waits = f"{NOT_IMPLEMENTED}: waits for "
    assert str(results.tables.reason) == f"{waits}sync_target"
    assert str(results.maze.reason) == f"{waits}q_network, sync_target"
    assert results.cartpole.reason is results.maze.reason
    assert isinstance(results.maze.reason, Waiting)
    assert process.runner.requests == []
    assert not process.worker.running


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (NotImplementedYet("td_update"), f"{NOT_IMPLEMENTED}: waits for td_update"),
        (Waiting("waits for td_loss"), "waits for td_loss"),
    ],
)
def test_a_stub_among_the_programs(process, broken, words):
    """If `td_update` is a stub, or calls a stub, all tasks are skipped.

    The reason names the stub.
    """
    process.worker.broken["td_update"] = broken
    results = learned(process)
    for reason in (results.tables.reason, results.maze.reason):
        assert isinstance(reason, Waiting)
        assert str(reason) == words


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [(Raised, Outcome.SKIPPED), (TimedOut, Outcome.TIMEOUT)],
)
def test_a_part_that_fails_is_named(process, reason, outcome):
    """If a part raises before learning begins, all tasks are skipped.

    The reason names the part and the exception. If the part takes too long, the checks
    are timeouts.
    """
    process.worker.broken["ReplayBuffer"] = reason("ReplayBuffer: it was this")
    results = learned(process)
    words = "not judged: waits for ReplayBuffer, which fails: it was this"
    for judge in (of_tables, of_maze, functools.partial(of_cartpole, HALF)):
        assert outcome_of(judge(results, {})) == (outcome, words)


def test_a_part_for_which_no_time_is_left_is_not_blamed(process):
    """The part was not even asked: other parts have used up the time."""
    process.worker.broken["ReplayBuffer"] = UsedUp("the time of the whole run is over")
    results = learned(process)
    words = "not judged: the time of the whole run is over"
    for judge in (of_tables, of_maze, functools.partial(of_cartpole, HALF)):
        assert outcome_of(judge(results, {})) == (Outcome.TIMEOUT, words)


# ---------------------------------------------------------------- questions


def test_questions_go_to_the_worker(process):
    """Questions of the learner reach the worker, and the answers reach the learner."""
    answers = []

    def asks(request, ask):
        rows = {"action": np.zeros(3)}
        sizes = {"num_batches": 2, "batch_size": 3, "seed": 1}
        answers.append(ask({"do": "use_buffer", "rows": rows, **sizes}))
        answers.append(ask({"do": "schedule", "first": 1, "count": 4, "period": 2}))
        answers.append(ask({"do": "progress", "env_step": 512, "most": 4096}))
        return trained(-4.0, facts=FACTS["maze"])

    process.runner.outcomes["maze"] = [asks]
    said = []
    process.on_progress = said.append
    learned(process)
    assert answers[0] == {"rows": "drawn"}
    np.testing.assert_array_equal(answers[1]["synced"], np.zeros(4))
    assert answers[2] == {}
    assert ("use_buffer", "ReplayBuffer") in process.worker.asked
    assert "the maze, seed 1 of 3, step 512 of at most 4096" in said


def test_the_running_part_is_blamed(process):
    """If a program ends the learner, the reason lists the parts that may have run.

    In this test the learner's process ends while it learns the maze.
    """

    def dies(request, ask):
        ask({"do": "schedule", "first": 1, "count": 4, "period": 2})
        raise Raised("learning the maze: out of memory")

    process.runner.outcomes["maze"] = [dies]
    reason = learned(process).maze.reason
    words = "while it ran td_update, epsilon_greedy or the network"
    assert str(reason) == f"learning the maze: out of memory\n{words}"


@pytest.mark.parametrize("do", ["use_buffer", "progress"])
def test_a_late_part_is_named_whatever_td_loss_computes(process, do):
    """By a formula, a buffer that hangs is named; a training without one is slow."""
    question = {"do": do, "rows": {}, "num_batches": 2, "batch_size": 3, "seed": 1}

    def hangs(request, ask):
        if not request["by_formula"]:
            return trained(-4.0, facts=FACTS["maze"], deviates=True)
        if do == "use_buffer":
            process.worker.broken["ReplayBuffer"] = TimedOut("ReplayBuffer: no answer")
        ask({**question, "env_step": 1, "most": 2})
        raise TimedOut("learning the maze: no answer")

    process.runner.outcomes["maze"] = [hangs]
    assert learned(process).deviates
    results = process.again({mdps.GAMMA: None, learning.GAMMA: None})
    late = "ReplayBuffer: no answer" if do == "use_buffer" else TOO_SLOW
    told = outcome_of(of_maze(results, {}))
    assert told == (Outcome.TIMEOUT, f"not judged: {late}")


def test_time_of_the_whole_run_is_no_fault_of_a_part(process):
    """If the whole run has no time left, the message blames no part of learning."""
    process.runner.outcomes["maze"] = [raises(UsedUp(f"the maze: {RUN_USED_UP}"))]
    assert str(learned(process).maze.reason) == f"the maze: {RUN_USED_UP}"


def test_each_training_is_timed_alone(process, monkeypatch):
    """The part that took most of a training is named, not that of an earlier one."""
    now = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def slow_worlds(request, ask):
        now[0] += 100.0
        return {"Q": "table"}

    def slow_answer(*args, **more):
        now[0] += 5.0
        return FakeWorker.ask(process.worker, *args, **more)

    def slow_buffer(request, ask):
        rows = {"action": np.zeros(3)}
        process.worker.ask = slow_answer
        sizes = {"num_batches": 2, "batch_size": 3, "seed": 1}
        ask({"do": "use_buffer", "rows": rows, **sizes})
        raise TimedOut("the maze: no answer")

    process.runner.outcomes["table"] = [slow_worlds]
    process.runner.outcomes["maze"] = [slow_buffer]
    words = "the maze: no answer; most of the time went to ReplayBuffer"
    assert str(learned(process).maze.reason) == words


# ---------------------------------------------------------------- a formula


def test_updates_that_deviate_are_repeated_by_the_formula(process):
    """If updates deviate, learning stops; then `again` learns all tasks by a formula.

    The learner gets the slopes for the discount γ of each task. Each task has one
    training.
    """
    asked = []

    def by_formula(request, ask):
        if request["by_formula"]:
            asked.append(ask({"do": "slopes", "q_s": 1.0}))
        return deviates_at_first(request, ask)

    def one_table(request, ask):
        return {"Q": "table"} if not request["by_formula"] else by_formula(request, ask)

    process.runner.outcomes["table"] = [one_table]
    process.runner.outcomes["maze"] = [by_formula]
    process.runner.outcomes["cartpole"] = ends_with(300, task="cartpole")
    first = learned(process)
    assert first.deviates
    assert process.runner.running
    assert process.worker.running
    before = len(process.runner.requests)
    results = process.again(
        {
            gamma: lambda numbers, gamma=gamma: {"gamma": gamma, **numbers}
            for gamma in (mdps.GAMMA, learning.GAMMA)
        }
    )
    again = process.runner.requests[before:]
    assert all(request["by_formula"] for request in again)
    assert asked[0] == {"gamma": mdps.GAMMA, "q_s": 1.0}
    assert asked[-1] == {"gamma": learning.GAMMA, "q_s": 1.0}
    assert results.by_formula
    assert not results.deviates
    assert (results.cartpole.mean_return, results.cartpole.runs) == (300, 1)
    assert len(process.runner.of("cartpole")) == 1
    assert process.results is results
    assert_ended(process)


@pytest.mark.parametrize("slopes", [{}, {mdps.GAMMA: None, learning.GAMMA: None}])
def test_without_a_formula_nothing_is_judged(process, slopes):
    """Without a formula, or if the updates deviate again, no task is judged.

    The reason says that `td_update` deviates.
    """
    process.runner.outcomes["table"] = [
        lambda request, ask: {"deviates": True, "Q": None}
    ]
    assert learned(process).deviates
    results = process.again(slopes)
    for result in (results.tables, results.maze, results.cartpole):
        assert isinstance(result.reason, Wrong)
        assert str(result.reason) == run.DEVIATES
    assert results.maze.as_dict()["mean_return"] is None
    assert results.maze.as_dict()["not_judged"] == run.DEVIATES
    assert process.runner.of("maze") == []
    assert_ended(process)
