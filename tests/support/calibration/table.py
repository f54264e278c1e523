"""Make the page `tests/evidence/CALIBRATION.md` from the stored runs.

A run is one grading of exercise 9, see `trial.graded`. A try is one training of the
maze or of CartPole in a run.
"""

from collections import Counter

import numpy as np

from grader.contract.learning import (
    CARTPOLE,
    CLOSE,
    FULL,
    HALF,
    MAZE,
    MAZE_SHARE,
)
from grader.contract.limits import LIMITS
from tests.support.calibration.runs import (
    ENOUGH,
    RIGHT,
    SETTINGS,
    Learner,
    Run,
    Stored,
    current,
)
from tests.support.calibration.statistics import (
    CLEAR,
    FACTS,
    Hardness,
    Try,
    bounds,
    false_fail,
    first_tries,
    grouped,
    hardness,
    measured_severity,
    passed,
    quantile,
    score,
    steps,
)

AIM = 1e-4  # Right work must lose points by chance with a smaller probability.
# A p-value below this counts as a difference between the tasks that are drawn. It is
# smaller than `CLEAR`, because there are a dozen of these tests.
HARDER = 0.001
TASKS = {MAZE: "the maze", CARTPOLE: "CartPole"}
SHARES = (0, 0.05, 0.25, 0.5, 0.75, 0.9, 0.99, 1)
ByName = dict[str, list[Run]]


def report(stored: Stored, measured: list[Learner]) -> str:
    """Return the text of CALIBRATION.md, from the runs that count (see `current`)."""
    counting = current(stored, measured)
    by_name: ByName = {learner.name: [] for learner in measured}
    for run in counting.runs:
        by_name[run["run"]].append(run)
    done = sum(min(len(by_name[m.name]), ENOUGH[m.kind]) for m in measured)
    wanted = sum(ENOUGH[m.kind] for m in measured)
    right = [run for m in measured if m.kind in RIGHT for run in by_name[m.name]]
    solution = by_name["solution"]
    lines = [
        "# How reliable learning is",
        "",
        "Written by `make calibrate` from the runs in "
        "`tests/evidence/calibration/runs.jsonl`.",
        "A run is one grading of exercise 9. Run n of a hand-in has the seed",
        '"NAME n", with the name of the hand-in: it is that of',
        '`make grade ONLY=learning SEED="solution 1"`. A try is one training in a run.',
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
        lines += [*of_right_work(right), *of_false_fails(right)]
    if solution:
        lines += [
            *(line for task in TASKS for line in of_hardness(solution, task)),
            *of_styles([m for m in measured if m.kind in RIGHT], by_name),
            *of_mutants([m for m in measured if m.kind not in RIGHT], by_name),
        ]
    return "\n".join(lines)


def of_constants() -> list[str]:
    """Return the lines of the section that lists the constants of exercise 9."""
    ours = {"CLOSE": CLOSE, "MAZE_SHARE": MAZE_SHARE, "HALF": HALF, "FULL": FULL}
    rows = [["`trainings`", str(LIMITS.trainings), ""]]
    rows += [[f"`{name}`", f"{value:g}", ""] for name, value in ours.items()]
    maze, cartpole = SETTINGS[MAZE], SETTINGS[CARTPOLE]
    for name, value in cartpole.items():
        other = maze[name]
        if name in ("solved_at", "promising_at"):
            shown = "depends on the maze"
        else:
            shown = "" if other == value else f"{other:g}"
        rows.append([f"`{name}`", f"{value:g}", shown])
    return [
        "## The values in force",
        "",
        "`trainings` is in `Limits`, the next four in `grader/contract/learning.py`,",
        "the others in `SETTINGS` and `MAZE_SETTINGS` of `starter/train.py`.",
        "",
        *as_table(["constant", "value", "in the maze"], rows),
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
        "`code` is a hash of the files that decide what learning does.",
        "",
        *as_table(["session", "started", "runs", "code", "where", "packages"], rows),
    ]


def of_right_work(runs: list[Run]) -> list[str]:
    """Return the lines of the section "Right work", from runs of right hand-ins."""
    errors = [run["table_error"] for run in runs if run["table_error"] is not None]
    columns = {"error of the table worlds, share of the allowed one": errors}
    for task, name in TASKS.items():
        tries = first_tries(runs, task)
        what = "share of the way" if task == MAZE else "mean return"
        columns |= {
            f"{name}: {what}": [score(one, task) for one in tries],
            f"{name}: environment steps": [one["steps"] for one in tries],
            f"{name}: tries in a grading": [len(run[task]) for run in runs],
        }
    columns["seconds (two gradings at a time)"] = [run["seconds"] for run in runs]
    quantiles = [
        [name, *(f"{quantile(values, share):.4g}" for share in SHARES)]
        for name, values in columns.items()
        if values
    ]
    failed = [run for run in runs if run["lost"]]
    seeds = {f"{run['run']} {run['number']}": run for run in failed}
    return [
        "## Right work",
        "",
        f"**{len(runs)} gradings of right work, {len(failed)} with a lost point.**",
        *(
            f"- seed `{seed}`: lost {', '.join(run['lost'])}; {run['problem']}"
            for seed, run in seeds.items()
        ),
        "",
        "The solution and the other styles, the first try at each task:",
        "",
        *as_table(["", *(percent(share) for share in SHARES)], quantiles),
    ]


def percent(share: float) -> str:
    """Return "least" for 0, "most" for 1, and for other shares a text such as "25%"."""
    return {0: "least", 1: "most"}.get(share, f"{share:.0%}")


def of_false_fails(runs: list[Run]) -> list[str]:
    """Return the lines of the section "False fails", from runs of right hand-ins."""
    thresholds = [(MAZE, MAZE_SHARE), (CARTPOLE, HALF), (CARTPOLE, FULL)]
    rows, sums = [], np.zeros(2)
    for task, threshold in thresholds:
        tries = first_tries(runs, task)
        failed = sum(score(one, task) < threshold for one in tries)
        if not tries:
            continue
        low, high = bounds(len(tries) - failed, len(tries))
        fails = [
            false_fail(failed, len(tries), k) for k in range(1, LIMITS.trainings + 1)
        ]
        rows.append(
            [
                f"{TASKS[task]}, {threshold:g}",
                f"{len(tries) - failed} of {len(tries)}",
                f"{low:.1%} to {high:.1%}",
                *(f"{rate:.2g} (≤ {bound:.2g})" for rate, bound in fails),
            ]
        )
        if threshold != HALF:
            sums += fails[-1]
    kept = "below" if sums[1] < AIM else "NOT below"
    tried = [f"fails, k = {k}" for k in range(1, LIMITS.trainings + 1)]
    return [
        "## False fails",
        "",
        f"A grading makes up to {LIMITS.trainings} tries at a task and stops at the",
        "first one with full points. How often right work reaches a threshold at the",
        "first try, and how often it fails k tries by chance; in brackets the exact",
        "95 % bound.",
        "",
        *as_table(
            ["threshold", "first tries that reach it", "95 % bounds", *tried], rows
        ),
        f"The maze and CartPole together fail right work with a probability of "
        f"{sums[0]:.2g}, at most {sums[1]:.2g}, which is {kept} {AIM:g}.",
        "",
    ]


def of_hardness(runs: list[Run], task: str) -> list[str]:
    """Return the lines of the section "How hard the drawn tasks are" for one task.

    Args:
        runs: the runs of the solution.
        task: `MAZE` or `CARTPOLE`.
    """
    tries = [one for one in first_tries(runs, task) if one["facts"]]
    found = {fact: hardness(tries, task, fact) for fact in FACTS[task]}
    rows = []
    for fact, words in FACTS[task].items():
        rows += [
            [words, value, *group_figures(group, task)]
            for value, group in grouped(tries, fact).items()
        ]
    unit = "least share" if task == MAZE else "least mean return"
    return [
        f"## How hard the drawn tasks are: {TASKS[task]}",
        "",
        "First tries of the solution by what was drawn:",
        "",
        *as_table(["fact", "value", "tries", "pass", "median steps", unit], rows),
        f"Is one harder than the rest? (A difference counts if p < {HARDER:g}.)",
        "",
        *(f"- {sentence(*item)}" for item in found.items()),
        "",
        f"**{verdict(found)}**",
        "",
    ]


def verdict(found: dict[str, Hardness | None]) -> str:
    """Return two sentences that name the facts with which a task is harder.

    The first sentence is on passing, the second one on the number of steps.

    Args:
        found: the result of `hardness` by the name of the fact.
    """
    known = {fact: hard for fact, hard in found.items() if hard}
    failing = [f for f, hard in known.items() if (hard.p_failed or 1) < HARDER]
    slower = [f for f, hard in known.items() if hard.p_steps < HARDER]
    return (
        f"Harder to pass than the rest: {', '.join(failing) or 'none'}. "
        f"Needs more steps: {', '.join(slower) or 'none'}."
    )


def group_figures(tries: list[Try], task: str) -> list[str]:
    """Return the cells for a group of tries: count, passed, median steps, least score.

    Args:
        tries: the tries, at least one.
        task: `MAZE` or `CARTPOLE`.
    """
    middle = quantile((steps(one, task) for one in tries), 0.5)
    return [
        str(len(tries)),
        str(sum(passed(one, task) for one in tries)),
        f"{middle:.0f}",
        f"{min(score(one, task) for one in tries):.4g}",
    ]


def sentence(fact: str, found: Hardness | None) -> str:
    """Return a sentence on whether a fact makes a task harder, from its `hardness`."""
    if found is None:
        return f"`{fact}`: too few different tries to compare"
    p = f"ρ = {found.rho:.2f}, p = {found.p_steps:.2g}"
    if found.p_steps >= HARDER:
        words = f"`{fact}`: no difference in the steps is seen ({p})"
    else:
        more = "larger" if found.rho > 0 else "smaller"
        words = f"`{fact}`: the {more}, the more steps ({p})"
    if found.p_failed is None:
        return f"{words}; all first tries passed"
    seen = "no difference" if found.p_failed >= HARDER else "a DIFFERENCE"
    return f"{words}; {seen} in passing is seen (p = {found.p_failed:.2g})"


FIGURES = [
    *("runs", "all points", "tables", "maze", "CartPole"),
    *("maze at once", "CartPole at once", "maze steps", "CartPole steps"),
]


def figures(runs: list[Run]) -> list[str]:
    """Return the table cells for the columns `FIGURES`, from at least one run.

    The columns "at once" count the first tries that get all points. The columns with
    steps have the median of the steps of all first tries, or "never".
    """
    checks = ("tables", "maze", "cartpole_full")
    kept = [sum(check not in run["lost"] for run in runs) for check in checks]
    at_once, medians = [], []
    for task in TASKS:
        taken = [steps(one, task) for one in first_tries(runs, task)]
        at_once.append(f"{sum(np.isfinite(taken)):d} of {len(taken)}")
        middle = quantile(taken, 0.5) if taken else np.inf
        medians.append(f"{middle:.0f}" if np.isfinite(middle) else "never")
    full = sum(not run["lost"] for run in runs)
    return [*map(str, (len(runs), full, *kept)), *at_once, *medians]


def of_styles(styles: list[Learner], by_name: ByName) -> list[str]:
    """Return the lines of the section "Right hand-ins, one by one".

    The rows are in the order of `styles`; `by_name` has the runs by hand-in's name.
    """
    rows = [
        [learner.name, *figures(by_name[learner.name])]
        for learner in styles
        if by_name[learner.name]
    ]
    return [
        "## Right hand-ins, one by one",
        "",
        f"{len(rows)} of {len(styles)} have been graded. The columns count gradings:",
        "with all points of exercise 9, with those of the table worlds, of the maze",
        "and of CartPole; then first tries that pass, and their median steps.",
        "",
        *as_table(["hand-in", *FIGURES], rows),
    ]


def of_mutants(mutants: list[Learner], by_name: ByName) -> list[str]:
    """Return the lines of the section "Known mistakes".

    Args:
        mutants: the mutants, in the order of the rows.
        by_name: the runs of each hand-in, by its name.
    """
    rows, differ, confirmed = [], [], 0
    for mutant in mutants:
        runs = by_name[mutant.name]
        if not runs:
            continue
        found = measured_severity(runs, by_name["solution"])
        agrees = "yes" if found == mutant.kind else "NO"
        if len(runs) < ENOUGH[mutant.kind]:
            agrees = "too few runs"
        confirmed += agrees == "yes"
        if agrees == "NO":
            differ.append(f"{mutant.name} ({mutant.kind}, measured {found})")
        problems = Counter(run["problem"] for run in runs if run["problem"])
        why = "; ".join(f"{p} ({n} ×)" for p, n in problems.most_common(1))
        by_formula = str(sum(run["by_formula"] for run in runs))
        found_too = [by_formula, found, agrees, why]
        rows.append([mutant.name, mutant.kind, *figures(runs), *found_too])
    missing = [mutant.name for mutant in mutants if not by_name[mutant.name]]
    head = ["mutant", "severity", *FIGURES, "by formula", "measured", "agrees"]
    return [
        "## Known mistakes",
        "",
        "The severity in `tests/corpus/mutants/` (F: no full marks, D: learns worse),",
        "and the measured one: F if no grading has all points; D if fewer gradings",
        "than of the solution have all points (Fisher), or the first tries at a task",
        f"need more steps (Mann-Whitney; one-sided, p < {CLEAR:g}); S if no difference",
        'is seen. "By formula" counts gradings that learned by the formula of a wrong',
        "`td_loss`. The grading of an F mutant ends after table worlds that have lost",
        "points, because it cannot have all points any more.",
        "",
        f"- {len(rows)} have been graded, {confirmed} are confirmed",
        f"- not what their severity says: {', '.join(differ) or 'none'}",
        f"- not graded yet: {', '.join(missing) or 'none'}",
        "",
        *as_table([*head, "why it stopped"], rows),
    ]


def as_table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return the lines of a Markdown table, followed by an empty line."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(c.replace('|', '∣') for c in row)} |" for row in lines] + [
        ""
    ]
