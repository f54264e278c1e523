"""Reads known mistakes, pairs of them, and right hand-ins, and prints the readings.

    python -m tests.tools.readings [ids or parts]      all or some known mistakes
    python -m tests.tools.readings --pairs N [parts]   N random pairs for each part
    python -m tests.tools.readings --right             right hand-ins in many styles
    python -m tests.tools.readings --files dqn.py …    files with other definitions

Only parts with formulas are read: `td_loss`, `mc_loss` and `update_Q_TD0`. The code of
the hand-ins runs in this process. A reading is *true* if its formula also computes the
answers to new questions.
"""

import argparse
import random
import sys
import time
import types
import warnings
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

import jax
import numpy as np

from grader.contract.case import Answer, Case
from grader.contract.outcomes import Raised, Wrong
from grader.diagnosis.formulas.losses import mc_loss, sample, search, td_loss
from grader.diagnosis.formulas.table import episode, td0
from grader.diagnosis.reading import Reading
from grader.inside import parts
from grader.inside.values import ContractError
from tests.corpus.mutants import MUTANTS
from tests.corpus.pairs import pairs_of
from tests.corpus.variants import VARIANTS
from tests.support.edits import EXERCISE_OF, SOLUTION, with_definitions

READERS: dict[str, Any] = {"td_loss": td_loss, "update_Q_TD0": td0, "mc_loss": mc_loss}


class Here:
    """A hand-in that runs in this process; it has the interface `Student`.

    Args:
        source: the hand-in's source.

    Attributes:
        asked: the CPU seconds that all answers have taken.
    """

    eager = True

    def __init__(self, source: str) -> None:
        self.module = types.ModuleType("dqn")
        exec(compile(source, "dqn.py", "exec"), vars(self.module))
        self.stopped: set[str] = set()
        self.programs: dict[str, Any] = {}
        self.asked = 0.0

    def answer(self, case: Case) -> Answer:
        """Return the part's answer to a question.

        Raises:
            Raised: the part fails.
            Wrong: the part returns a value that the contract does not allow.
        """
        start = time.thread_time()
        try:
            program = parts.program_of(self.module, case.part, case.spec)
            answer = program(deepcopy(case.args))
            return Answer(jax.tree.map(np.asarray, answer))
        except ContractError as error:
            raise Wrong(str(error)) from None
        except Exception as error:
            raise Raised(f"{type(error).__name__}: {error}") from None
        finally:
            self.asked += time.thread_time() - start

    called = answer


def read(source: str, part: str, seed: int = 0) -> tuple[Reading | None, str, float]:
    """Return the reading of a hand-in's part.

    Returns:
        The reading, or None; the error message if the part failed, else ""; and the
        seconds of the search, without the time of the part's answers.
    """
    student = Here(source)
    start = time.thread_time()
    why = ""
    reading = None
    try:
        reading = READERS[part].read(student, np.random.default_rng(seed))
    except (Raised, Wrong) as reason:
        why = f"({str(reason).splitlines()[0][:60]})"
    return reading, why, time.thread_time() - start - student.asked


def true(source: str, part: str, seed: int = 0) -> bool:
    """Tell whether the formula of a part fits the part's answers to new questions.

    The result is True if no formula is found.
    """
    reader, student = READERS[part], Here(source)
    result = reader.find(student, np.random.default_rng(seed))
    if result is None:
        return True
    found, rng = result[0], np.random.default_rng(seed + 1000)
    if reader is td0:
        asked = [episode.ask(case, student) for case in reader.QUESTIONS(rng)]
        return bool(td0.confirmed(found.formula, found.size, asked))
    asked = reader.QUESTIONS(rng) + reader.OTHERS(rng)
    samples = [sample.ask_or_none(case, student) for case in asked]
    answered = [one for one in samples if one]
    again = search.fit(reader.LANGUAGE, found.formula, answered)
    return again is not None and again.scale == found.scale


def names_of(reading: Reading | None) -> set[str]:
    """Return the names of the mistakes in a reading; an empty set for None."""
    return {d.name for d in reading.differences} if reading else set()


def show(reading: Reading) -> None:
    """Print the formula, the formula that is asked for, and the table."""
    for title, text in (("computes", reading.computes), ("asked", reading.asked)):
        for line in text.splitlines():
            print(f"    {title:9} {line}")
    for line in reading.table:
        print(f"      {line}")


def known(wanted: list[str], *, verbose: bool) -> None:
    """Read known mistakes, and print a line for each.

    Args:
        wanted: the ids or parts of the mistakes to read; [] for all.
        verbose: whether readings with the right name are printed.
    """
    count: Counter[str] = Counter()
    slowest = 0.0
    for mutant in MUTANTS:
        if mutant.part not in READERS:
            continue
        if wanted and not {mutant.id, mutant.part} & {*wanted}:
            continue
        reading, why, seconds = read(mutant.source, mutant.part)
        names = names_of(reading)
        verdict = "ok" if names == {mutant.id} else "none" if not names else "WRONG"
        slowest = max(slowest, seconds)
        count[verdict] += 1
        print(
            f"{mutant.id:28} {verdict:6} {seconds:.2f} {' '.join(sorted(names))}{why}"
        )
        if reading and not true(mutant.source, mutant.part):
            count["FALSE"] += 1
            print("    FALSE")
        if reading and (verbose or verdict == "WRONG"):
            show(reading)
    print(dict(count), f"slowest {slowest:.2f} s")


def answers(source: str, part: str) -> list[np.ndarray]:
    """Return a part's answers to the reader's questions; [] if the part fails."""
    student, found = Here(source), []
    for case in READERS[part].QUESTIONS(np.random.default_rng(99)):
        try:
            answer = student.answer(case)
        except (Raised, Wrong):
            return []
        found += [np.ravel(leaf) for leaf in jax.tree.leaves(dict(answer))]
    return found


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    """Tell whether two lists of answers are equal within rounding."""
    return len(a) == len(b) and all(
        x.shape == y.shape and np.allclose(x, y, 1e-4, 1e-5, equal_nan=True)
        for x, y in zip(a, b, strict=True)
    )


def pairs(number: int, wanted: list[str], seed: int) -> None:
    """Read pairs of known mistakes; print each pair with a wrong or missing name.

    A pair is left out if a mistake in the pair alone does not get its own name, if the
    code fails, or if the code answers like one mistake alone or like right work.

    Args:
        number: the number of pairs that are read for each part.
        wanted: the parts; [] for all.
        seed: the seed for the order of the pairs.
    """
    for part in READERS:
        if wanted and part not in wanted:
            continue
        count: Counter[str] = Counter()
        alone: dict[str, Any] = {}
        right = answers(SOLUTION, part)
        found = pairs_of(part)
        random.Random(seed).shuffle(found)
        for a, b, source in found:
            if sum(count.values()) >= number:
                break
            for mutant in (a, b):
                if mutant.id not in alone:
                    named = names_of(read(mutant.source, part)[0]) == {mutant.id}
                    own = answers(mutant.source, part)
                    alone[mutant.id] = own if named else None
            if alone[a.id] is None or alone[b.id] is None:
                continue
            own = answers(source, part)
            if not own or any(same(own, x) for x in (alone[a.id], alone[b.id], right)):
                continue
            reading, why, seconds = read(source, part)
            names = names_of(reading)
            wrong = names - {a.id, b.id}
            if len(names) == 1 and wrong:  # the pair may be equal to a third mistake
                third = next((m for m in MUTANTS if {m.id} == names), None)
                if third and same(own, answers(third.source, part)):
                    continue
            verdict = (
                "none"
                if not names
                else "wrong"
                if wrong
                else "both"
                if len(names) == 2
                else "one"
            )
            if not true(source, part):
                verdict = "FALSE"
            count[verdict] += 1
            if verdict != "both":
                print(f"{a.id} + {b.id}: {verdict} {sorted(names)} {why} {seconds:.2f}")
                if reading:
                    show(reading)
                sys.stdout.flush()
        print(part, dict(count))


def right_styles() -> None:
    """Read right hand-ins, and print each reading; there should be none."""
    count = 0
    for variant in VARIANTS:
        for part in READERS:
            if EXERCISE_OF[part] in variant.exercises and not variant.fresh:
                reading, _, seconds = read(variant.source, part)
                count += 1
                print(f"{count} {variant.name}: {part} {seconds:.2f}", flush=True)
                if reading:
                    print(f"{variant.name}: {part} {sorted(names_of(reading))}")
                    show(reading)
    print(f"{count} right parts were read")


def main() -> None:
    """Run the command that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wanted", nargs="*")
    parser.add_argument("--pairs", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--files", action="store_true")
    parser.add_argument("--right", action="store_true")
    parser.add_argument("-v", action="store_true", dest="verbose")
    options = parser.parse_args()
    warnings.simplefilter("ignore", FutureWarning)
    jax.config.update("jax_default_matmul_precision", "highest")
    if options.right:
        right_styles()
    elif options.files:
        for path in map(Path, options.wanted):
            text = path.read_text(encoding="utf-8")
            part = next(p for p in READERS if f"def {p}(" in text)
            reading, why, seconds = read(with_definitions(text), part)
            print(
                f"{text.splitlines()[0]}\n  "
                f"{seconds:.2f} {sorted(names_of(reading))}{why}"
            )
            if reading:
                show(reading)
    elif options.pairs:
        pairs(options.pairs, options.wanted, options.seed)
    else:
        known(options.wanted, verbose=options.verbose)


if __name__ == "__main__":
    sys.exit(main())
