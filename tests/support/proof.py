"""Make the kill matrix: which checks fail for each mutant and for each variant.

A mutant differs from the solution in one part. So a mutant is graded only in the
exercise of this part, and in exercises that build on the part. In other exercises a
mutant equals the solution; `make prove` grades a few mutants in all exercises.
"""

import io
import math
import re
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass

from rich.console import Console

from grader.contract.exercises import EXERCISES, ROOT, UNITS
from grader.contract.outcomes import Outcome
from grader.report import hints
from grader.report.exercise import print_exercise
from grader.report.model import Check, Exercise, plain_number
from tests.corpus.mutants.definition import Mutant
from tests.corpus.told import TOLD
from tests.support.handins import HandIn, Results, checks_of, lost, submit

EVIDENCE = ROOT / "tests" / "evidence"
MATRIX = EVIDENCE / "MATRIX.md"
MESSAGES = EVIDENCE / "messages"
NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")
REL_TOL, ABS_TOL = 2e-3, 1e-3  # allowed differences of numbers between machines
BUILT_ON = {"td_loss": ("td_loss", "td_update")}


@dataclass(frozen=True)
class Row:
    """The results of one mutant, as one row of the kill matrix.

    A check counts as failed if it gives less than full points.

    Attributes:
        mutant: the mutant.
        lost: the names of the failed checks of the mutant's own exercise.
        points: the points that the mutant loses in its own exercise.
        elsewhere: the failed checks of other exercises, each as "exercise.check".
        diagnoses: the diagnoses of the checks in `lost` with the outcome failed or
            error; None for a check without a diagnosis.
        first: the result of `first_line` for the checks in `lost`.
        text: the report on the mutant's own exercise, as students read it on the
            terminal.
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
        """How the report describes the mutant's mistake.

        "rightly": by the mutant's id. "by a sentence": without an id, but with words
        that match the pattern in `TOLD`. "not at all": in neither way. "WRONGLY: a, b":
        by the ids a and b of other mistakes.
        """
        names = {name for name in self.diagnoses if name}
        if not names:
            told = TOLD.get(self.mutant.id)
            found = told and re.search(told, " ".join(self.text.split()))
            return "by a sentence" if found else "not at all"
        right = all(self.mutant.id in name.split(" or ") for name in names)
        return "rightly" if right else f"WRONGLY: {', '.join(sorted(names))}"


def begin(mutants: Iterable[Mutant]) -> dict[str, Future]:
    """Start to grade mutants in the pool of processes.

    Returns:
        For each mutant, by its id, a future of its `Results`.
    """
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
    """Wait until a mutant is graded; return its row of the kill matrix.

    Args:
        mutant: the mutant.
        future: the future of the mutant's `Results`, from `begin`.
    """
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
        diagnoses={check.diagnosis for check in failed if failed_by_itself(check)},
        first=first_line(failed),
        text=terminal_text(own),
    )


def catches(rows: list[Row]) -> dict[str, list[Row]]:
    """Return the rows of the mutants that each check catches, by "exercise.check".

    A mutant is caught by the failed checks of its own exercise. The list of a check
    that catches no mutant is empty.
    """
    caught: dict[str, list[Row]] = {name: [] for name in check_names()}
    for r in rows:
        for check in r.lost:
            caught[f"{r.mutant.exercise}.{check}"].append(r)
    return caught


def same_but_for_rounding(old: str, new: str) -> bool:
    """Return whether two texts differ at most in the rounding of their numbers."""
    if NUMBER.sub("#", old) != NUMBER.sub("#", new):
        return False
    numbers = (map(float, NUMBER.findall(text)) for text in (old, new))
    return all(
        math.isclose(a, b, rel_tol=REL_TOL, abs_tol=ABS_TOL)
        for a, b in zip(*numbers, strict=True)
    )


def losses(results: Results) -> list[str]:
    """Return the failed checks of a right hand-in, as "exercise.check: message"."""
    return [
        f"{exercise.name}.{check.name}: {check.message}"
        for exercise in results.values()
        for check in lost(exercise)
    ]


def failed_by_itself(check: Check) -> bool:
    """Return whether a check's outcome is failed or error.

    Other outcomes, such as skipped, do not show a mistake by themselves.
    """
    return check.outcome in ("failed", "error")


def first_line(failed: list[Check]) -> str:
    """Return one line that says what is wrong, from the first failed check.

    A check can have a reading, a hint, an exception and a message. The result is the
    first line of the first of these texts that is there.

    Args:
        failed: the failed checks; if there are none, the result is "".
    """
    if not failed:
        return ""
    check = failed[0]
    raised = check.message.splitlines()[-1:] if check.outcome == "error" else []
    lines = [check.reading, check.hint, *raised, check.message]
    return next(filter(None, lines), "").splitlines()[0].strip()


def terminal_text(exercise: Exercise) -> str:
    """Return an exercise as the terminal shows it with HINT=3, without colour.

    The line that explains the marks is left out.
    """
    console = Console(file=io.StringIO(), width=80, highlight=False)
    print_exercise(exercise, console, {*Outcome}, level=hints.NUMBERS)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in lines)


def messages(rows: list[Row]) -> dict[str, str]:
    """Return the text of the evidence file of each exercise, by the exercise's name.

    The text has the reports on all mutants of this exercise.

    Args:
        rows: the rows of the mutants.
    """
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
        rows: the rows of the mutants.
        right: by the name of each variant, the result of `losses`.
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
            lines += [matrix_line(r) for r in own] + [""]
    return "\n".join([*lines, *check_table(rows), *variant_table(right)])


def matrix_line(r: Row) -> str:
    """Return a mutant's line of the matrix, in Markdown."""
    m = r.mutant
    cells = [m.id, m.severity, f"{m.part}: {m.misconception}"]
    cells += [", ".join(r.lost), f"-{plain_number(r.points)}", r.named]
    cells.append(r.first)
    return f"| {' | '.join(cell.replace('|', '∣') for cell in cells)} |"


def check_table(rows: list[Row]) -> list[str]:
    """Return the lines of the table of checks: how many mutants each check catches.

    The last column names the mutants that no other check catches.
    """
    lines = ["## The checks", "", "| check | catches | alone |", "|---|---|---|"]
    for name, found in catches(rows).items():
        alone = [r.mutant.id for r in found if len(r.lost) == 1]
        shown = ", ".join(alone[:3]) + (
            f" and {len(alone) - 3} more" * (len(alone) > 3)
        )
        lines.append(f"| {name} | {len(found)} | {shown} |")
    return [*lines, ""]


def variant_table(right: dict[str, list[str]]) -> list[str]:
    """Return the lines of the table of variants, with their failed checks.

    Args:
        right: by the name of each variant, the result of `losses`.
    """
    lines = ["## The right solutions", "", "| solution | lost |", "|---|---|"]
    for name, checks in right.items():
        shown = f"{name} | {', '.join(c.partition(':')[0] for c in checks)}"
        lines.append(f"| {shown} |")
    return [*lines, ""]


def check_names() -> list[str]:
    """Return the names of all checks of exercises 1–8, each as "exercise.check"."""
    return [f"{name}.{check}" for name in UNITS for check in checks_of(name)]
