"""`make attacks`: carry out every attack on every tier, write the table of them.

`make attacks IDS="forks network"` shows what comes of some of them, and writes nothing.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from catalogue import CATALOGUE
from redteam import (
    TABLE,
    TIERS,
    Attack,
    all_attacks,
    carried_out,
    changed_next,
    first_report,
    table,
    verdict,
)

from grader import sandbox


def main() -> int:
    """Do what was asked; the exit code says whether all is as it should be."""
    attacks = all_attacks()
    chosen = [one for one in attacks if one.name in sys.argv[1:]] or attacks
    tiers = [tier for tier in TIERS if not sandbox.why_not(tier)]
    for tier in set(TIERS) - {*tiers}:
        print(f"NOT RUN on {tier}: {sandbox.why_not(tier)}")
    for tier in tiers:
        first_report(tier)  # before the attacks
    todo = [(one, tier) for one in chosen for tier in tiers if tier not in one.not_run]
    with ThreadPoolExecutor(2) as pool:
        bad = 0
        for (one, tier), words in zip(todo, pool.map(result, todo), strict=True):
            bad += bool(words)
            print(f"{one.name} on {tier}: {words or 'as told'}", flush=True)
    for tier in tiers:
        if words := changed_next(tier):
            bad += 1
            print(f"THE NEXT REPORT on {tier} has changed: {words}")
    print(f"{len(todo)} attacks carried out, {bad} not as told")
    if bad or chosen is not attacks:
        return 1 if bad else 0
    TABLE.write_text(table(attacks, CATALOGUE), encoding="utf-8")
    return 0


def result(task: tuple[Attack, str]) -> str:
    """What is not as told of an attack on a tier."""
    one, tier = task
    return verdict(one, tier, carried_out(one, tier))


if __name__ == "__main__":
    sys.exit(main())
