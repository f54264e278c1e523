"""`make attacks`: carry out every attack on every tier, write the tables of what holds.

Of the attacks that is tests/ATTACKS.md, and in sum a block of README.md; of what an
intruder in each tier tries in vain, tests/TIERS.md.

`make attacks IDS="forks network"` shows what comes of some of them, and writes nothing.
`TIERS=landlock` carries them out on that tier only.
"""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

from catalogue import CATALOGUE
from edits import ROOT
from redteam import (
    PROMISED,
    TABLE,
    TIERS,
    Attack,
    all_attacks,
    carried_out,
    changed_next,
    first_report,
    summary,
    table,
    verdict,
)

from grader import doctor, sandbox

README = ROOT / "README.md"


def main() -> int:
    """Do what was asked; the exit code says whether all is as it should be."""
    attacks = all_attacks()
    if unknown := {*sys.argv[1:]} - {one.name for one in attacks}:
        print(f"error: no attack has the name {', '.join(sorted(unknown))}")
        return 2
    chosen = [one for one in attacks if one.name in sys.argv[1:]] or attacks
    wanted = os.environ.get("TIERS", "").split() or TIERS
    tiers = [tier for tier in wanted if not sandbox.why_not(tier)]
    for tier in set(TIERS) - {*tiers}:
        print(f"NOT RUN on {tier}: {sandbox.why_not(tier) or 'not asked for'}")
    for tier in tiers:
        first_report(tier)  # before the attacks
    todo = [(one, tier) for one in chosen for tier in tiers if tier not in one.not_run]
    bad = [told for told in carry_out(todo) if told]
    for tier in tiers:
        if words := changed_next(tier):
            bad.append(f"THE NEXT REPORT on {tier} has changed: {words}")
    if chosen is attacks:
        bad += [
            f"PROMISES of {tier}: {', '.join(broken)}"
            for tier in tiers
            if (broken := doctor.broken_promises(tier, measured(tier)))
        ]
    print("\n".join(bad))
    print(f"{len(todo)} attacks carried out, {len(bad)} not as told")
    if bad or chosen is not attacks or len(tiers) < len(TIERS):
        return 1 if bad else 0
    TABLE.write_text(table(attacks, CATALOGUE), encoding="utf-8")
    PROMISED.write_text(with_promises(PROMISED.read_text("utf-8")), encoding="utf-8")
    README.write_text(
        with_summary(README.read_text("utf-8"), summary(attacks)), encoding="utf-8"
    )
    return 0


def measured(tier: str) -> dict[str, str]:
    """What an intruder gets in a tier, by promise."""
    return doctor.measure(doctor.start_in(tier))


def with_promises(text: str) -> str:
    """The text with the table of what the tiers promise, all of which is kept."""
    lines = doctor.table(doctor.promised())
    return with_block(text, "```\n", "".join(f"{line}\n" for line in lines))


def with_summary(text: str, summary: str) -> str:
    """The text with what comes of the attacks, in sum, below the comment for it."""
    return with_block(text, "<!-- make attacks -->\n```\n", summary)


def with_block(text: str, opening: str, lines: str) -> str:
    """The text with these lines in the block that begins so."""
    before, opening, rest = text.partition(opening)
    return before + opening + lines + "```" + rest.partition("```")[2]


def carry_out(todo: list[tuple[Attack, str]]) -> list[str]:
    """What is not as told of each attack on each tier; says how far it is."""
    begun, told = time.monotonic(), []
    with ThreadPoolExecutor(2) as pool:
        running = {pool.submit(result, *task): task for task in todo}
        for future in as_completed(running):
            one, tier = running[future]
            words = future.result()
            told.append(words and f"{one.name} on {tier}: {words}")
            seconds = time.monotonic() - begun
            left = seconds / len(told) * (len(todo) - len(told))
            line = f"{len(told)} of {len(todo)}, {sum(map(bool, told))} not as told, "
            line += f"{left / 60:.0f} min to go: {one.name} on {tier}"
            if sys.stderr.isatty():
                print(f"\r{line[:79]:<79}", end="", file=sys.stderr, flush=True)
            else:
                print(line, told[-1], file=sys.stderr, flush=True)
    return told


def result(one: Attack, tier: str) -> str:
    """What is not as told of an attack on a tier."""
    return verdict(one, tier, carried_out(one, tier))


if __name__ == "__main__":
    sys.exit(main())
