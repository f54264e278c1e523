"""Statistics of training runs, and the page `tests/evidence/CALIBRATION.md`.

A run is one training on CartPole with the evaluation after it. `calibrate.py` makes
runs and stores them in `calibration/runs.jsonl`, one JSON object in each line. A line
with the key "code" is a session: its start, its code, its settings. Any other line is a
run, and it holds the number of its session.
"""

import ast
import hashlib
import importlib.util
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from scipy import stats

from grader.contract.learning import FULL, HALF
from grader.contract.limits import LIMITS
from tests.corpus.mutants import MUTANTS
from tests.corpus.variants import WHOLE
from tests.support.edits import ROOT, SOLUTION

EVIDENCE = ROOT / "tests" / "evidence"
RUNS = EVIDENCE / "calibration" / "runs.jsonl"
TABLE = EVIDENCE / "CALIBRATION.md"

LEARN = (
    *("q_network", "epsilon_greedy", "replay_buffer"),
    *("td_loss", "td_update", "sync_target"),
)
# The wanted number of runs of each hand-in, by kind. "S" (silent) needs no runs, but
# stored runs of a mutant that was found to be silent are kept.
ENOUGH = {"solution": 200, "whole": 3, "F": 10, "D": 10, "S": 0}
DECIDING = 10  # number of runs that is enough to tell a mutant's severity
AIM = 1e-4  # A right hand-in must lose points by chance with a smaller probability.
CLEAR = 0.01  # a p-value below this counts as a difference

DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef
Run = dict[str, Any]


@dataclass(frozen=True)
class Learner:
    """A hand-in whose learning is measured.

    Attributes:
        name: name of the hand-in.
        kind: "solution", "whole" (a right hand-in in another style), or the severity of
            a mutant: "F", "D" or "S".
        source: text of `dqn.py`.
    """

    name: str
    kind: str
    source: str

    @property
    def digest(self) -> str:
        """A hash of the source without comments and docstrings."""
        return digest(self.source)


@dataclass(frozen=True)
class Stored:
    """The content of `runs.jsonl`.

    Attributes:
        sessions: the sessions, by their numbers.
        runs: the runs, in the order of the file.
    """

    sessions: dict[int, dict[str, Any]]
    runs: list[Run]


def learners() -> list[Learner]:
    """Return all hand-ins whose learning is measured, in the order of measurement."""
    mutants = [
        Learner(m.id, m.severity, m.source) for m in MUTANTS if m.exercise in LEARN
    ]
    return [
        Learner("solution", "solution", SOLUTION),
        *(Learner(variant.name, "whole", variant.source) for variant in WHOLE),
        *(m for kind in "FDS" for m in mutants if m.kind == kind),
    ]


def digest(*sources: str) -> str:
    """Return a short hash of Python sources, without comments and docstrings."""
    hashed = hashlib.sha256()
    for source in sources:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
                del node.body[0]
        hashed.update(ast.unparse(tree).encode())
    return hashed.hexdigest()[:12]


def train_module() -> ModuleType:
    """Import and return `starter/train.py`, which holds the settings of the loop."""
    spec = importlib.util.spec_from_file_location("train", ROOT / "starter/train.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SETTINGS: dict[str, Any] = asdict(train_module().SETTINGS)  # today's settings


# ---------------------------------------------------------------- the stored runs


def read(path: Path) -> Stored:
    """Return the sessions and runs in a file; ignore a last line that is cut off."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    entries = [json.loads(line) for line in whole.splitlines()]
    sessions = {e["session"]: e for e in entries if "code" in e}
    return Stored(sessions, [e for e in entries if "code" not in e])


def write(path: Path, stored: Stored) -> None:
    """Replace the content of a file by these runs and the sessions that made them."""
    used = {run["session"] for run in stored.runs}
    kept = [entry for number, entry in stored.sessions.items() if number in used]
    path.parent.mkdir(exist_ok=True)
    lines = [line_of(entry) for entry in (*kept, *stored.runs)]
    new = path.with_suffix(".new")
    new.write_text("".join(lines), encoding="utf-8")
    # Replacing the file in one step keeps hours of runs if the program is killed here.
    new.replace(path)


def line_of(entry: dict[str, Any]) -> str:
    """Return a session or a run as one line of JSON."""
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n"


def current(stored: Stored, measured: Iterable[Learner]) -> Stored:
    """Return the runs that count: the newest one of each hand-in and seed.

    A run counts only if today's source and today's settings were used.

    Args:
        stored: all sessions and runs.
        measured: today's hand-ins.
    """
    digests = {learner.name: learner.digest for learner in measured}
    newest: dict[tuple[str, int], Run] = {}
    for run in stored.runs:
        if (
            run["source"] == digests.get(run["run"])
            and stored.sessions[run["session"]]["settings"] == SETTINGS
        ):
            newest[run["run"], run["seed"]] = run
    return Stored(stored.sessions, list(newest.values()))


# ---------------------------------------------------------------- the statistics


def bounds(hits: int, trials: int) -> tuple[float, float]:
    """Return the exact 95 % confidence bounds of hits / trials (Clopper–Pearson)."""
    low = stats.beta.ppf(0.025, hits, trials - hits + 1) if hits else 0.0
    high = stats.beta.ppf(0.975, hits + 1, trials - hits) if hits < trials else 1.0
    return float(low), float(high)


def reached(runs: list[Run], threshold: float) -> int:
    """Return how many runs have a mean return of at least the threshold."""
    return sum(run["mean_return"] >= threshold for run in runs)


def false_fail(runs: list[Run], threshold: float, tries: int) -> tuple[float, float]:
    """Return the probability that all tries of a right hand-in fail, and its bound.

    The tries of one grading have different seeds, so they are independent.

    Args:
        runs: runs of a right hand-in.
        threshold: mean return that a try must reach.
        tries: maximal number of training runs in one grading.

    Returns:
        The estimated probability, and its 95 % upper bound.
    """
    failed = len(runs) - reached(runs, threshold)
    return (failed / len(runs)) ** tries, bounds(failed, len(runs))[1] ** tries


def tries_needed(runs: list[Run]) -> int | None:
    """Return the smallest number of tries whose `false_fail` bound is below `AIM`.

    The result is None if 9 tries are too few.
    """
    enough = (k for k in range(1, 10) if false_fail(runs, FULL, k)[1] < AIM)
    return next(enough, None)


def solved_after(run: Run) -> float:
    """Return the environment steps before validation was passed; inf if never."""
    return run["steps"] if run["solved"] else float("inf")


def quantile(values: Iterable[float], share: float) -> float:
    """Return a quantile of the values: one of the values, without interpolation.

    Args:
        values: at least one number.
        share: 0 for the least value, 0.5 for the median, 1 for the greatest value.
    """
    ordered = sorted(values)
    return ordered[int(share * (len(ordered) - 1))]


def measured_severity(runs: list[Run], right: list[Run]) -> str:
    """Return a mutant's severity, measured by a comparison with the solution.

    Args:
        runs: runs of the mutant.
        right: runs of the solution.

    Returns:
        "F" if no run of the mutant reaches full points. "D" if a smaller share of its
        runs than of the solution's reach full points (Fisher's test), or if its runs
        need more steps until validation is passed (Mann-Whitney test); both tests are
        one-sided with p < 0.01. "S" otherwise.
    """
    if not reached(runs, FULL):
        return "F"
    full = [[k := reached(group, FULL), len(group) - k] for group in (runs, right)]
    fewer = stats.fisher_exact(full, alternative="less").pvalue
    ours, theirs = ([solved_after(run) for run in group] for group in (runs, right))
    later = stats.mannwhitneyu(ours, theirs, alternative="greater").pvalue
    return "D" if min(fewer, later) < CLEAR else "S"


def p_of_table(counts: list[list[int]]) -> float | None:
    """Return the p-value of a χ² test of independence on a table of counts.

    Rows of zeros are left out. The result is None if fewer than two rows remain or a
    column is all zero: then there is nothing to test.
    """
    table = np.array([row for row in counts if sum(row)])
    if len(table) < 2 or not table.sum(axis=0).all():
        return None
    return float(stats.chi2_contingency(table, correction=False).pvalue)


# ---------------------------------------------------------------- the table


def report(stored: Stored, measured: list[Learner]) -> str:
    """Return the text of CALIBRATION.md, from the runs that count (see `current`)."""
    counting = current(stored, measured)
    by_name: dict[str, list[Run]] = {learner.name: [] for learner in measured}
    for run in counting.runs:
        by_name[run["run"]].append(run)
    right = by_name["solution"]
    of_kind = {
        kind: [learner for learner in measured if learner.kind == kind]
        for kind in ENOUGH
    }
    done = sum(min(len(by_name[m.name]), ENOUGH[m.kind]) for m in measured)
    wanted = sum(ENOUGH[m.kind] for m in measured)
    lines = [
        "# How reliable learning CartPole is",
        "",
        "Written by `make calibrate` from the training runs in "
        "`tests/evidence/calibration/runs.jsonl`.",
        "A run is what the grader does once for a grading: the same programs, disguise",
        "and loop. Seed n is the first run of `make grade SEED=n`.",
        "",
        f"**{done} of the {wanted} runs that are wanted are there"
        + (
            ".**"
            if done >= wanted
            else ": this is a PARTIAL table; `make calibrate` goes on.**"
        ),
        "",
        *of_constants(),
        *of_sessions(counting),
    ]
    if right:
        lines += [
            *of_solution(right),
            *of_disguises(right),
            *of_styles(of_kind["whole"], by_name),
            *of_mutants([m for kind in "FDS" for m in of_kind[kind]], by_name, right),
        ]
    return "\n".join(lines)


def of_constants() -> list[str]:
    """Return the lines of the section "The values in force"."""
    rows = [[f"`{name}`", f"{value:g}"] for name, value in SETTINGS.items()]
    rows = [["`FULL`", f"{FULL:g}"], ["`HALF`", f"{HALF:g}"], *rows]
    rows = [["`trainings`", str(LIMITS.trainings)], *rows]
    return [
        "## The values in force",
        "",
        "`FULL` and `HALF` stand in `grader/contract/learning.py`, `trainings` in",
        "`Limits`, the others in `SETTINGS` of `starter/train.py`.",
        "",
        *as_table(["constant", "value"], rows),
    ]


def of_sessions(stored: Stored) -> list[str]:
    """Return the lines of the section "Provenance": a table of the sessions."""
    count = Counter(run["session"] for run in stored.runs)
    rows = [
        [
            str(number),
            session["started"],
            str(count[number]),
            session["code"],
            f"{session['platform']}, {session['cores']} cores, "
            f"Python {session['python']}",
            ", ".join(f"{k} {v}" for k, v in session["packages"].items()),
        ]
        for number, session in stored.sessions.items()
        if count[number]
    ]
    return [
        "## Provenance",
        "",
        "`code` is a hash of the files that decide what learning does, comments left",
        "aside.",
        "",
        *as_table(["session", "started", "runs", "code", "where", "packages"], rows),
    ]


def of_solution(runs: list[Run]) -> list[str]:
    """Return the lines of the section "The solution", from the solution's runs."""
    n = len(runs)
    variants = len({run["variant"] for run in runs})
    shares = (0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 1)
    columns = {
        "final mean return": [run["mean_return"] for run in runs],
        "environment steps": [run["steps"] for run in runs if not run["problem"]],
        "seconds (two runs at a time)": [run["seconds"] for run in runs],
    }
    quantiles = [
        [name, *(f"{quantile(values, s):.5g}" for s in shares)]
        for name, values in columns.items()
        if values
    ]
    solved = np.array([solved_after(run) for run in runs])
    budgets = [f * SETTINGS["env_steps"] for f in (0.3, 0.4, 0.5, 0.6, 0.8, 1)]
    fails = [
        [f"{threshold:g}", str(tries), f"{rate:.2g}", f"{bound:.2g}"]
        for threshold in (FULL, HALF)
        for tries in range(1, LIMITS.trainings + 1)
        for rate, bound in [false_fail(runs, threshold, tries)]
    ]
    needed = tries_needed(runs)
    verdict = (
        f"The fewest runs with a bound below {AIM:g} at {FULL:g}: {needed}; "
        if needed
        else f"With {n} runs no number of tries has a bound below {AIM:g}; "
    )
    problems = Counter(run["problem"] for run in runs if run["problem"])
    return [
        "## The solution",
        "",
        f"{n} runs, each in the disguise that its seed draws: {variants} different "
        "ones of 768.",
        "",
        *as_table(
            ["", "least", *(f"{s:.0%}" for s in shares[1:-1]), "most"], quantiles
        ),
        *as_table(
            ["threshold", "runs that reach it", "share", "95 % bounds"],
            [
                [f"{t:g}", f"{reached(runs, t)} of {n}", *share(runs, t)]
                for t in (FULL, HALF)
            ],
        ),
        *(f"- stopped: {words} ({times} ×)" for words, times in problems.items()),
        f"A grading trains up to {LIMITS.trainings} times and stops at the first run "
        "with full points. How often a right hand-in fails by chance after k runs,",
        "at most (exact 95 % bound):",
        "",
        *as_table(["threshold", "k", "fails", "bound"], fails),
        f"{verdict}the check uses {LIMITS.trainings}.",
        "",
        f"How many runs have passed validation ({SETTINGS['solved_at']:g} in "
        f"{SETTINGS['validation_episodes']} episodes) within a budget:",
        "",
        *as_table(
            ["environment steps", "runs", "share"],
            [
                [f"{b:.0f}", str((solved <= b).sum()), f"{(solved <= b).mean():.1%}"]
                for b in budgets
            ],
        ),
    ]


def of_disguises(runs: list[Run]) -> list[str]:
    """Return the lines of the section "Is every disguise equally hard?".

    Args:
        runs: runs of the solution.
    """
    kinds: dict[str, dict[str, Callable[[str], bool]]] = {
        "actions": {
            "as they are": lambda v: "~" not in v,
            "swapped": lambda v: "~" in v,
        },
        "signs": {
            f"{flips} flipped": lambda v, flips=flips: v.count("-") == flips
            for flips in range(5)
        },
    }
    drawn = [run for run in runs if run["variant"]]
    middle = quantile(map(solved_after, drawn), 0.5)
    rows, said = [], []
    for name, groups in kinds.items():
        passed, early = [], []
        for words, belongs in groups.items():
            of = [run for run in drawn if belongs(run["variant"])]
            full = reached(of, FULL)
            soon = sum(solved_after(run) <= middle for run in of)
            passed.append([full, len(of) - full])
            early.append([soon, len(of) - soon])
            rows.append(
                [
                    f"{name} {words}",
                    str(len(of)),
                    str(full),
                    str(soon),
                    str(len(of) - soon),
                ]
            )
        p_full, p_early = p_of_table(passed), p_of_table(early)
        said.append(
            f"- {name}: reaching {FULL:g}, "
            + (
                f"p = {p_full:.2f}"
                if p_full is not None
                else "all alike, so there is nothing to test"
            )
            + "; early or late, "
            + (f"p = {p_early:.2f}" if p_early is not None else "nothing to test")
        )
    return [
        "## Is every disguise equally hard?",
        "",
        "The solution's runs by what their disguise does to actions and signs. Early:",
        f"validation is passed within {middle:g} steps, the median of all.",
        "",
        *as_table(["disguise", "runs", f"≥ {FULL:g}", "early", "late"], rows),
        "χ² tests of independence (a small p would say that some are harder):",
        "",
        *said,
        "",
    ]


def of_styles(styles: list[Learner], by_name: dict[str, list[Run]]) -> list[str]:
    """Return the lines of the section "Right hand-ins in other styles".

    Args:
        styles: the right hand-ins to show, in this order.
        by_name: runs by the name of the hand-in.
    """
    rows = [
        [learner.name, *figures(by_name[learner.name])]
        for learner in styles
        if by_name[learner.name]
    ]
    runs = [run for learner in styles for run in by_name[learner.name]]
    total = [f"{reached(runs, FULL)} of {len(runs)} runs reach {FULL:g}"]
    if runs:
        low, high = bounds(reached(runs, FULL), len(runs))
        total.append(f"95 % bounds {low:.1%} to {high:.1%}")
    return [
        "## Right hand-ins in other styles",
        "",
        f"{', '.join(total)}. {len(rows)} of {len(styles)} have been run.",
        "",
        *as_table(["hand-in", *FIGURES], rows),
    ]


FIGURES = ["runs", f"≥ {FULL:g}", f"≥ {HALF:g}", "median return", "median steps"]


def figures(runs: list[Run]) -> list[str]:
    """Return the table cells for the columns `FIGURES`, from at least one run."""
    median = quantile((run["mean_return"] for run in runs), 0.5)
    steps = quantile(map(solved_after, runs), 0.5)
    return [
        str(len(runs)),
        str(reached(runs, FULL)),
        str(reached(runs, HALF)),
        f"{median:.4g}",
        f"{steps:.0f}" if np.isfinite(steps) else "never",
    ]


def of_mutants(
    mutants: list[Learner],
    by_name: dict[str, list[Run]],
    right: list[Run],
) -> list[str]:
    """Return the lines of the section "Known mistakes".

    Args:
        mutants: the mutants to show, in this order.
        by_name: runs by the name of the hand-in.
        right: runs of the solution.
    """
    rows, differ, confirmed = [], [], 0
    for mutant in mutants:
        runs = by_name[mutant.name]
        if not runs:
            continue
        found = measured_severity(runs, right)
        enough = len(runs) >= DECIDING
        verdict = (
            "too few runs" if not enough else "yes" if found == mutant.kind else "NO"
        )
        confirmed += verdict == "yes"
        if verdict == "NO":
            differ.append(f"{mutant.name} ({mutant.kind}, measured {found})")
        by_luck = 1 - (1 - reached(runs, FULL) / len(runs)) ** LIMITS.trainings
        problems = Counter(run["problem"] for run in runs if run["problem"])
        why, times = problems.most_common(1)[0] if problems else ("", 0)
        rows.append(
            [
                *(mutant.name, mutant.kind),
                *figures(runs),
                *(f"{by_luck:.0%}", found, verdict),
                f"{why} ({times} ×)" if why else "",
            ]
        )
    missing = [m.name for m in mutants if ENOUGH[m.kind] and not by_name[m.name]]
    head = [
        "mutant",
        "severity",
        *FIGURES,
        f"full in {LIMITS.trainings} tries",
        "measured",
    ]
    return [
        "## Known mistakes",
        "",
        "The severity that stands in `tests/corpus/mutants/` (F fails CartPole, D",
        f"degrades) beside what was measured: F when no run reaches {FULL:g}; D when",
        "fewer do than of the solution's (Fisher), or validation is passed later",
        f"(Mann-Whitney; both one-sided, p < {CLEAR:g}); S when no difference is seen.",
        f"Fewer than {DECIDING} runs decide nothing.",
        "",
        f"- {len(rows)} have been run, {confirmed} are confirmed",
        f"- not what their severity says: {', '.join(differ) or 'none'}",
        f"- not run yet: {', '.join(missing) or 'none'}",
        "",
        *as_table([*head, "agrees", "why it stopped"], rows),
    ]


def share(runs: list[Run], threshold: float) -> tuple[str, str]:
    """Return the share of runs that reach a threshold, and its 95 % bounds, as text."""
    low, high = bounds(reached(runs, threshold), len(runs))
    return f"{reached(runs, threshold) / len(runs):.1%}", f"{low:.1%} to {high:.1%}"


def as_table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return the lines of a Markdown table and one empty line."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(c.replace('|', '∣') for c in row)} |" for row in lines] + [
        ""
    ]
