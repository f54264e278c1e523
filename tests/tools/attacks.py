"""`make attacks`: grade every attack on every tier, and write the tables of results.

The tables are tests/evidence/ATTACKS.md (each attack), a block of README.md (a
summary), and tests/evidence/TIERS.md (which promises each tier keeps against the
intruder). The exit code is 0 if all results are as the attacks' docstrings announce and
no table has changed. Otherwise it is 1. It is 2 if an option is wrong or a tier does
not work.

`make attacks IDS="forks network"` runs the named attacks only and writes no table.
`TIERS=landlock` runs the attacks on that tier only and writes no table.
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
# One more than CI has processors, because about a third of the gradings only wait for a
# deadline.
AT_ONCE = 3
# Problems whose reason can be a busy machine: not ended in time, no whole report,
# another message. An attack with a problem of another kind gets no second try.
ONCE_MORE = {"T", "R", "said"}


def main() -> int:
    """Run the attacks, print the results, write the tables; return the exit code.

    The command line may have names of attacks. The environment variable TIERS may have
    names of tiers.
    """
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
        first_report(tier)  # has to be graded before any attack
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
    """Write the tables that have changed; return the paths of their files.

    Args:
        attacks: all attacks.
        results: the letters of the broken promises, for each attack and tier.
    """
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
    """Return what the intruder achieves on a tier, by promise; "" for a kept promise.

    Args:
        tier: the name of the tier.
    """
    return self_test.measure(self_test.start_in(tier))


def with_promises(text: str) -> str:
    """Return the text of TIERS.md with a new table: which tier gives which promises.

    Args:
        text: the present text of TIERS.md.
    """
    lines = self_test.table(self_test.promised())
    return with_block(text, "```\n", "".join(f"{line}\n" for line in lines))


def with_summary(text: str, summary: str) -> str:
    """Return the text of README.md with a new summary of the attacks.

    Args:
        text: the present text of README.md.
        summary: the new summary.
    """
    return with_block(text, "<!-- make attacks -->\n```\n", summary)


def with_block(text: str, opening: str, lines: str) -> str:
    """Replace the content of one code block of a page; return the new page.

    Args:
        text: the text of the page.
        opening: the text directly before the block's first line.
        lines: the new lines of the block.
    """
    before, opening, rest = text.partition(opening)
    return before + opening + lines + "```" + rest.partition("```")[2]


def carry_out(todo: list[tuple[Attack, str]]) -> tuple[Results, list[str]]:
    """Run attacks on tiers, and print the progress.

    Args:
        todo: pairs of an attack and the name of a tier.

    Returns:
        For each pair, the letters of the promises that the attack has broken.
        A text for each result that the attack's docstring does not announce.
    """
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
    for one, tier in late:  # again, one by one, so that the machine is less busy
        found, _ = timed(one, tier)
        results[one.name, tier] = broken(one, found)
        if words := verdict(one, tier, found):
            bad.append(f"{one.name} on {tier}: {words}")
    return results, bad


def timed(one: Attack, tier: str) -> tuple[dict[str, list[str]], float]:
    """Run an attack on a tier; return its problems and the duration in seconds.

    The problems are texts by the letter of the broken promise, see `problems`.

    Args:
        one: the attack.
        tier: the name of the tier.
    """
    begun = time.monotonic()
    found = problems(one, tier, carried_out(one, tier))
    return found, time.monotonic() - begun


if __name__ == "__main__":
    sys.exit(main())
