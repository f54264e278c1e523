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
from dataclasses import replace
from pathlib import Path

from grader.contract.exercises import ROOT
from tests.support.results import contents
from tests.tools.example import make_hand_ins, people

SIZE = int(os.environ.get("CLASS") or "20")
ONLY = os.environ.get("ONLY", "")
KILL = os.environ.get("KILL", "")
POLL_SECONDS = 0.5
DURATION = re.compile(r"\d+\.\d+ s\b")  # one of the right hand-ins prints durations


def make_class(folder: Path, size: int) -> dict[str, str]:
    """Write the hand-ins of a class without groups into a folder.

    Args:
        folder: the folder, which must exist.
        size: the number of hand-ins.

    Returns:
        The kind of each hand-in, by the name of its file.
    """
    return make_hand_ins(folder, [replace(one, group="") for one in people(size)])


def main() -> None:
    """Grade a class as a whole, then one by one; print times and differing scores."""
    more = ["--seed", "1", *(["--only", ONLY] if ONLY else [])]
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as temporary:
        folder, out = Path(temporary, "class"), Path(temporary, "out")
        folder.mkdir()
        kinds = make_class(folder, SIZE)
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
            if kinds[path.name] == "right":
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

    The exit code may be 2: some hand-ins cannot be read.

    Raises:
        CalledProcessError: the exit code is neither 0 nor 2.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode not in (0, 2):
        done.check_returncode()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
