"""`make fuzz [SECONDS=60]`: coverage-guided fuzzing of what reads a hand-in's bytes.

Three targets, a third of the time each: streams of frames, what a helper answers, and
programs. Atheris (libFuzzer) makes the bytes up, from a few good ones, and keeps those
that reach code which no others reached. Where one fails it prints the bytes, and the
exit code is 1.

A program whose bytes crash JAX's own reader, hold it up or fill its memory is no
failure: the runner dies of it, or its deadline passes, and the hand-in is to blame.
Such ends are counted.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grader.contract.exercises import ROOT

RUN = [sys.executable, "-m", "tests.tools.fuzz.one"]
TARGETS = ("frames", "conversation", "programs")
SIGNALS = (-4, -6, -7, -8, -11)  # what a crash outside Python ends with
OPTIONS = ["-rss_limit_mb=3000", "-timeout=8", "-close_fd_mask=1", "-max_len=65536"]
OPTIONS += ["-len_control=0"]
HUNG, FULL = 70, 71  # libFuzzer's exit codes for too much time, and memory
# libFuzzer's own handlers would hang where the heap is in ruins.
CRASHES_ARE_ENDS = [f"-handle_{x}=0" for x in ("segv", "bus", "abrt", "ill", "fpe")]


def main() -> int:
    """Fuzz each target for its time; the exit code says whether all held."""
    seconds = float(os.environ.get("SECONDS") or 60)
    chosen = [name for name in TARGETS if name in sys.argv[1:]] or list(TARGETS)
    return max([fuzzed(name, seconds / len(chosen)) for name in chosen])


def fuzzed(target: str, seconds: float) -> int:
    """Fuzz one target, begin again where a crash ended it; 1 where it failed."""
    end = time.monotonic() + seconds
    runs = crashes = hangs = full = covered = 0
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        (Path(folder) / "corpus").mkdir()
        while (left := end - time.monotonic()) > 1:
            options = [*OPTIONS, f"-max_total_time={int(left)}", f"-seed={1 + runs}"]
            if target == "programs":
                options += CRASHES_ARE_ENDS
            done = subprocess.run(
                [*RUN, target, folder, *options],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
            told = re.findall(r"#(\d+)\t.*cov: (\d+)", done.stderr)
            runs += int(told[-1][0]) if told else 0
            covered = max([covered, *(int(cov) for _, cov in told)])
            excused = (*SIGNALS, HUNG, FULL) if target == "programs" else ()
            if done.returncode and done.returncode not in excused:
                print(done.stderr[-6000:], flush=True)
                print(f"{target}: FAILED after {runs} executions")
                return 1
            crashes += done.returncode in SIGNALS
            hangs += done.returncode == HUNG
            full += done.returncode == FULL
        kept = len(list((Path(folder) / "corpus").iterdir()))
    ends = f"; JAX's reader: {crashes} crashes, {hangs} hangs, {full} out of memory"
    print(
        f"{target}: {runs} executions in {seconds:.0f} s, {covered} edges covered, "
        f"{kept} inputs kept, nothing failed{ends if target == 'programs' else ''}",
        flush=True,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
