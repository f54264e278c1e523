"""`make attacks`: carry out every attack on every tier, write the tables of what held.

Of the attacks that is tests/evidence/ATTACKS.md, and in sum a block of README.md; of
what an intruder in each tier tries in vain, tests/evidence/TIERS.md. The exit code is 0
if all was as the attacks' docstrings tell and the tables were already what this run has
measured.

`make attacks IDS="forks network"` shows what comes of some of them, and writes nothing.
`TIERS=landlock` carries them out on that tier only.
"""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from grader.sandbox import self_test
from grader.sandbox.tiers import why_not
from tests.support.attack_catalogue import CATALOGUE
from tests.support.attack_runs import (
    PROMISED,
    TABLE,
    TIERS,
    Attack,
    Results,
    all_attacks,
    broken,
    carried_out,
    changed_next,
    first_report,
    problems,
    summary,
    table,
    verdict,
)
from tests.support.edits import ROOT

README = ROOT / "README.md"
# One more than CI has processors: every third grading waits, for a deadline.
AT_ONCE = 3
# What can come of a busy machine: no end in time, another message, no whole report. It
# gives nobody points, and no secrets.
ONCE_MORE = {"T", "R", "said"}


def main() -> int:
    """Do what was asked; the exit code says whether all is as it should be."""
    attacks = all_attacks()
    if unknown := {*sys.argv[1:]} - {one.name for one in attacks}:
        print(f"error: no attack has the name {', '.join(sorted(unknown))}")
        return 2
    chosen = [one for one in attacks if one.name in sys.argv[1:]] or attacks
    tiers = os.environ.get("TIERS", "").split() or list(TIERS)
    if unknown := {*tiers} - {*TIERS}:
        print(f"error: no tier has the name {', '.join(sorted(unknown))}")
        return 2
    if missing := [f"{tier}: {why}" for tier in tiers if (why := why_not(tier))]:
        print("error: cannot be run on " + "; ".join(missing))
        return 2
    for tier in tiers:
        first_report(tier)  # before the attacks
    todo = [(one, tier) for one in chosen for tier in tiers if tier not in one.not_run]
    results, bad = carry_out(todo)
    for tier in tiers:
        if words := changed_next(tier):
            bad.append(f"THE NEXT REPORT on {tier} has changed: {words}")
    whole = chosen is attacks and set(tiers) == set(TIERS)
    if whole:
        bad += [
            f"PROMISES of {tier}: {', '.join(unkept)}"
            for tier in tiers
            if (unkept := self_test.broken_promises(tier, measured(tier)))
        ]
    told = [f"{one.name} on {tier}" for one, tier in todo if results[one.name, tier]]
    print("\n".join([*bad, *(f"got through: {words}" for words in told)]))
    print(f"{len(todo)} attacks carried out, {len(told)} got through", end="")
    print(f", {len(bad)} not as told")
    if bad or not whole:
        return 1 if bad else 0
    stale = [path.name for path in write(attacks, results)]
    if stale:
        print(f"{', '.join(stale)} told something else: written anew, see git diff")
    return 1 if stale else 0


def write(attacks: list[Attack], results: Results) -> list[Path]:
    """Write the tables of what has happened; which of them have changed."""
    promised, readme = PROMISED.read_text("utf-8"), README.read_text("utf-8")
    texts = {
        TABLE: table(attacks, results, CATALOGUE),
        PROMISED: with_promises(promised),
        README: with_summary(readme, summary(attacks, results)),
    }
    stale = [path for path, text in texts.items() if path.read_text("utf-8") != text]
    for path in stale:
        path.write_text(texts[path], encoding="utf-8")
    return stale


def measured(tier: str) -> dict[str, str]:
    """Return what an intruder gets in a tier, by promise."""
    return self_test.measure(self_test.start_in(tier))


def with_promises(text: str) -> str:
    """Return the text with the table of what the tiers promise."""
    lines = self_test.table(self_test.promised())
    return with_block(text, "```\n", "".join(f"{line}\n" for line in lines))


def with_summary(text: str, summary: str) -> str:
    """Return the text with the summary of the attacks below its comment."""
    return with_block(text, "<!-- make attacks -->\n```\n", summary)


def with_block(text: str, opening: str, lines: str) -> str:
    """Return the text with these lines in the block that begins so."""
    before, opening, rest = text.partition(opening)
    return before + opening + lines + "```" + rest.partition("```")[2]


def carry_out(todo: list[tuple[Attack, str]]) -> tuple[Results, list[str]]:
    """Carry out attacks; return the promises each broke, and unexpected results."""
    begun, bad, late = time.monotonic(), [], []
    results: Results = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {pool.submit(timed, *task): task for task in todo}
        for future in as_completed(running):
            one, tier = running[future]
            found, seconds = future.result()
            results[one.name, tier] = broken(one, found)
            words = verdict(one, tier, found)
            if words and {*found} <= ONCE_MORE:
                late.append((one, tier))
            elif words:
                bad.append(f"{one.name} on {tier}: {words}")
            left = (time.monotonic() - begun) / len(results)
            left *= (len(todo) - len(results)) / 60
            line = f"{len(results)} of {len(todo)}, {len(bad)} not as told, "
            line += f"{left:.0f} min to go: {one.name} on {tier} {seconds:.0f} s"
            if sys.stderr.isatty():
                print(f"\r{line[:79]:<79}", end="", file=sys.stderr, flush=True)
            else:
                print(line, words, file=sys.stderr, flush=True)
    for one, tier in late:  # alone: then the machine is not to blame
        found, _ = timed(one, tier)
        results[one.name, tier] = broken(one, found)
        if words := verdict(one, tier, found):
            bad.append(f"{one.name} on {tier}: {words}")
    return results, bad


def timed(one: Attack, tier: str) -> tuple[dict[str, list[str]], float]:
    """Carry out an attack; return what does not hold, and the seconds it took."""
    begun = time.monotonic()
    found = problems(one, tier, carried_out(one, tier))
    return found, time.monotonic() - begun


if __name__ == "__main__":
    sys.exit(main())
