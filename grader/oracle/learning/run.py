"""Let the hand-in learn the tasks, in a worker and a learner.

The learner runs the learning loop and the hand-in's programs. The worker exports these
programs, and runs the hand-in's replay buffer and `sync_target`. During the loop, the
learner sends questions for these two parts to the grader. The grader passes them to the
worker, and the answers back to the learner. Answers of `sync_target` are used again.

The tasks are, in this order: the table worlds, a maze, and CartPole. CartPole is tried
only if the maze was learned.
"""

import functools
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from grader.contract import learning, mdps
from grader.contract.case import Args
from grader.contract.learning import CARTPOLE, MAZE
from grader.contract.outcomes import (
    BY_HAND_IN,
    RUN_USED_UP,
    Raised,
    Stopped,
    TimedOut,
    Waiting,
    Wrong,
)
from grader.contract.seeds import derive
from grader.intake.submission import Submission
from grader.oracle import looks
from grader.oracle.budget import Budget
from grader.oracle.candidate import Candidate
from grader.oracle.learning.parts import LearningParts
from grader.oracle.learning.results import (
    Clock,
    Result,
    Results,
    Tables,
    has_full_points,
)
from grader.oracle.runner_client import Program, RunnerClient
from grader.oracle.worker_client import WorkerClient

# Questions of the learner by name (`do`), and the part of the hand-in that answers.
ASKED = {"use_buffer": "ReplayBuffer", "schedule": "sync_target"}
TASKS = {MAZE: "the maze", CARTPOLE: "CartPole"}
DEVIATES = (
    "td_update does not make the update that is asked for, and exercise 9 does not "
    "train with another one"
)
NEEDS_MAZE = "CartPole is tried only if the maze was learned"
# A function from the arrays of a batch, by name, to the batch's loss and slopes, by
# name; see `diagnosis/formulas/losses/slopes.py`.
Slopes = Callable[[Args], Args]


class Deviates(Exception):
    """Raised if the hand-in's `td_update` makes other updates than the grader."""


class Learning:
    """Learning in a thread, with a new worker and a new learner.

    Args:
        submission: the hand-in.
        tier: the tier of the sandbox.
        seed: the seed of the run.
        device: "cpu" or "gpu".
        run: the budget of the checks. Learning gets two new budgets, for its worker and
            its learner. The time limit of the whole run holds for all three budgets.
        programs: the hand-in's exported programs by name. The checks of exercises 1–8
            use this dict, too, so learning uses the programs that the checks judge.
        on_progress: function to call with a text of a few words on the progress.
    """

    def __init__(
        self,
        submission: Submission,
        tier: str,
        seed: str,
        device: str,
        run: Budget,
        programs: dict[str, Program],
        on_progress: Callable[[str], None],
    ) -> None:
        self.seed, self.limits = seed, run.limits
        self.on_progress = on_progress
        # Two budgets, because the learner waits while the worker answers: in a shared
        # budget, this time would count twice.
        budget, worker_budget = (
            replace(
                run,
                limits=replace(run.limits, part_seconds=run.limits.all_learn_seconds),
                exercise="learning",
                part="learning",
                spent={},
            )
            for _ in range(2)
        )
        self.worker = WorkerClient(submission, tier, worker_budget)
        try:
            self.runner = RunnerClient("learner", tier, budget, programs, device=device)
        except BaseException:
            self.worker.stop()  # nobody else knows of this process yet
            raise
        self.parts = LearningParts(Candidate(self.worker, self.runner))
        self.results = Results()
        self.slopes: Mapping[float, Slopes] = {}
        self.schedules: dict[tuple[int, int, int], Args] = {}
        self.gamma = learning.GAMMA  # of the task that is learned now
        self.doing = ""
        self.clock = Clock()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def ready(self) -> None:
        """Wait until the worker and the learner are ready, before the hand-in runs.

        Raises:
            GraderError: a process ended or was too slow.
        """
        self.worker.ready()
        self.runner.ready()

    def begin(self) -> None:
        """Start learning in the background."""
        self.thread.start()

    def wait(self) -> Results:
        """Wait for the end of learning and return its results."""
        if self.thread.is_alive():
            self.thread.join()
        return self.results

    def again(self, slopes: Mapping[float, Slopes]) -> Results:
        """Learn again, with updates by the formula of the hand-in's `td_loss`.

        If `slopes` is {}, or if `td_update` deviates again, learning ends. The maze and
        CartPole then get a `reason`. The result of the table worlds gets one, too, if a
        table world was not learned.

        Args:
            slopes: for the discount γ of each task, the function that computes a
                batch's loss and slopes by the formula; {} if there is no formula.
        """
        if not slopes:
            reason = Wrong(DEVIATES)
            task = Result(reason=reason)
            learned = len(self.results.tables.learned) == len(mdps.KINDS)
            tables = self.results.tables if learned else Tables(reason=reason)
            self.results = Results(tables, maze=task, cartpole=task)
            self.stop()
            return self.results
        self.slopes, self.results = slopes, Results(by_formula=True)
        self.run()
        if self.results.deviates:
            return self.again({})
        return self.results

    def stop(self) -> None:
        """End the worker, the learner and the learning that may still go on."""
        for client in (self.worker, self.runner):
            client.budget.end()  # so the thread starts no new process
        self.worker.stop()
        self.runner.stop()

    def run(self) -> None:
        """Learn all tasks, and keep the results and exceptions in `results`.

        At the end, the worker and the learner are ended. But if `td_update` deviates,
        they stay alive, because `again` needs them.
        """
        results = self.results
        try:
            self.keeping(results.tables, self.learn_tables)
            self.keeping(results.maze, functools.partial(self.learn, MAZE))
            if has_full_points(MAZE, results.maze):
                self.keeping(results.cartpole, functools.partial(self.learn, CARTPOLE))
            else:
                maze = results.maze
                results.cartpole.reason = (
                    maze.reason or maze.late or Waiting(NEEDS_MAZE)
                )
        except Deviates:
            results.deviates = True  # the processes are kept for `again`
        finally:
            if not results.deviates:
                self.stop()

    def keeping(self, result: Result | Tables, step: Callable[[], None]) -> None:
        """Call a function that learns a task; keep its exception in the task's result.

        Raises:
            Deviates: `td_update` deviates from the grader's updates.
        """
        try:
            step()
        except Deviates:
            raise
        # Nobody would see an exception of this thread, so a check raises it later.
        except BaseException as reason:
            by_hand_in = isinstance(reason, BY_HAND_IN)
            if (
                by_hand_in
                and isinstance(result, Result)
                and result.mean_return is not None
            ):
                result.problem = str(reason)  # the judged run still counts
                result.late = reason if isinstance(reason, TimedOut) else None
            else:
                result.reason = reason

    def learn_tables(self) -> None:
        """Learn the table worlds from random transitions; add the values to `results`.

        Raises:
            Wrong, Raised, Waiting, Stopped: a part's answer is missing or wrong.
            Deviates: `td_update` deviates from the grader's updates.
        """
        self.doing = "table worlds"
        self.on_progress(self.doing)
        self.gamma = mdps.GAMMA
        programs = self.parts.table_programs()
        for kind in mdps.KINDS:
            rng = np.random.default_rng(derive(self.seed, f"table {kind.__name__}"))
            mdp = kind(rng)
            self.parts.open_buffer(learning.TABLE_CAPACITY)
            answer = self.asked(
                {
                    "do": "learn_table",
                    "rows": mdps.experience(mdp, learning.EXPERIENCE, rng),
                    "settings": {
                        "block_updates": learning.TABLE_PERIOD * learning.TABLE_SYNCS,
                        "batch_size": learning.TABLE_BATCH,
                        "capacity": learning.TABLE_CAPACITY,
                        "period": learning.TABLE_PERIOD,
                        "gamma": mdps.GAMMA,
                    },
                    "seed": int(rng.integers(2**31)),
                    "programs": programs,
                },
                "the table worlds",
            )
            if answer["problem"]:
                raise Wrong(f"{mdp.name}: {answer['problem']}")
            self.results.tables.learned.append((mdp, answer["Q"]))

    def learn(self, task: str) -> None:
        """Learn the maze or CartPole: train with one seed after another.

        No training follows one that got full points or was stopped. If the updates are
        made by the formula of `td_loss`, there is only one training.

        Args:
            task: "maze" or "cartpole".

        Raises:
            Wrong, Raised, Waiting, Stopped: a part of the hand-in gave no answer.
            Deviates: `td_update` deviates from the grader's updates.
        """
        self.gamma = learning.GAMMA
        programs = self.parts.network_programs()
        result: Result = getattr(self.results, task)
        tries = 1 if self.slopes else self.limits.trainings
        for index in range(tries):
            self.doing = f"{TASKS[task]}, seed {index + 1} of {tries}"
            self.on_progress(self.doing)
            self.learn_once(task, programs, index)
            if result.problem or has_full_points(task, result):
                break

    def learn_once(self, task: str, programs: dict[str, str], index: int) -> Args:
        """Train once; keep the result if this training is the best so far.

        Args:
            task: "maze" or "cartpole".
            programs: the programs' names, by role: "network", "act" and "update".
            index: the number of the training, from 0.

        Returns:
            The learner's answer, see `learn` in `inside/learner.py`.

        Raises:
            Wrong, Raised, Waiting, Stopped: a part of the hand-in gave no answer.
            Deviates: `td_update` deviates from the grader's updates.
        """
        result: Result = getattr(self.results, task)
        seed = derive(self.seed, f"{task} {index}")
        theta = self.parts.fresh_network(
            derive(self.seed, f"network {task} {index}") % 2**31
        )
        self.parts.open_buffer(learning.CAPACITY)
        answer = self.asked(
            {
                "do": "learn",
                "task": task,
                "seed": seed,
                "programs": programs,
                "theta": theta,
            },
            f"learning {TASKS[task]}",
        )
        result.runs = index + 1
        best, problem = result.mean_return, answer["problem"]
        if best is None or (answer["mean_return"] > best and not problem):
            result.mean_return = None if problem else answer["mean_return"]
            result.compared, result.facts = answer["compared"], answer["facts"]
            result.watched = answer["watched"]
            result.curve = [
                [int(step), round(float(mean), 2)] for step, mean in answer["curve"]
            ]
        result.problem = problem  # if there is one, `learn` makes no further run
        return answer

    def asked(self, request: Args, what: str) -> Args:
        """Send the learner a request to learn one task, and return the answer.

        Args:
            request: the operation's name under the key "do", and the operation's
                arguments. This method adds the argument `by_formula`.
            what: name of the task, for messages.

        Raises:
            Wrong, Raised, Stopped: a part of the hand-in gave no answer.
            Deviates: `td_update` deviates from the grader's updates.
        """
        request = {**request, "by_formula": bool(self.slopes)}
        seconds = self.limits.learn_seconds
        self.runner.budget.left()  # if no time is left, no part is to blame for it
        self.clock = Clock()
        try:
            answer = self.runner.untrusted(request, what, seconds, self.on_question)
        except (Raised, Stopped) as reason:
            # A part in the worker is named already. Other exercises, too, have used the
            # time of the whole run.
            if self.clock.part in ASKED.values() or RUN_USED_UP in str(reason):
                raise
            raise self.clock.with_blame(reason) from None
        if answer["deviates"]:
            raise Deviates
        return answer

    def on_question(self, question: Args) -> Args:
        """Return the answer to a question of the learner; measure the time it takes.

        Raises:
            Wrong, Raised, Stopped: the hand-in gave no answer.
        """
        do = question["do"]
        self.clock.turn(ASKED.get(do, Clock.BETWEEN))
        answer = self.answer_to(question)
        self.clock.turn(Clock.BETWEEN)
        return answer

    def answer_to(self, question: Args) -> Args:
        """Return the answer to a question of the learner.

        Args:
            question: the operation's name under the key "do", and the operation's
                arguments. "slopes" asks the formula of the hand-in's `td_loss`,
                "use_buffer" asks the replay buffer, and "schedule" asks `sync_target`.
                "progress" only reports how far learning is; its answer is {}.

        Raises:
            Wrong, Raised, Stopped: the hand-in gave no answer.
        """
        do = question["do"]
        if do == "slopes":
            numbers = {name: value for name, value in question.items() if name != "do"}
            return self.slopes[self.gamma](numbers)
        if do == "progress":
            reached = "step {env_step} of at most {most}".format_map(question)
            self.on_progress(f"{self.doing}, {reached}")
            return {}
        if do == "use_buffer":
            sizes = question["num_batches"], question["batch_size"]
            shapes = {
                name: (*sizes, *column.shape[1:])
                for name, column in question["rows"].items()
            }
            look = functools.partial(looks.batches, shapes)
            return self.worker.ask(question, ASKED[do], look=look).answer
        # The answers are kept: all trainings ask the same, and some hand-ins are slow.
        key = question["first"], question["count"], question["period"]
        if key not in self.schedules:
            look = functools.partial(looks.schedule, question["count"])
            answer = self.worker.ask(question, ASKED[do], look=look).answer
            self.schedules[key] = answer
        return self.schedules[key]
