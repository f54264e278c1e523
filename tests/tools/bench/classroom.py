"""Compare the grading of a whole class with single gradings (`make bench CLASS=20`).

The bench makes a class of 20 different hand-ins: right and wrong ones, attacks,
malformed files, notebooks and archives. It grades the class with the command of `make
grade-class`. Then it grades each hand-in alone with the command of `make grade`. It
prints the hand-ins per minute and core, and the ratio of the two times. With KILL=1 the
bench also kills a class run half-way, resumes it, and compares the results.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from grader.contract.exercises import ROOT
from tests.corpus.mutants import MUTANTS
from tests.corpus.variants import WHOLE
from tests.support import attack_runs
from tests.support.edits import SOLUTION
from tests.support.results import contents

SIZE = int(os.environ.get("CLASS") or "20")
ONLY = os.environ.get("ONLY", "")
KILL = os.environ.get("KILL", "")
POLL_SECONDS = 0.5
DURATION = re.compile(r"\d+\.\d+ s\b")  # one of the right hand-ins prints durations
# Attacks whose answers are not random, because two reports must be comparable.
HOSTILE = ("exits_at_import", "patched_jax", "forges_the_report", "prints_answers")


def sources(size: int) -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of each hand-in of a class; all texts differ.

    Args:
        size: the number of hand-ins.
    """
    attacks = [
        attack_runs.STARTER
        + (attack_runs.FILES / f"{n}.py").read_text().replace("tell(", "str(")
        for n in HOSTILE
    ]
    kinds = {
        "right": cycle([SOLUTION, *(variant.source for variant in WHOLE)]),
        "mistake": cycle(mutant.source for mutant in MUTANTS[::7]),
        "unwritten": cycle([attack_runs.STARTER]),
        "hostile": cycle(attacks),
    }
    order = ("right", "mistake", "right", "mistake", "hostile", "right", "unwritten")
    for number, kind in enumerate(islice(cycle(order), size)):
        yield kind, f"{next(kinds[kind])}\n# hand-in {number}\n"


def make_class(folder: Path, size: int) -> None:
    """Write the hand-ins of a class into a folder.

    Some are folders, others are files, archives and notebooks. One of eleven is
    malformed.

    Args:
        folder: the folder, which must exist.
        size: the number of hand-ins.
    """
    for number, (kind, text) in enumerate(sources(size)):
        malformed = number % 11 == 10
        name = f"{number:03} {'malformed' if malformed else kind}"
        form = ("folder", "file", "archive", "notebook", "folder")[number % 5]
        if malformed:
            (folder / name).mkdir()
            (folder / name / "dqn.py").write_bytes(b"\xff\xfe no text %d" % number)
        elif form == "archive":
            with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
                archive.writestr("dqn.py", text)
        elif form == "notebook":
            (folder / f"{name}.ipynb").write_text(as_notebook(text))
        elif form == "file":
            (folder / f"{name}.py").write_text(text)
        else:
            (folder / name).mkdir()
            (folder / name / "dqn.py").write_text(text)


def as_notebook(text: str) -> str:
    """Return the JSON text of a notebook that has the text in one code cell."""
    cell = {"cell_type": "code", "metadata": {}, "source": text, "outputs": []}
    cell["execution_count"] = None
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    return json.dumps(notebook)


def main() -> None:
    """Grade a class as a whole, then one by one; print times and differing scores."""
    more = ["--seed", "1", *(["--only", ONLY] if ONLY else [])]
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as temporary:
        folder, out = Path(temporary, "class"), Path(temporary, "out")
        folder.mkdir()
        make_class(folder, SIZE)
        seconds = timed("grader.classroom", folder, "--out", out, *more)
        whole = {
            report["submission"]["name"]: (report["score"], report["max_score"])
            for path in (out / "reports").glob("*.json")
            for report in [json.loads(path.read_text())]
        }
        resumed = killed_and_resumed(folder, out, more) if KILL else ""
        alone, differing, right = 0.0, [], []
        for path in sorted(folder.iterdir()):
            alone += timed("grader", "grade", path, "--out", out, *more)
            report = json.loads((out / "report.json").read_text())
            score = report["score"], report["max_score"]
            if whole.get(path.name) != score:
                differing.append(f"{path.name}: {whole.get(path.name)}, alone {score}")
            if "right" in path.name:
                right += [score, whole.get(path.name)]
        again = timed("grader.classroom", folder, "--out", out, *more)
    rate = SIZE / (seconds / 60) / cores
    print(f"{SIZE} hand-ins in {seconds:.0f} s on {cores} cores")
    print(f"{rate:.2f} hand-ins per minute and core")
    print(
        f"one after the other by `make grade`: {alone:.0f} s, {alone / seconds:.2f} ×"
    )
    print(f"once more, nothing changed: {again:.1f} s")
    print("scores that differ:", "; ".join(differing) or "none")
    full = sum(score is not None and score[0] == score[1] for score in right)
    print(f"right hand-ins: {full} of {len(right)} gradings with full marks")
    if resumed:
        print(resumed)


def killed_and_resumed(folder: Path, whole: Path, more: list[str]) -> str:
    """Kill a class run half-way, resume it, and compare the files of its results.

    Args:
        folder: the folder of the class.
        whole: the folder with the results of a run that was not killed.
        more: further options of the command.

    Returns:
        A sentence that names the files that differ from those in `whole`.
    """
    out = whole.with_name("resumed")
    words = [str(folder), "--out", str(out), *more]
    process = subprocess.Popen(
        [sys.executable, "-m", "grader.classroom", *words],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and len(list(out.glob("kept/*"))) < SIZE / 2:
        time.sleep(POLL_SECONDS)
    process.kill()
    process.wait()
    done = len(list(out.glob("kept/*")))
    timed("grader.classroom", *words)
    one, other = (
        {name: DURATION.sub("", text) for name, text in contents(folder).items()}
        for folder in (whole, out)
    )
    differing = [name for name in {*one, *other} if one.get(name) != other.get(name)]
    told = f"killed with {done} of {SIZE} done and resumed: "
    return (
        told
        + (", ".join(sorted(differing)) or "the same files")
        + (f" ({len(one)}, but for durations)")
    )


def timed(module: str, *arguments: object) -> float:
    """Run `python -m module arguments`; return the time in seconds.

    Raises:
        CalledProcessError: the exit code is not 0.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
