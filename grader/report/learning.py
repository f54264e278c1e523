"""Put the results of learning into words, for all outputs.

The argument `learning` is the entry "learning" of report.json: a dict with the results
of the maze and of CartPole, under the keys "maze" and "cartpole". It can be empty.
"""

from typing import Any

from grader.contract.outcomes import Outcome
from grader.report.model import Check

NAMES = {"maze": "Maze", "cartpole": "CartPole"}
BARS = "▁▂▃▄▅▆▇█"
MOST_BARS = 30  # in a curve; if it has more points, a bar is the mean of several points
LONGEST = 40  # steps after which an episode in the maze ends
LARGEST_RETURN = 500  # of CartPole
# The last check of each judged task.
LAST_CHECKS = {"maze": "maze", "cartpole_full": "cartpole"}

Learned = dict[str, Any]  # the entry "learning" of report.json


def results(learning: Learned) -> list[str]:
    """Return two lines for each judged task: the result and the learning curve.

    An empty curve has no line.
    """
    lines = []
    for task in judged(learning):
        entry = learning[task]
        lines += [about(task, entry), sparkline(task, entry)]
    return [*filter(None, lines)]


def below(check: Check, learning: Learned) -> list[str]:
    """Return the lines to print below a check: the result and the curve of its task.

    The list is empty unless the check is the last one of a judged task. If this check
    has not passed, only the curve is returned, because the check's message has the
    result.
    """
    task = LAST_CHECKS.get(check.name, "")
    if task not in judged(learning):
        return []
    entry = learning[task]
    result = about(task, entry) if check.outcome == Outcome.PASSED else ""
    return [*filter(None, [result, sparkline(task, entry)])]


def reasons(learning: Learned) -> list[str]:
    """Return a line for each reason why tasks were not judged.

    A line names the reason and all tasks that were not judged for this reason. A task
    without an entry in `learning` is not named.
    """
    tasks: dict[str, list[str]] = {}
    for task, name in NAMES.items():
        reason = learning.get(task, {}).get("not_judged")
        if reason:
            tasks.setdefault(reason.splitlines()[0], []).append(name)
    return [f"{', '.join(names)}: not judged: {why}" for why, names in tasks.items()]


def judged(learning: Learned) -> list[str]:
    """Return which tasks were judged: a list with "maze", "cartpole", both or none."""
    return [t for t in NAMES if learning.get(t, {}).get("mean_return") is not None]


def about(task: str, entry: dict[str, Any]) -> str:
    """Return the result of a judged task in one line.

    Args:
        task: "maze" or "cartpole".
        entry: the task's entry in report.json.
    """
    mean, runs = entry["mean_return"], entry.get("runs", 1)
    if task == "maze":
        return (
            f"Maze: {-mean:.1f} steps on average; shortest way "
            f"{entry['shortest']:.1f}, random walk {entry['random_walk']:.1f}"
        )
    return f"CartPole: mean return {mean:.1f} of {LARGEST_RETURN}, {run_words(runs)}"


def run_words(runs: int) -> str:
    """Return words on the number of training runs: "the best of 3 training runs"."""
    return "1 training run" if runs == 1 else f"the best of {runs} training runs"


def sparkline(task: str, entry: dict[str, Any]) -> str:
    """Return a learning curve as one line with a row of bars; "" if the curve is empty.

    Args:
        task: "maze" or "cartpole".
        entry: the task's entry in report.json. Its `curve` is a list of pairs
            (environment step, mean return).
    """
    curve = entry["curve"]
    if not curve:
        return ""
    maze = task == "maze"
    low, high = (-LONGEST, -entry["shortest"]) if maze else (0, LARGEST_RETURN)
    size = -(-len(curve) // MOST_BARS)  # points in one bar, rounded up
    groups = [curve[i : i + size] for i in range(0, len(curve), size)]
    means = [sum(mean for _, mean in group) / len(group) for group in groups]
    bars = "".join(bar((mean - low) / (high - low)) for mean in means)
    step, best = max(curve, key=lambda point: point[1])
    words = f"shortest {-best:.1f} steps" if maze else f"highest {best:.0f}"
    return f"step {curve[0][0]} {bars} {curve[-1][0]}, {words} at step {step}"


def bar(share: float) -> str:
    """Return the character that draws one bar of a learning curve.

    Args:
        share: height of the bar: 0 for the lowest bar, 1 for the highest one. Smaller
            and larger numbers are drawn like 0 and 1.
    """
    return BARS[min(max(int(share * len(BARS)), 0), len(BARS) - 1)]
