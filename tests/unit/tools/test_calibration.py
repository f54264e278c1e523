"""The statistics of calibration, the training of missing runs, and the stored table."""

import json
import math

import pytest

from grader.contract.learning import FULL, HALF
from tests.support.calibration import (
    RUNS,
    SETTINGS,
    TABLE,
    Learner,
    bounds,
    current,
    digest,
    false_fail,
    learners,
    measured_severity,
    p_of_table,
    quantile,
    read,
    report,
    tries_needed,
)
from tests.tools import calibrate

STALE = "stale: run `make calibrate` (LIMIT=0 only writes the table)"
RIGHT = Learner("solution", "solution", "x = 1")
BAD = Learner("bad", "F", "x = 2")
SLOW = Learner("slow", "D", "x = 3")
LEARNERS = [RIGHT, BAD, SLOW]


def made_up(mean_return: float = 500.0, steps: int = 20_480, **more: object) -> dict:
    """Return a run as stored; by default the run passes.

    Args:
        mean_return: mean return of the test episodes.
        steps: environment steps until validation was passed.
        more: further entries of the run.
    """
    solved = steps < SETTINGS["env_steps"]
    fields = {"run": "solution", "source": RIGHT.digest, "seed": 1, "session": 1}
    fields |= {"variant": "+0-1+2+3", "mean_return": mean_return, "steps": steps}
    fields |= {"solved": solved, "problem": "", "curve": [], "seconds": 1.0}
    return fields | more


class Fake:
    """A fake trainer; `asked` lists the (name, seed) of all requested runs."""

    asked: list[tuple[str, int]] = []
    stops = 0

    def __init__(self, learner: Learner) -> None:
        self.learner = learner

    def once(self, seed: int) -> dict:
        """Return a run that passes validation but whose mean return is just too low."""
        Fake.asked.append((self.learner.name, seed))
        curve = [(2048, 21.74), (4096, 491.2)]
        return {"variant": "+0", "mean_return": 449.99, "curve": curve, "problem": ""}

    def stop(self) -> None:
        """Count the call; there is no process to stop."""
        Fake.stops += 1


@pytest.fixture
def asked(monkeypatch):
    """Return a function that returns the (name, seed) of all requested runs."""
    monkeypatch.setattr(Fake, "asked", [])
    monkeypatch.setattr(Fake, "stops", 0)
    return lambda: Fake.asked


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
    """The bounds of a share are those of Clopper and Pearson."""
    assert bounds(hits, trials) == pytest.approx((low, high), abs=1e-4)


def test_bounds_hold_what_they_promise():
    """If the true share is the upper bound, P(at most 3 hits) is 2.5 %."""
    hits, trials = 3, 40
    high = bounds(hits, trials)[1]
    chance = sum(
        math.comb(trials, k) * high**k * (1 - high) ** (trials - k)
        for k in range(hits + 1)
    )
    assert chance == pytest.approx(0.025, rel=1e-6)


def test_false_fails():
    """If a run fails with probability p, then k tries fail with probability p^k.

    The upper bound is the k-th power of the bound for one run.
    """
    runs = [made_up(FULL)] * 97 + [made_up(FULL - 0.01)] * 2 + [made_up(HALF - 1)]
    assert false_fail(runs, FULL, 1)[0] == pytest.approx(0.03)
    assert false_fail(runs, FULL, 3) == pytest.approx(
        (0.03**3, bounds(3, 100)[1] ** 3), rel=1e-9
    )
    assert false_fail(runs, HALF, 2)[0] == pytest.approx(0.01**2)


@pytest.mark.parametrize(("runs", "tries"), [(10, 8), (80, 3), (400, 2)])
def test_tries_needed(runs, tries):
    """The more runs have passed without a failure, the fewer tries are needed."""
    found = tries_needed([made_up()] * runs)
    assert found == tries
    high = bounds(0, runs)[1]
    assert high**tries < 1e-4 <= high ** (tries - 1)


def test_quantiles_are_values():
    """A quantile is one of the values, even if some values are infinite."""
    assert quantile([3.0, math.inf, 1.0, 2.0, math.inf], 0.5) == 3
    assert quantile([3.0, math.inf, 1.0], 1) == math.inf


def test_measured_severity():
    """The severity is F without full points, D if slower or rarer, S if the same."""
    right = [made_up(steps=10_240 + 2048 * (i % 8)) for i in range(80)]
    never = [made_up(FULL - 1, SETTINGS["env_steps"])] * 10
    later = [*never[1:], made_up(FULL)]
    assert measured_severity(never, right) == "F"
    assert measured_severity(later, right) == "D"
    # Six of ten runs never pass validation. The ranks alone do not show this, because
    # four runs are earlier than all runs of the solution.
    early = [made_up(steps=6144)] * 4
    assert measured_severity([*early, *never[:6]], right) == "D"
    assert measured_severity(right[:10], right) == "S"


def test_chi_squared():
    """The p-value is right for a table computed by hand; other tables have none."""
    # The expected counts are 15, so χ² = 4 · 25 / 15 with one degree of freedom.
    p = math.erfc(math.sqrt(100 / 15 / 2))
    assert p_of_table([[20, 10], [10, 20]]) == pytest.approx(p)
    assert p_of_table([[20, 0], [30, 0]]) is None
    assert p_of_table([[20, 10], [0, 0]]) is None


def test_comments_do_not_change_a_digest():
    """Comments and docstrings do not change the hash of a source; code does."""
    plain = "def f(x):\n    return x\n"
    told = 'def f(x):\n    """Doc."""\n    return x  # why\n'
    assert digest(told) == digest(plain) != digest(plain.replace("x", "y"))


# ---------------------------------------------------------------- storing and resuming


def test_a_run_is_stored_as_it_ends(tmp_path, asked):
    """A stored run has all measured values, and its mean return is not rounded up."""
    path = tmp_path / "runs.jsonl"
    stored = calibrate.calibrate(path, [SLOW], math.inf, Fake)
    (run,) = (run for run in stored.runs if run["seed"] == 7)
    assert (run["run"], run["source"], run["variant"]) == ("slow", SLOW.digest, "+0")
    assert run["curve"] == [[2048, 21], [4096, 491]]
    assert (run["steps"], run["solved"], run["mean_return"]) == (4096, True, 449.99)
    session = stored.sessions[run["session"]]
    assert session["settings"] == SETTINGS
    assert {"jax", "numpy", "gymnasium"} < set(session["packages"])


def test_resuming_skips_what_is_there(tmp_path, asked):
    """A second call trains no seed again, except a run whose line was cut off."""
    path = tmp_path / "runs.jsonl"
    calibrate.calibrate(path, LEARNERS, math.inf, Fake)
    assert len(asked()) == len(set(asked())) == 220
    # Only 180 of 200, because the last runs of the solution go on beside the next runs.
    assert {name for name, _ in asked()[:180]} == {"solution"}

    text = path.read_text()
    path.write_text(text[:-30])
    asked().clear()
    calibrate.calibrate(path, LEARNERS, math.inf, Fake)
    assert len(asked()) == 1
    asked().clear()
    calibrate.calibrate(path, LEARNERS, math.inf, Fake)
    assert not asked()


def test_what_has_changed_is_trained_again(tmp_path, asked, monkeypatch):
    """A run is done again if the hand-in or the grader's code has changed.

    Runs with other settings, or of a changed hand-in, are deleted.
    """
    path = tmp_path / "runs.jsonl"
    calibrate.calibrate(path, [BAD, SLOW], math.inf, Fake)
    asked().clear()
    stored = calibrate.calibrate(path, [Learner("bad", "F", "x = 4"), SLOW], 0, Fake)
    assert {run["run"] for run in stored.runs} == {"slow"}

    monkeypatch.setattr(calibrate, "code_now", lambda: "another")
    stored = calibrate.calibrate(path, [SLOW], math.inf, Fake)
    assert asked()
    assert {name for name, _ in asked()} == {"slow"}
    assert len(stored.runs) == 20
    assert len(calibrate.calibrate(path, [SLOW], 0, Fake).runs) == 10

    monkeypatch.setitem(SETTINGS, "env_steps", 1)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if "settings" in line:
            line["settings"]["env_steps"] = 2
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert not calibrate.calibrate(path, [SLOW], 0, Fake).runs


def test_limit(tmp_path, asked):
    """If no time is left, no run begins, and all trainers are stopped."""
    path = tmp_path / "runs.jsonl"
    assert not calibrate.calibrate(path, LEARNERS, 0, Fake).runs
    assert not calibrate.calibrate(path, LEARNERS, 1e-9, Fake).runs
    assert not asked()
    assert Fake.stops > 0


def test_some_seeds_of_each_before_many_of_one():
    """Mutants are trained in rounds of a few seeds each; F comes before D."""
    others = [Learner("worse", "F", "x = 5"), *LEARNERS[1:]]
    jobs = calibrate.to_do(others, {("worse", 1), ("bad", 3)})
    order = [(learner.name, seeds) for learner, seeds in jobs]
    assert order[:3] == [("worse", [2]), ("bad", [1, 2]), ("worse", [*range(3, 11)])]
    assert [name for name, _ in order[-2:]] == ["slow"] * 2


# ---------------------------------------------------------------- what is stored here


def test_stored_runs_are_of_today():
    """All stored runs used today's hand-ins and today's settings."""
    stored = read(RUNS)
    assert stored.runs
    assert len(current(stored, learners()).runs) == len(stored.runs), STALE


def test_the_table_is_what_the_runs_give():
    """The stored CALIBRATION.md is what `report` returns for the stored runs."""
    text = report(read(RUNS), learners())
    assert TABLE.read_text(encoding="utf-8") == text, STALE


def test_the_table_tells(tmp_path):
    """The table shows the right numbers for made-up runs.

    The table also says that it is partial, because wanted runs are missing.
    """
    path = tmp_path / "runs.jsonl"
    sessions = [{"session": 1, "code": "c0de", "started": "then", "packages": {}}]
    sessions[0] |= {"python": "3", "platform": "here", "cores": 2}
    sessions[0] |= {"settings": SETTINGS}
    runs = [made_up(seed=s, variant="-0+1+2+3~" * (s % 2)) for s in range(1, 100)]
    runs += [made_up(FULL - 1, SETTINGS["env_steps"], seed=100)]
    runs += [
        made_up(seed=s, run=m.name, source=m.digest)
        for m in (BAD, SLOW)
        for s in range(1, 11)
    ]
    path.write_text("".join(json.dumps(entry) + "\n" for entry in (*sessions, *runs)))
    text = report(read(path), LEARNERS)
    assert "PARTIAL" in text
    assert "| 450 | 99 of 100 | 99.0% | 94.6% to 100.0% |" in text
    assert "| 450 | 2 | 0.0001 |" in text
    assert "bad (F, measured S), slow (D, measured S)" in text
    assert "| signs 1 flipped | 51 |" in text or "| signs 1 flipped | 50 |" in text
