"""Statistics, stored runs and the stored table of `make calibrate` are right.

A run is one grading of exercise 9. In a run, each training on a task is a try. Facts
are numbers that describe a drawn task, such as the length of the shortest way.
"""

import json
import math
from concurrent.futures import Future

import pytest

from grader.contract.learning import CARTPOLE, FULL, MAZE, MAZE_SHARE
from tests.support.calibration.runs import (
    RUNS,
    SETTINGS,
    TABLE,
    Learner,
    current,
    digest,
    learners,
    read,
)
from tests.support.calibration.statistics import (
    bounds,
    false_fail,
    first_tries,
    grouped,
    hardness,
    measured_severity,
    passed,
    quantile,
    steps,
)
from tests.support.calibration.table import report
from tests.tools import calibrate

STALE = "stale: run `make calibrate` (LIMIT=0 only writes the table)"
RIGHT = Learner("solution", "solution", "x = 1")
STYLE = Learner("own style", "whole", "x = 0")
BAD = Learner("bad", "F", "x = 2")
SLOW = Learner("slow", "D", "x = 3")
LEARNERS = [RIGHT, STYLE, BAD, SLOW]
ROOMS = {"shortest": 4.0, "random_walk": 20.0, "farthest": 7.0}
TURN = {"swapped": 0.0, "reflected": 1.0, "overlap": 0.75}


def maze_try(mean_return: float | None = -4.0, steps: int = 1536, **facts) -> dict:
    """Return the stored record of a try at the maze.

    Args:
        mean_return: minus the mean number of steps to the exit; None if the try was
            stopped.
        steps: environment steps of the training.
        facts: facts on the maze that are replaced.
    """
    return {"mean_return": mean_return, "steps": steps, "facts": ROOMS | facts}


def turned_try(mean_return: float | None = 500.0, steps: int = 5120, **facts) -> dict:
    """Return the stored record of a try at the turned CartPole.

    Args:
        mean_return: the mean return; None if the try was stopped.
        steps: environment steps of the training.
        facts: facts on the task that are replaced.
    """
    return {"mean_return": mean_return, "steps": steps, "facts": TURN | facts}


def made_up(learner: Learner = RIGHT, number: int = 1, **more: object) -> dict:
    """Return the stored record of a run with full points, without any grading.

    Args:
        learner: the hand-in.
        number: number of the run, from 1.
        more: fields that are replaced.
    """
    fields = {"run": learner.name, "source": learner.digest, "number": number}
    fields |= {"lost": [], "table_error": 0.02, "by_formula": False, "problem": ""}
    fields |= {MAZE: [maze_try()], CARTPOLE: [turned_try()], "seconds": 6.0}
    return fields | {"session": 1} | more


# ---------------------------------------------------------------- the statistics


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    # For 0 hits in n trials the upper bound is 1 - 0.025^(1/n). The last two rows are
    # from the tables of Clopper and Pearson.
    [
        (0, 10, 0, 1 - 0.025**0.1),
        (10, 10, 0.025**0.1, 1),
        (5, 10, 0.1871, 0.8129),
        (1, 10, 0.0025, 0.4450),
    ],
)
def test_exact_bounds(hits, trials, low, high):
    """The confidence bounds of a proportion are those of Clopper and Pearson."""
    assert bounds(hits, trials) == pytest.approx((low, high), abs=1e-4)


def test_false_fails():
    """If one try fails with probability p, k independent tries fail with p^k.

    The upper bound of p^k is the k-th power of the upper bound of p.
    """
    assert false_fail(3, 100, 1)[0] == pytest.approx(0.03)
    expected = (0.03**3, bounds(3, 100)[1] ** 3)
    assert false_fail(3, 100, 3) == pytest.approx(expected, rel=1e-9)


def test_quantiles_are_values():
    """A quantile of some values is one of these values, without interpolation.

    This holds even if some values are infinite.
    """
    assert quantile([3.0, math.inf, 1.0, 2.0, math.inf], 0.5) == 3
    assert quantile([3.0, math.inf, 1.0], 1) == math.inf


def test_a_try_passes_as_the_check_judges():
    """A try passes if its result reaches the threshold of its task.

    A try that was stopped never passes.
    """
    at = ROOMS["random_walk"] - MAZE_SHARE * (20.0 - 4.0)
    assert passed(maze_try(-at + 0.001), MAZE)
    assert not passed(maze_try(-at - 0.001), MAZE)
    assert not passed(maze_try(None), MAZE)
    assert passed(turned_try(FULL), CARTPOLE)
    assert steps(turned_try(FULL - 0.01), CARTPOLE) == math.inf


def test_only_first_tries_count():
    """Of each run, only the first try at a task counts.

    A run that did not try the task does not count.
    """
    runs = [made_up(maze=[maze_try(-30.0), maze_try()]), made_up(cartpole=[])]
    assert [one["mean_return"] for one in first_tries(runs, MAZE)] == [-30.0, -4.0]
    assert len(first_tries(runs, CARTPOLE)) == 1


def test_measured_severity():
    """The severity of a mistake is a letter, which follows from runs with the mistake.

    "F" (fails): no run has full points. "D" (learns more slowly): a smaller proportion
    of runs than with the solution has full points, or tries need more steps. Otherwise
    the severity is "S".
    """
    right = [
        made_up(number=i, cartpole=[turned_try(steps=1024 * (5 + i % 8))])
        for i in range(80)
    ]
    never = [made_up(lost=["tables"])] * 10
    assert measured_severity(never, right) == "F"
    assert measured_severity([*never[1:], made_up()], right) == "D"
    slow = [made_up(cartpole=[turned_try(steps=20_480)])] * 10
    assert measured_severity(slow, right) == "D"
    assert measured_severity(right[:10], right) == "S"


def test_what_is_harder():
    """`hardness` says how a fact is related to the steps of tries and to failed tries.

    It is None if all tries have the same value of the fact.
    """
    tries = [
        maze_try(steps=512 * (2 + i % 4), shortest=4 + i % 4 / 10) for i in range(40)
    ]
    found = hardness(tries, MAZE, "shortest")
    assert found.rho == pytest.approx(1)
    assert found.p_steps < 1e-6
    assert found.p_failed is None
    assert hardness(tries, MAZE, "farthest") is None

    failing = [turned_try(9.0 if i < 20 else 500.0, swapped=i < 20) for i in range(40)]
    found = hardness(failing, CARTPOLE, "swapped")
    assert found.rho == pytest.approx(1)
    assert found.p_failed < 1e-6
    fair = [
        turned_try(9.0 if i < 20 else 500.0, swapped=float(i % 2)) for i in range(40)
    ]
    assert hardness(fair, CARTPOLE, "swapped").p_failed == pytest.approx(1)


def test_groups():
    """`grouped` makes one group of tries for each value of a fact with few values.

    A fact with many values gives four groups of about the same size.
    """
    tries = [turned_try(overlap=0.5 + i / 100, swapped=float(i % 2)) for i in range(40)]
    assert {k: len(of) for k, of in grouped(tries, "swapped").items()} == {
        "0": 20,
        "1": 20,
    }
    sizes = [len(of) for of in grouped(tries, "overlap").values()]
    assert sizes == pytest.approx([10] * 4, abs=1)
    assert sum(sizes) == 40


def test_comments_do_not_change_a_digest():
    """Comments and docstrings do not change the hash of a source; code does."""
    plain = "def f(x):\n    return x\n"
    told = 'def f(x):\n    """Doc."""\n    return x  # why\n'
    assert digest(told) == digest(plain) != digest(plain.replace("x", "y"))


# ---------------------------------------------------------------- storing and resuming


@pytest.fixture
def calibrated(tmp_path):
    """Return a function (hand-ins, seconds) that calibrates; the gradings are fakes.

    The function returns the stored runs, and the pair (name of the hand-in, number of
    the run) for each run that was made.
    """

    def calibrate_with(measured, seconds=math.inf):
        asked = []

        def submit(learner, number):
            asked.append((learner.name, number))
            future = Future()
            run = made_up(learner, number)
            del run["session"]
            future.set_result(run)
            return future

        path = tmp_path / "runs.jsonl"
        return calibrate.calibrate(path, measured, seconds, submit), asked

    return calibrate_with


def test_resuming_skips_what_is_there(tmp_path, calibrated):
    """A second call makes no stored run again, except a run whose line was cut off."""
    stored, asked = calibrated(LEARNERS)
    assert len(asked) == len(set(asked)) == len(stored.runs) == 200 + 8 + 10 + 10
    assert {name for name, _ in asked[:200]} == {"solution"}
    session = stored.sessions[stored.runs[0]["session"]]
    assert session["settings"] == SETTINGS
    assert {"jax", "numpy", "gymnasium"} < set(session["packages"])

    path = tmp_path / "runs.jsonl"
    path.write_text(path.read_text()[:-30])
    assert len(calibrated(LEARNERS)[1]) == 1
    assert not calibrated(LEARNERS)[1]


def test_what_has_changed_is_graded_again(tmp_path, calibrated, monkeypatch):
    """A run is made again if the text of the hand-in or the grader's code has changed.

    Stored runs of a changed hand-in, or with other settings, are deleted.
    """
    calibrated([BAD, SLOW])
    stored, _ = calibrated([Learner("bad", "F", "x = 4"), SLOW], 0)
    assert {run["run"] for run in stored.runs} == {"slow"}

    monkeypatch.setattr(calibrate, "code_now", lambda: "another")
    stored, asked = calibrated([SLOW])
    assert {name for name, _ in asked} == {"slow"}
    assert len(stored.runs) == 20
    assert len(calibrated([SLOW], 0)[0].runs) == 10

    monkeypatch.setitem(SETTINGS, MAZE, {"env_steps": 1})
    assert not calibrated([SLOW], 0)[0].runs


def test_limit(calibrated):
    """If no time is left, no run begins."""
    for seconds in (0, 1e-9):
        stored, asked = calibrated(LEARNERS, seconds)
        assert not stored.runs
        assert not asked


def test_each_once_before_one_twice():
    """Each hand-in of a kind gets its first run before one of them gets a second."""
    measured = [*LEARNERS, Learner("worse", "F", "x = 5")]
    done = {(m.name, n) for m in (RIGHT, STYLE) for n in range(1, 201)} | {("worse", 1)}
    order = [(learner.name, n) for learner, n in calibrate.to_do(measured, done)]
    assert order[:4] == [("bad", 1), ("bad", 2), ("worse", 2), ("bad", 3)]
    assert {name for name, _ in order[-10:]} == {"slow"}


# ---------------------------------------------------------------- what is stored here


def test_stored_runs_are_of_today():
    """The stored runs fit the hand-ins and settings in this repository."""
    stored = read(RUNS)
    assert len(current(stored, learners()).runs) == len(stored.runs), STALE


def test_the_table_is_what_the_runs_give():
    """The stored CALIBRATION.md is what `report` returns for the stored runs."""
    text = report(read(RUNS), learners())
    assert TABLE.read_text(encoding="utf-8") == text, STALE


def test_the_table_tells(tmp_path):
    """The table shows the right numbers for some fake runs.

    It also says that it is partial, because more runs are wanted than there are.
    """
    session = {"session": 1, "code": "c0de", "started": "then", "packages": {}}
    session |= {"python": "3", "platform": "here", "cores": 2, "settings": SETTINGS}
    runs = [
        made_up(number=n, maze=[maze_try(steps=512 * (1 + n % 3), shortest=4 + n % 3)])
        for n in range(1, 99)
    ]
    runs.append(made_up(number=99, maze=[maze_try(-30.0), maze_try()]))
    lost = {"lost": ["cartpole_full"], "cartpole": [turned_try(300.0)] * 3}
    runs.append(made_up(number=100, **lost))
    runs += [made_up(STYLE, n) for n in range(1, 4)]
    quick = [maze_try(steps=512)]
    runs += [made_up(m, n, maze=quick) for m in (BAD, SLOW) for n in range(1, 11)]
    path = tmp_path / "runs.jsonl"
    path.write_text("".join(json.dumps(entry) + "\n" for entry in (session, *runs)))
    text = report(read(path), LEARNERS)
    assert "PARTIAL" in text
    assert "103 gradings of right work, 1 with a lost point" in text
    assert "- seed `solution 100`: lost cartpole_full" in text
    low, high = bounds(102, 103)
    row = f"| 102 of 103 | {low:.1%} to {high:.1%} | 0.0097 (≤ {1 - low:.2g}) |"
    assert f"| the maze, 0.9 {row}" in text
    assert f"| CartPole, 195 | 103 of 103 | {bounds(103, 103)[0]:.1%}" in text
    assert f"| CartPole, 450 {row}" in text
    assert f"at most {2 * (1 - low) ** 3:.2g}, which is NOT below 0.0001" in text
    assert "`shortest`: the larger, the more steps" in text
    assert "| the maze: tries in a grading | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 2 |" in text
    assert "Harder to pass than the rest: none. Needs more steps: shortest." in text
    assert "| own style | 3 | 3 | 3 | 3 | 3 | 3 of 3 | 3 of 3 | 1536 | 5120 |" in text
    assert "bad (F, measured S), slow (D, measured S)" in text
