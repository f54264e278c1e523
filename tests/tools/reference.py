"""`make reference`: export the solution's programs, and show how its answers changed.

The command writes a program of the solution for every shape that a check asks, and the
solution's answers to these questions. It also writes the fingerprints of the solution
and of the known mistakes, for parts without a reader.
"""

import argparse
import hashlib
import platform
import queue
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase
from rich.console import Console
from rich.table import Table

from grader.cli import guarded
from grader.contract import cases, exercises, fixed_cases
from grader.contract.case import Case
from grader.contract.compare import RTOL
from grader.contract.exercises import UNITS
from grader.contract.outcomes import GraderError, Stopped, UsageError
from grader.diagnosis.diagnose import READERS
from grader.diagnosis.fingerprints import PROBES, agree, fingerprint
from grader.diagnosis.target_inference import targets_of
from grader.grading import pipeline
from grader.grading.passes import Graded, Pass
from grader.grading.plugin import run_checks
from grader.intake.submission import Submission
from grader.intake.take import take
from grader.oracle import known
from grader.oracle.candidate import Candidate
from grader.oracle.known import Known, Mistake
from grader.oracle.warm import WarmProcesses
from grader.report.live import Live
from grader.report.terminal import make_console
from tests.support import record as recorded
from tests.support.record import Drift, Recorder

PACKAGES = ("jax", "jaxlib", "equinox", "optax", "numpy", "hypothesis")
SEED = "reference"
FixedCases = dict[str, tuple[Case, ...]]
AT_ONCE = 2
CLEARLY = 10.0  # least difference of mistake and solution, in tolerances


def main() -> int:
    """Write the reference with the command line's options; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.reference")
    parser.add_argument("--sandbox", default="", help="bwrap, landlock or process")
    parser.add_argument("--device", default="cpu", help="cpu or gpu")
    asked = parser.parse_args()

    def command() -> int:
        record(asked.sandbox, asked.device, make_console())
        return 0

    return guarded(command)


def record(tier: str, device: str, console: Console) -> None:
    """Write the reference, and print how its answers differ from the stored ones.

    The reference holds the solution's programs and answers, and the fingerprints.

    Args:
        tier: the name of the tier; "" for the strongest one that works.
        device: "cpu" or "gpu".
        console: the console on which the tables are printed.

    Raises:
        UsageError: solution/dqn.py is missing, or JAX with CUDA is not installed.
        GraderError: the solution fails a check, or a mutant's fingerprint is too near
            to the solution's.
    """
    if not exercises.SOLUTION.exists():
        raise UsageError("the reference is made of solution/dqn.py, which is not here")
    pipeline.check_device(device)
    submission = take(str(exercises.SOLUTION.parent))
    with Live(console) as live:
        with WarmProcesses(tier, device=device) as warm:
            student = warm.take(submission)
            solution, of_files = right_answers(student, live.on_check)
            right = {
                part: fingerprint(part, student, of_files.get(part, ()))
                for part in [*PROBES, *of_files]
            }
        # Imported after the checks: mutants are edits of the solution, and the import
        # fails for a wrong solution.
        from tests.corpus.mutants import MUTANTS

        mutants = [mutant for mutant in MUTANTS if mutant.part not in READERS]
        mistakes = fingerprints(mutants, of_files, tier, device, live.on_check)
    require_told_apart(mutants, mistakes, right)
    provenance = {
        "solution_sha256": hashlib.sha256(submission.source).hexdigest(),
        "packages": {name: version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "device": device,
    }
    try:
        old = recorded.load_answers()
        for line in machines(recorded.load_provenance(), provenance):
            console.print(line, markup=False)
    except (OSError, ValueError, zipfile.BadZipFile) as missing:
        console.print(f"nothing to compare with: {missing}", markup=False)
        old = {}
    rows = recorded.drift(old, solution.answers, solution.asked)
    known = Known(right, by_part(mutants, mistakes, right))
    recorded.save(solution.programs, solution.answers, known, provenance)
    print_drift(rows, console)
    console.print(programs_in_words(solution.programs))
    console.print(f"{len(mutants)} fingerprints, each told from the solution's")


def right_answers(
    student: Candidate, on_check: Callable[[str, str], None]
) -> tuple[Recorder, FixedCases]:
    """Run the checks of exercises 1–8 on the solution; record its programs and answers.

    In these checks the solution is also the reference.

    Args:
        student: the solution, as a candidate.
        on_check: called before each check with the names of the exercise and the check.

    Returns:
        The recorder with the programs and answers.
        The fixed cases of the check files, by part.

    Raises:
        GraderError: the grader could not do its work, or the solution fails a check.
    """
    answers = Recorder(student)
    graded = Graded(
        student=student,
        reference=answers,
        runner=student.runner,
        budget=student.worker.budget,
        seed=SEED,
    )

    def begin(exercise: str, check: str) -> None:
        answers.check = f"{exercise}: {check}"
        on_check(exercise, check)

    asked = FixedCasesOnly(graded)
    names = {}
    for exercise in run_checks(asked, UNITS, begin):
        for check in exercise.checks:
            label = f"{exercise.name}: {check.description}"
            names[label] = f"{exercise.name} {check.name}"
            if check.score < check.max_score:
                raise GraderError(
                    f"the solution fails {exercise.name}, {check.name}: {check.message}"
                )
    # Checks ask these cases only if an answer is wrong, or if td_loss cannot be used.
    answers.check = "targets"
    for group in (
        *(fixed_cases.TD_CONTINUES, fixed_cases.TD_ENDS),
        *(fixed_cases.TD_BATCH_CONTINUES, fixed_cases.TD_MIXED),
    ):
        for case in group.fixed:
            targets_of(cases.on_table(case), answers)
    answers.check = "losses of updates"
    for case in (*fixed_cases.UPDATE.fixed, fixed_cases.UPDATE_EXAMPLE):
        for replaced in ({}, {"stand_in": True}):
            answers.answer(case.replace(spec=replaced))
    for question, checks in answers.asked.items():
        answers.asked[question] = [names.get(label, label) for label in checks]
    return answers, asked.fixed


class FixedCasesOnly(Pass):
    """A pass of the checks that asks the fixed cases only.

    Drawn cases have the same shapes as fixed cases, so they need no further programs.
    """

    def phases(self, item: pytest.Item) -> tuple[Phase, ...]:
        """Return no phase of hypothesis, so that no cases are drawn.

        Args:
            item: the check; it has no effect.
        """
        return ()


def programs_in_words(programs: dict[str, np.ndarray]) -> str:
    """Return a sentence with the number of the programs and their total size.

    Args:
        programs: the serialised programs, arrays uint8 [n], by name.
    """
    kilobytes = sum(program.nbytes for program in programs.values()) / 1000
    return f"{len(programs)} programs of the solution, {kilobytes:.0f} kB"


def fingerprints(
    mutants: list[Any],
    of_files: FixedCases,
    tier: str,
    device: str,
    on_check: Callable[[str, str], None],
) -> list[known.Fingerprint | None]:
    """Return the fingerprint of each mutant, in the order of the mutants.

    The fingerprint is None if the mutant took too long or its process ended.

    Args:
        mutants: mutants of parts without a reader.
        of_files: the fixed cases of the check files, by part.
        tier: the name of the tier; "" for the strongest one that works.
        device: "cpu" or "gpu".
        on_check: called before each mutant with a label and a text such as "3 of 40".
    """
    idle: queue.Queue[WarmProcesses] = queue.Queue()
    for _ in range(AT_ONCE):
        idle.put(WarmProcesses(tier, device=device))

    def probe(number: int) -> known.Fingerprint | None:
        mutant, warm = mutants[number], idle.get()
        on_check("known mistakes", f"{number + 1} of {len(mutants)}")
        try:
            student = warm.take(Submission(mutant.id, mutant.source.encode()))
            fixed = of_files.get(mutant.part, ())
            return fingerprint(mutant.part, student, fixed)
        except Stopped:
            return None
        finally:
            idle.put(warm)

    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(probe, range(len(mutants))))
    finally:
        while not idle.empty():
            idle.get().__exit__()


def require_told_apart(
    mutants: list[Any],
    mistakes: list[known.Fingerprint | None],
    right: dict[str, known.Fingerprint],
) -> None:
    """Raise an exception if a mutant's fingerprint is too near to the solution's.

    Mutants with `border=True` may be near. None means that a mutant has no fingerprint.

    Args:
        mutants: the mutants.
        mistakes: the fingerprint of each mutant or None, in the order of the mutants.
        right: the fingerprints of the solution, by part.

    Raises:
        GraderError: some fingerprints are too near; the message has the mutants' ids.
    """
    blind = [
        mutant.id
        for mutant, found in zip(mutants, mistakes, strict=True)
        if found and not mutant.border and agree(found, right[mutant.part], CLEARLY)
    ]
    if blind:
        raise GraderError(
            f"not recorded: {', '.join(blind)} cannot be told from the solution at "
            f"{CLEARLY:g} times the tolerance; its fixed cases need one that can"
        )


def by_part(
    mutants: list[Any],
    mistakes: list[known.Fingerprint | None],
    right: dict[str, known.Fingerprint],
) -> dict[str, list[Mistake]]:
    """Return the known mistakes of each part, without mutants that have `border=True`.

    Args:
        mutants: the mutants.
        mistakes: the fingerprint of each mutant, in the order of the mutants; a mutant
            with None is left out.
        right: the fingerprints of the solution, by part.
    """
    known: dict[str, list[Mistake]] = {part: [] for part in right}
    for mutant, found in zip(mutants, mistakes, strict=True):
        if found and not mutant.border:
            known[mutant.part].append(Mistake(mutant.id, mutant.hint, found))
    return known


def print_drift(rows: list[Drift], console: Console) -> None:
    """Print how the answers differ from the stored ones, and the result of `verdict`.

    Args:
        rows: a row for each check.
        console: the console on which the table is printed.
    """
    table = Table("check", "in both", "new", "gone", "largest difference")
    for row in rows:
        counts = map(str, (row.both, row.new, row.gone))
        table.add_row(row.check, *counts, f"{row.largest:.1e}")
    console.print(table)
    console.print(f"Verdict: {verdict(rows)}", markup=False)


def verdict(rows: list[Drift]) -> str:
    """Return a text: the answers are identical, within the tolerance, or changed.

    If answers have changed, the text names the checks.

    Args:
        rows: a row for each check.
    """
    if changed := [row.check for row in rows if row.changed]:
        return f"changed: {', '.join(changed)}"
    if any(row.largest for row in rows):
        return f"within tolerance ({RTOL:g})"
    return "identical"


def machines(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return a line for each version or machine that differs from the old reference's.

    There is also a line if the solution has changed.

    Args:
        old: the provenance of the old reference, see `record.save`; {} if unknown.
        new: the provenance of the new reference.
    """
    before = {**old, **old.get("packages", {})}
    now = {**new, **new["packages"]}
    names = [name for name in now if name not in ("packages", "solution_sha256")]
    lines = [
        f"{name}: {before.get(name, 'unknown')} when it was recorded, {now[name]} here"
        for name in names
        if before.get(name) != now[name]
    ]
    if before.get("solution_sha256") != now["solution_sha256"]:
        lines.append("the solution is another file than the one that was recorded")
    return lines


if __name__ == "__main__":
    sys.exit(main())
