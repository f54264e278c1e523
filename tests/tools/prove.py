"""`make prove`: grade every known right and wrong hand-in, and write the results.

The exit code is 0 if all of this holds:

- every mutant loses points in its own exercise only, and no report names another
  mistake; nearly all mutants are named rightly or described by a sentence
- every reading of a mutant, or of a pair of mutants, also holds for new random numbers;
  for most pairs the reading names both mistakes
- one mutant of each part is graded in exercises 1–8, and loses points in its own
  exercise only
- every check catches a mutant
- every hand-in of `corpus/narrow.py` fails the check that is meant to catch it
- every variant has full marks, and the whole variants (in `WHOLE`) learn
- mutants that cannot learn do not get full marks for learning
- in the table worlds the solution's errors are far below the allowed one, and some
  known mistakes are caught there
- no cheat gets points, except for known holes; the cheats in `TRUSTED` work in a loop
  that trusts the hand-in
- `tests/evidence/MATRIX.md` and `tests/evidence/messages/` were up to date

`make prove IDS="…"` grades single hand-ins of the corpus and shows the results:

- `IDS="td-half sum-vs-mean"`: reports on mutants, as students read them
- `IDS="loss-clones"`: cheats; `IDS=cheats`: all cheats
- `IDS="q_network-leaky-ReLU"`: variants, by their names with - between the words

Ids can be mixed, and * matches any text: `IDS="learning-*"`. `make prove SEEDS=20`
grades the variants (with IDS: some of them) with 20 seeds, and shows how often a right
solution loses points by chance.
"""

import fnmatch
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any

from grader.contract.exercises import UNITS
from grader.contract.outcomes import Outcome
from grader.diagnosis.diagnose import READERS
from tests.corpus.cheats import CHEATS
from tests.corpus.cheats.definition import Cheat, trouble
from tests.corpus.mutants import MUTANTS
from tests.corpus.mutants.definition import Mutant
from tests.corpus.narrow import NARROW, Narrow
from tests.corpus.variants import VARIANTS, WHOLE
from tests.support import chains
from tests.support.claims import claim_of, drawn_pairs, verdict
from tests.support.edits import EXERCISE_OF, ROOT
from tests.support.handins import (
    HandIn,
    Results,
    grade_with_seeds,
    lost,
    processes,
    submit,
)
from tests.support.proof import (
    MATRIX,
    MESSAGES,
    Row,
    begin,
    catches,
    losses,
    matrix,
    messages,
    row,
    same_but_for_rounding,
)

RIGHT = [*VARIANTS, *WHOLE]
PAIRS, PAIRS_SEED = 12, 1  # number of pairs for each part, and seed of the draw
NAMED_PAIRS = 0.9  # least share of pairs for which both mistakes must be named
NAMED = 0.97  # least share of mutants that must be named or told by a sentence
CANNOT_LEARN = ("td-mask-inverted", "td-negative", "sync-never", "up-returns-old")
# Cheats that work with the agent of starter/, because the agent trusts the hand-in.
TRUSTED = ("loss-clones", "rows-invented", "update-walks")
WORKS = 450.0  # least mean return of these cheats with that agent


def main() -> int:
    """Prove everything, or only what the ids or SEEDS select; return the exit code.

    The ids are the arguments of the command line. SEEDS is an environment variable.
    """
    ids = sys.argv[1:]
    if seeds := os.environ.get("SEEDS"):
        return flakes(int(seeds), ids or ["*"])
    if ids:
        return prove_some(ids)
    right = {variant.name: submit(variant.hand_in) for variant in RIGHT}
    apart = {one: submit(in_all_exercises(one)) for one in one_of_each_part()}
    narrow = {one: submit(one.hand_in) for one in NARROW}
    rows = prove(MUTANTS)
    lost_by = {name: losses(future.result()) for name, future in right.items()}
    learn = {variant.name: submit(variant.learning) for variant in WHOLE}
    idle = {id: submit(learning_of(id)) for id in CANNOT_LEARN}
    bad = [
        *problems_of_rows(rows),
        *problems_of_cheats(CHEATS),
        *problems_of_claims(),
        *(f"{name} LOSES {check}" for name in lost_by for check in lost_by[name]),
        *problems_apart(apart),
        *problems_of_narrow(narrow),
        *problems_of_learning(learn, idle),
        *chains.right_work(range(5)),
        *chains.wrong_work([*chains.CAUGHT], range(2)),
        *chains.each_mdp(range(3)),
        *problems_of_trusted(TRUSTED),
        *write_evidence(rows, lost_by),
    ]
    print(matrix(rows, lost_by).partition("## ")[0])
    return exit_code(bad)


def exit_code(bad: list[str]) -> int:
    """Print problems, one in each line; return 1, or 0 if there are none.

    Args:
        bad: a text for each problem.
    """
    print("\n".join(bad))
    return 1 if bad else 0


def prove_some(ids: list[str]) -> int:
    """Grade the hand-ins with these ids and print the results; return the exit code.

    Args:
        ids: the ids of mutants, variants, narrow mistakes or cheats; * matches any
            text.
    """
    rights = [variant for variant in RIGHT if matches(variant, ids)]
    narrow = [one for one in NARROW if matches(one, ids)]
    cheats = [c for c in CHEATS if matches(c, ids) or "cheats" in ids]
    futures = [submit(variant.hand_in) for variant in rights]
    rows = prove([mutant for mutant in MUTANTS if matches(mutant, ids)])
    for r in rows:
        print(f"\n{r.mutant.id}: {r.mutant.misconception}\n{r.text}")
    bad = [word for r in rows for word in problems_of_row(r)]
    for variant, future in zip(rights, futures, strict=True):
        checks = losses(future.result())
        words = f"LOSES {'; '.join(checks)}" if checks else "loses nothing"
        print(f"right {variant.id}  {words}", flush=True)
        bad += [f"{variant.id} LOSES {check}" for check in checks]
    bad += problems_of_narrow({one: submit(one.hand_in) for one in narrow})
    bad += problems_of_cheats(cheats)
    if not (rows or rights or narrow or cheats):
        bad.append("no mutant, variant or cheat has such an id")
    return exit_code(bad)


def matches(one: Any, ids: list[str]) -> bool:
    """Tell whether a hand-in's id matches one of some ids; * matches any text.

    Args:
        one: a mutant, a variant, a narrow mistake or a cheat.
        ids: the ids.
    """
    return any(fnmatch.fnmatchcase(one.id, pattern) for pattern in ids)


# ------------------------------------------------------------------ mutants


def prove(chosen: list[Mutant]) -> list[Row]:
    """Grade mutants, print a line on each, and return their rows of the kill matrix.

    Args:
        chosen: the mutants.
    """
    futures = begin(chosen)
    rows: list[Row] = []
    for mutant in chosen:
        rows.append(row(mutant, futures[mutant.id]))
        print(f"{len(rows):4d} of {len(chosen)}  {in_one_line(rows[-1])}", flush=True)
    return rows


def in_one_line(r: Row) -> str:
    """Return a line on a mutant: its id, whether it is caught, how it is named.

    Args:
        r: the mutant's row of the kill matrix.
    """
    words = [r.mutant.id, "caught" if r.lost else "SURVIVES", r.named]
    words += [f"ELSEWHERE {name}" for name in r.elsewhere]
    return "  ".join(words)


def problems_of_row(r: Row) -> list[str]:
    """Return a text for each problem of one mutant; [] if there is none.

    A problem is: no lost points, points lost in other exercises, the name of another
    mistake.

    Args:
        r: the mutant's row of the kill matrix.
    """
    wrong = [] if r.lost and r.points > 0 else ["SURVIVES"]
    wrong += [f"ELSEWHERE {name}" for name in r.elsewhere]
    wrong += [r.named] if r.named.startswith("WRONG") else []
    return [f"{r.mutant.id} {word}" for word in wrong]


def problems_of_rows(rows: list[Row]) -> list[str]:
    """Return a text for each problem of all mutants together.

    Besides the problems of single mutants there are two: too few mutants are named or
    described, or a check catches no mutant.

    Args:
        rows: the rows of all mutants.
    """
    bad = [word for r in rows for word in problems_of_row(r)]
    rightly = sum(r.named in ("rightly", "by a sentence") for r in rows)
    if rightly < NAMED * len(rows):
        bad.append(
            f"only {rightly} of {len(rows)} mutants are told by a name or a sentence"
        )
    for check, caught in catches(rows).items():
        if not caught:
            bad.append(f"{check} catches no mutant")
    return bad


def problems_of_claims() -> list[str]:
    """Return a text for each wrong reading of mutants and of pairs of mutants.

    A pair is a hand-in with the mistakes of two mutants. A mutant's reading is wrong if
    it does not hold for new random numbers, or if it names another mistake. A pair's
    reading is wrong only if it does not hold for new random numbers.

    There is also a text if the readings of too few pairs name both mistakes. This count
    leaves two kinds of pairs out. Either the pair computes the same as one of its
    mistakes alone, or one of its mistakes is not named even when it is alone.
    """
    read = [mutant for mutant in MUTANTS if mutant.part in READERS]
    futures = {m.id: processes().submit(claim_of, m.source, m.part) for m in read}
    pairs = drawn_pairs(PAIRS, PAIRS_SEED)
    of_pairs = [processes().submit(claim_of, code, a.part) for a, _, code in pairs]
    claims = {id: future.result() for id, future in futures.items()}
    bad = [f"{id}: a false claim" for id, claim in claims.items() if not claim.true]
    for id, claim in claims.items():
        if claim.names - {id}:
            bad.append(f"{id} is read as {', '.join(sorted(claim.names))}")
    counts: Counter[str] = Counter()
    for (a, b, _), future in zip(pairs, of_pairs, strict=True):
        first, second = claims[a.id], claims[b.id]
        if first.names != {a.id} or second.names != {b.id}:
            continue
        word = verdict(claim := future.result(), first, second)
        counts[word] += 1
        if word != "both":
            names = ", ".join(sorted(claim.names)) or "nothing"
            print(f"pair {a.id} + {b.id}  {word}: {names}", flush=True)
        if word == "false":
            bad.append(f"{a.id} + {b.id}: a false claim")
    counted = counts.total() - counts["same"]
    print(f"pairs: {counts['both']} of {counted} with both names, {dict(counts)}")
    if counts["both"] < NAMED_PAIRS * counted:
        bad.append(f"only {counts['both']} of {counted} pairs have both names")
    return bad


def one_of_each_part() -> list[Mutant]:
    """Return the first mutant of each part of the contract."""
    firsts = {mutant.part: mutant for mutant in reversed(MUTANTS)}
    return [firsts[part] for part in EXERCISE_OF if part in firsts]


def in_all_exercises(mutant: Mutant) -> HandIn:
    """Return a mutant as a hand-in that will be graded in exercises 1–8."""
    return HandIn(mutant.id, mutant.source, tuple(UNITS))


def problems_apart(futures: dict[Mutant, Future]) -> list[str]:
    """Return a text for each mutant that does not lose points in its own exercise only.

    Args:
        futures: for each mutant, a future of its results in exercises 1–8.
    """
    bad = []
    for mutant, future in futures.items():
        results = future.result()
        found = [name for name in results if lost(results[name])]
        if found != [mutant.exercise]:
            bad.append(f"{mutant.id} loses points in {', '.join(found) or 'nothing'}")
    return bad


def problems_of_narrow(futures: dict[Narrow, Future]) -> list[str]:
    """Return a text for each narrow mistake that passes the check meant to catch it.

    There is also a text if a mistake with `alone=True` fails other checks.

    Args:
        futures: for each narrow mistake, a future of its results.
    """
    bad = []
    for one, future in futures.items():
        results = future.result()
        failed = [check.name for check in lost(results[one.exercise])]
        others = [name for name in failed if name != one.check]
        if one.check not in failed:
            bad.append(f"{one.id} SURVIVES {one.check}")
        elif one.alone and others:
            bad.append(f"{one.id} fails {', '.join(others)} as well")
        print(f"narrow {one.id}  fails {', '.join(failed) or 'nothing'}", flush=True)
    return bad


# ------------------------------------------------------------------ learning


def learning_of(id: str) -> HandIn:
    """Return a mutant as a hand-in for exercise 9, where each task is trained once.

    Args:
        id: the id of the mutant.
    """
    (mutant,) = (mutant for mutant in MUTANTS if mutant.id == id)
    return HandIn(id, mutant.source, ("learning",), tries=1)


def problems_of_learning(
    learn: dict[str, Future], idle: dict[str, Future]
) -> list[str]:
    """Return a text for each variant that does not learn, and each mutant that does.

    Args:
        learn: for each whole variant, by name, a future of its results in exercise 9.
        idle: for each mutant that cannot learn, by id, a future of its results in
            exercise 9.
    """
    bad = []
    for name, future in learn.items():
        checks = losses(future.result())
        print(f"learning {name}  {'LOSES' if checks else 'full marks'}", flush=True)
        bad += [f"{name} LOSES {check}" for check in checks]
    for id, future in idle.items():
        bad += [f"{id} {word}" for word in problems_of_idle(future.result())]
    return bad


def problems_of_idle(results: Results) -> list[str]:
    """Return a text for each problem of a mutant that cannot learn; [] if none.

    A problem is: all points for learning, or a grader error.

    Args:
        results: the mutant's results in exercise 9.
    """
    failed = lost(results["learning"])
    if not failed:
        return ["LEARNS"]
    faults = [check for check in failed if check.outcome == Outcome.GRADER_ERROR]
    return [f"is called the grader's fault: {check.message}" for check in faults]


def problems_of_cheats(chosen: list[Cheat]) -> list[str]:
    """Return a text for each cheat that does not end as expected.

    A cheat must gain no points. A cheat with a known hole may gain points if it is
    lucky; the result is printed but is never a problem.

    Args:
        chosen: the cheats to grade.
    """
    futures = {cheat.id: submit(cheat.hand_in) for cheat in chosen}
    twins = {cheat.twin: cheat.twin_hand_in for cheat in chosen if cheat.twin}
    of_twins = {text: submit(twin) for text, twin in twins.items()}
    bad = []
    for cheat in chosen:
        of_twin = of_twins[cheat.twin].result() if cheat.twin else None
        found = trouble(cheat, futures[cheat.id].result(), of_twin)
        words = f"GETS THROUGH: {'; '.join(found)}" if found else "gains nothing"
        if cheat.known_hole:  # with luck it gets points, and without luck none
            words = f"{'gets points' if found else 'gains nothing'}, a known hole"
        print(f"cheat {cheat.id}  {words}", flush=True)
        if found and not cheat.known_hole:
            bad.append(f"cheat {cheat.id} {words}")
    return bad


def problems_of_trusted(ids: Iterable[str]) -> list[str]:
    """Return a text for each cheat that fails even in a loop that trusts the hand-in.

    Such a cheat would prove nothing about the grader.

    Args:
        ids: the ids of the cheats.
    """
    words = [sys.executable, "-m", "tests.corpus.cheats.undefended", *ids]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    returns = {line.split()[-1]: line.split()[0] for line in said.stdout.splitlines()}
    bad = []
    for id in ids:
        found = returns.get(id, "no answer")
        try:
            works = float(found) >= WORKS
        except ValueError:
            works = False
        bad += [] if works else [f"cheat {id} fails where it is trusted: {found}"]
    return bad


# ------------------------------------------------------------------ what is written


def write_evidence(rows: list[Row], lost_by: dict[str, list[str]]) -> list[str]:
    """Write the kill matrix and the messages; return a text for each changed file.

    Differences by rounding do not count as changes of the messages, because the numbers
    differ slightly between machines.

    Args:
        rows: the rows of all mutants.
        lost_by: by the name of each variant, its failed checks with their messages.
    """
    texts = {MATRIX: matrix(rows, lost_by)}
    for exercise, text in messages(rows).items():
        texts[MESSAGES / f"{exercise}.md"] = text
    stale = []
    MESSAGES.mkdir(exist_ok=True)
    for path, text in texts.items():
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        same = old == text if path == MATRIX else same_but_for_rounding(old, text)
        if not same:
            stale.append(f"{path.name} told something else: see git diff")
        path.write_text(text, encoding="utf-8")
    return stale


def flakes(seeds: int, ids: list[str]) -> int:
    """Grade variants with many seeds; print how often a variant loses points.

    Args:
        seeds: the number of seeds.
        ids: the ids of the variants.

    Returns:
        The exit code: 1 if a variant has lost points, otherwise 0.
    """
    numbers = tuple(str(1000 + i) for i in range(seeds))
    futures = {
        variant.name: processes().submit(grade_with_seeds, variant.hand_in, numbers)
        for variant in RIGHT
        if matches(variant, ids)
    }
    lost_points = trials = 0
    for name, future in futures.items():
        for seed, results in zip(numbers, future.result(), strict=True):
            trials += 1
            if checks := losses(results):
                lost_points += 1
                print(f"seed {seed}: {name} LOSES {checks[0]}", flush=True)
        print(f"{lost_points} of {trials} gradings lost points ({name})", flush=True)
    if not lost_points:
        # The upper bound of the rate is the p with (1 - p)^trials = 0.05.
        print(f"flake rate below {1 - 0.05 ** (1 / trials):.2e} (95 % bound)")
    return 1 if lost_points else 0


if __name__ == "__main__":
    sys.exit(main())
