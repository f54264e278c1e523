"""Our DQN with the grader: `make grade ONLY=learning SUBMISSION=solution`.

The grader's command line runs in this process and starts helpers. The training time is
the time of all requests that train in the maze or on CartPole. It includes compilation
and the test episodes. The number of steps is the sum over all trainings on CartPole.
"""

import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from told import say

from grader import cli
from grader.oracle import runner_client

SOLUTION = Path(__file__).resolve().parents[4] / "solution"


def main() -> None:
    """Grade the solution with the seed on the command line; report the result."""
    trainings: list[float] = []
    steps: list[int] = []
    original = runner_client.RunnerClient.untrusted

    def untrusted(self: Any, request: dict, *rest: Any, **more: Any) -> dict:
        started = time.perf_counter()
        answer = original(self, request, *rest, **more)
        if request["do"] == "learn":
            trainings.append(time.perf_counter() - started)
            if request["task"] == "cartpole":  # the time of the maze counts, too
                steps.append(int(answer["curve"][-1][0]))
        return answer

    runner_client.RunnerClient.untrusted = untrusted
    with tempfile.TemporaryDirectory() as out:
        options = ["--only", "learning", "--seed", sys.argv[1], "--out", out]
        sys.argv = ["grader", "grade", str(SOLUTION), *options]
        with contextlib.redirect_stdout(sys.stderr):
            if cli.main():
                sys.exit("the grader could not grade")
        report = json.loads((Path(out) / "report.json").read_text(encoding="utf-8"))
    reached = report["learning"]["cartpole"]["mean_return"]
    say("likewise", sum(steps), reached, sum(trainings))


if __name__ == "__main__":
    main()
