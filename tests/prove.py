"""`make prove`: grade every mutant, write the kill matrix and what students read."""

import sys

from mutants import MUTANTS
from proof import MATRIX, MESSAGES, Row, begin, matrix, messages, row


def main() -> int:
    """Write the files; the exit code says whether every mutant was caught."""
    chosen = [m for m in MUTANTS if not sys.argv[1:] or m.id in sys.argv[1:]]
    futures = begin(chosen)
    rows: list[Row] = []
    for mutant in chosen:
        rows.append(row(mutant, futures[mutant.id]))
        print(f"{len(rows):4d} of {len(chosen)}  {said_of(rows[-1])}", flush=True)
        if len(chosen) < len(MUTANTS):
            print(f"\n{rows[-1].text}\n")
    if len(chosen) == len(MUTANTS):
        MATRIX.write_text(matrix(rows), encoding="utf-8")
        MESSAGES.mkdir(exist_ok=True)
        for exercise, text in messages(rows).items():
            (MESSAGES / f"{exercise}.md").write_text(text, encoding="utf-8")
        print(matrix(rows).partition("## ")[0])
    good = all(
        r.lost and not (r.elsewhere or r.disagree) and not r.named.startswith("WRONG")
        for r in rows
    )
    return 0 if good else 1


def said_of(r: Row) -> str:
    """A row in one line."""
    words = [r.mutant.id, "caught" if r.lost else "SURVIVES", r.named]
    words += [f"ELSEWHERE {name}" for name in r.elsewhere]
    words += [f"DISAGREE {name}" for name in r.disagree]
    return "  ".join(words)


if __name__ == "__main__":
    sys.exit(main())
