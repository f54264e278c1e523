"""What the checks make of every mutant and variant: the rows of the kill matrix.

A mutant is the solution but for one part. So it is graded in the exercises whose checks
run that part: its own, and those that are built on it. In the others it is the
solution, letter by letter (`make prove` looks at some in all of them).
"""

import io
import math
import re
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass

from rich.console import Console

from grader.contract.exercises import EXERCISES, ROOT
from grader.report.model import Check, Exercise, plain_number
from grader.report.terminal import print_exercise
from tests.corpus.mutants.definition import Mutant
from tests.corpus.told import TOLD
from tests.support.handins import PARTS, HandIn, Results, checks_of, lost, submit

EVIDENCE = ROOT / "tests" / "evidence"
MATRIX = EVIDENCE / "MATRIX.md"
MESSAGES = EVIDENCE / "messages"
NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")
REL_TOL, ABS_TOL = 2e-3, 1e-3  # of numbers in messages, from machine to machine
COLUMNS = ("mutant", "", "misconception", "caught by", "points", "told", "reads first")
BUILT_ON = {"td_loss": ("td_loss", "td_update")}


@dataclass(frozen=True)
class Row:
    """What became of one mutant.

    Attributes:
        mutant: which.
        lost: the checks of its exercise that it fails.
        points: that it loses there.
        elsewhere: checks of other exercises that it fails.
        diagnoses: the diagnoses of the failed checks, None where a check has none.
        first: the line that says what is wrong and that a student reads first.
        text: what a student reads on the terminal.
    """

    mutant: Mutant
    lost: list[str]
    points: float
    elsewhere: list[str]
    diagnoses: set[str | None]
    first: str
    text: str

    @property
    def named(self) -> str:
        """How the report tells the mistake.

        "rightly" by its own name, "by a sentence" without a name, "not at all", or
        "WRONGLY" with the names of other mistakes.
        """
        names = {name for name in self.diagnoses if name}
        if not names:
            told = TOLD.get(self.mutant.id)
            found = told and re.search(told, " ".join(self.text.split()))
            return "by a sentence" if found else "not at all"
        right = all(self.mutant.id in name.split(" or ") for name in names)
        return "rightly" if right else f"WRONGLY: {', '.join(sorted(names))}"


def begin(mutants: Iterable[Mutant]) -> dict[str, Future]:
    """Have mutants graded, by id; `row` waits for the results."""
    return {
        m.id: submit(
            HandIn(
                name=m.id,
                source=m.source,
                exercises=BUILT_ON.get(m.exercise, (m.exercise,)),
            )
        )
        for m in mutants
    }


def row(mutant: Mutant, future: Future) -> Row:
    """Return the row of a mutant, when it has been graded."""
    results = future.result()
    own = results[mutant.exercise]
    failed = lost(own)
    others = [
        f"{name}.{check.name}"
        for name, exercise in results.items()
        if name != mutant.exercise
        for check in lost(exercise)
    ]
    return Row(
        mutant=mutant,
        lost=[check.name for check in failed],
        points=sum(check.max_score - check.score for check in failed),
        elsewhere=others,
        diagnoses={check.diagnosis for check in failed if told_of_part(check)},
        first=read_first(failed),
        text=as_read(own),
    )


def catches(rows: list[Row]) -> dict[str, list[Row]]:
    """Return the rows of the mutants that each check catches, for every check."""
    caught: dict[str, list[Row]] = {name: [] for name in check_names()}
    for r in rows:
        for check in r.lost:
            caught[f"{r.mutant.exercise}.{check}"].append(r)
    return caught


def same_but_for_rounding(old: str, new: str) -> bool:
    """Tell whether two texts differ by no more than the rounding of their numbers."""
    if NUMBER.sub("#", old) != NUMBER.sub("#", new):
        return False
    numbers = (map(float, NUMBER.findall(text)) for text in (old, new))
    return all(
        math.isclose(a, b, rel_tol=REL_TOL, abs_tol=ABS_TOL)
        for a, b in zip(*numbers, strict=True)
    )


def losses(results: Results) -> list[str]:
    """Return which checks a right hand-in lost."""
    return [
        f"{exercise.name}.{check.name}: {check.message}"
        for exercise in results.values()
        for check in lost(exercise)
    ]


def told_of_part(check: Check) -> bool:
    """Tell whether a check failed by itself, and was not only waiting."""
    return check.outcome in ("failed", "error")


def read_first(failed: list[Check]) -> str:
    """Return the first line that says what is wrong, of the first failed check."""
    if not failed:
        return ""
    check = failed[0]
    raised = check.message.splitlines()[-1:] if check.outcome == "error" else []
    lines = [check.reading, check.hint, *raised, check.message]
    return next(filter(None, lines), "").splitlines()[0].strip()


def as_read(exercise: Exercise) -> str:
    """Return an exercise as the terminal shows it, without colour."""
    console = Console(file=io.StringIO(), width=80, highlight=False)
    print_exercise(exercise, console, set())
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in lines)


def messages(rows: list[Row]) -> dict[str, str]:
    """Return the reports to be stored, a file's text for each exercise."""
    files: dict[str, str] = {}
    for r in rows:
        m = r.mutant
        title = f"## {m.id} ({m.part}: {m.misconception})"
        files.setdefault(m.exercise, "")
        files[m.exercise] += f"{title}\n\n{r.text}\n\n"
    return files


def matrix(rows: list[Row], right: dict[str, list[str]]) -> str:
    """Return the kill matrix as Markdown.

    Args:
        rows: of the mutants.
        right: what each variant has lost.
    """
    named = [r.named for r in rows]
    border = sum(r.mutant.border for r in rows)
    lines = [
        "# The kill matrix",
        "",
        "What the checks make of every known wrong solution of `tests/corpus/mutants/`",
        "and of every right one of `tests/corpus/variants/`; written by `make prove`.",
        "Severity: F fails CartPole, D degrades, S is silent, X raises.",
        "",
        f"- {len(rows)} wrong solutions, {sum(bool(r.lost) for r in rows)} lose points "
        f"in their exercise, {sum(bool(r.elsewhere) for r in rows)} in another",
        f"- {named.count('rightly')} are named rightly, "
        f"{named.count('by a sentence')} told by a sentence without a name, "
        f"{named.count('not at all')} not at all ({border} of the mistakes are on the "
        "border of chance), "
        f"{sum(n.startswith('WRONG') for n in named)} wrongly",
        f"- {len(right)} right solutions in other styles, "
        f"{sum(bool(checks) for checks in right.values())} of them lose points",
        "",
    ]
    for exercise in EXERCISES:
        own = [r for r in rows if r.mutant.exercise == exercise]
        if own:
            lines += [f"## {exercise}", ""]
            lines += [
                "| mutant | | misconception | caught by | points | told | reads |"
            ]
            lines += ["|---|---|---|---|---|---|---|"]
            lines += [as_cells(r) for r in own] + [""]
    return "\n".join([*lines, *of_checks(rows), *of_variants(right)])


def as_cells(r: Row) -> str:
    """Return one line of the matrix."""
    m = r.mutant
    cells = [m.id, m.severity, f"{m.part}: {m.misconception}"]
    cells += [", ".join(r.lost), f"-{plain_number(r.points)}", r.named]
    cells.append(r.first)
    return f"| {' | '.join(cell.replace('|', '∣') for cell in cells)} |"


def of_checks(rows: list[Row]) -> list[str]:
    """Return how many mutants each check catches, and which of them it alone."""
    lines = ["## The checks", "", "| check | catches | alone |", "|---|---|---|"]
    for name, found in catches(rows).items():
        alone = [r.mutant.id for r in found if len(r.lost) == 1]
        shown = ", ".join(alone[:3]) + (
            f" and {len(alone) - 3} more" * (len(alone) > 3)
        )
        lines.append(f"| {name} | {len(found)} | {shown} |")
    return [*lines, ""]


def of_variants(right: dict[str, list[str]]) -> list[str]:
    """Return the right solutions, and what they lost."""
    lines = ["## The right solutions", "", "| solution | lost |", "|---|---|"]
    for name, checks in right.items():
        shown = f"{name} | {', '.join(c.partition(':')[0] for c in checks)}"
        lines.append(f"| {shown} |")
    return [*lines, ""]


def check_names() -> list[str]:
    """Return every check of the exercises that mutants are made for."""
    return [f"{name}.{check}" for name in PARTS for check in checks_of(name)]
