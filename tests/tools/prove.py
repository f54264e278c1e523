"""`make prove`: grade every mutant, variant and cheat, write what came of them.

`make prove IDS="td-half sum-vs-mean"` shows what a student reads for some mutants,
`make prove IDS="loss-clones"` what becomes of some cheats, `IDS=cheats` of all,
`make prove IDS="q_network-leaky-ReLU"` what some variants lose, by their names with a -
between the words; they go together, and a * stands for anything: `IDS="learning-*"`.
`make prove SEEDS=20` grades the variants with so many seeds, to see how often a right
solution loses points by chance.
"""

import fnmatch
import os
import sys
from dataclasses import replace
from typing import Any

from tests.corpus.cheats import CHEATS
from tests.corpus.cheats.definition import Cheat, trouble
from tests.corpus.mutants import MUTANTS
from tests.corpus.variants import VARIANTS, WHOLE
from tests.support.handins import desks, grade_with_seeds, submit
from tests.support.proof import (
    MATRIX,
    MESSAGES,
    Row,
    begin,
    losses,
    matrix,
    messages,
    row,
)

RIGHT = [*VARIANTS, *WHOLE]


def main() -> int:
    """Do what was asked; the exit code says whether all is as it should be."""
    if ids := sys.argv[1:]:
        return some(ids)
    if seeds := os.environ.get("SEEDS"):
        return flakes(int(seeds))
    futures = {variant.name: submit(variant.hand_in) for variant in RIGHT}
    rows = prove(MUTANTS)
    right = {name: losses(future.result()) for name, future in futures.items()}
    for name, checks in right.items():
        for check in checks:
            print(f"{name} LOSES {check}")
    MATRIX.write_text(matrix(rows, right), encoding="utf-8")
    MESSAGES.mkdir(exist_ok=True)
    for exercise, text in messages(rows).items():
        (MESSAGES / f"{exercise}.md").write_text(text, encoding="utf-8")
    print(matrix(rows, right).partition("## ")[0])
    none_paid = tried(CHEATS)
    good = all(map(is_as_it_should, rows))
    return 0 if good and none_paid and not any(right.values()) else 1


def some(ids: list[str]) -> int:
    """Tell what becomes of those mutants, variants and cheats that these ids name."""

    def named(one: Any) -> bool:
        return any(fnmatch.fnmatchcase(one.id, pattern) for pattern in ids)

    mutants, rights = filter(named, MUTANTS), list(filter(named, RIGHT))
    cheats = [c for c in CHEATS if named(c) or "cheats" in ids]
    futures = [submit(variant.hand_in) for variant in rights]
    rows = prove(list(mutants))
    for r in rows:
        print(f"\n{r.mutant.id}: {r.mutant.misconception}\n{r.text}")
    good = all(map(is_as_it_should, rows))
    for variant, future in zip(rights, futures, strict=True):
        checks = losses(future.result())
        good = good and not checks
        words = f"LOSES {'; '.join(checks)}" if checks else "loses nothing"
        print(f"right {variant.id}  {words}", flush=True)
    good = tried(cheats) and good
    found = bool(rows or rights or cheats)
    if not found:
        print("no mutant, variant or cheat has such an id")
    return 0 if good and found else 1


def is_as_it_should(r: Row) -> bool:
    """Whether a mutant loses points in its exercise alone, under no wrong name."""
    apart = r.elsewhere or r.disagree or r.named.startswith("WRONG")
    return bool(r.lost) and not apart


def prove(chosen: list) -> list[Row]:
    """The rows of mutants, told as they come."""
    futures = begin(chosen)
    rows: list[Row] = []
    for mutant in chosen:
        rows.append(row(mutant, futures[mutant.id]))
        print(f"{len(rows):4d} of {len(chosen)}  {said_of(rows[-1])}", flush=True)
    return rows


def tried(chosen: list[Cheat]) -> bool:
    """Whether cheats come to nothing, but for known holes; told as they come."""
    futures = {cheat.id: submit(cheat.hand_in) for cheat in chosen}
    good = True
    for cheat in chosen:
        found = trouble(cheat, futures[cheat.id].result())
        if cheat.known_hole:
            good = good and bool(found)
            words = "gets points, a known hole" if found else "NO LONGER a known hole"
        else:
            good = good and not found
            words = f"GETS THROUGH: {'; '.join(found)}" if found else "gets nothing"
        print(f"cheat {cheat.id}  {words}", flush=True)
    return good


def flakes(seeds: int) -> int:
    """Grade all variants live with many seeds; print how often one loses points."""
    numbers = tuple(str(1000 + i) for i in range(seeds))
    futures = {
        variant.name: desks().submit(
            grade_with_seeds, replace(variant.hand_in, modes=("live",)), numbers
        )
        for variant in RIGHT
    }
    lost = trials = 0
    for name, future in futures.items():
        for seed, results in zip(numbers, future.result(), strict=True):
            trials += 1
            if checks := losses(results):
                lost += 1
                print(f"seed {seed}: {name} LOSES {checks[0]}", flush=True)
        print(f"{lost} of {trials} gradings lost points ({name})", flush=True)
    if not lost:
        # (1 - p)^n = 0.05: the largest p by which none would still be no surprise.
        print(f"flake rate below {1 - 0.05 ** (1 / trials):.2e} (95 % bound)")
    return 1 if lost else 0


def said_of(r: Row) -> str:
    """A row in one line."""
    words = [r.mutant.id, "caught" if r.lost else "SURVIVES", r.named]
    words += [f"ELSEWHERE {name}" for name in r.elsewhere]
    words += [f"DISAGREE {name}" for name in r.disagree]
    return "  ".join(words)


if __name__ == "__main__":
    sys.exit(main())
