"""`make fuzz [SECONDS=60]`: coverage-guided fuzzing of code that reads helpers' bytes.

There are three targets, and each gets a third of the time: streams of frames, answers
of a helper, and programs. Atheris (libFuzzer) makes new bytes from good ones, and keeps
the bytes that reach new code. If a target fails, its bytes are printed and the exit
code is 1.

Bytes of a program may crash JAX's own reader, hang it, or fill its memory. This is no
failure: in a grading, the runner then dies or reaches its deadline, and the hand-in
gets no points. The number of crashes, hangs and lacks of memory is printed.
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
SIGNALS = (-4, -6, -7, -8, -11)  # exit codes after a crash outside Python
OPTIONS = ["-rss_limit_mb=3000", "-timeout=8", "-close_fd_mask=1", "-max_len=65536"]
OPTIONS += ["-len_control=0"]
HUNG, FULL = 70, 71  # libFuzzer's exit codes for too much time and too much memory
# Options that switch off libFuzzer's own signal handlers, because they can hang after a
# crash that damages the heap.
CRASHES_ARE_ENDS = [f"-handle_{x}=0" for x in ("segv", "bus", "abrt", "ill", "fpe")]


def main() -> int:
    """Fuzz the targets; return 0, or 1 if a target failed.

    The command line may name some of the `TARGETS`. The environment variable SECONDS is
    the time for all targets together.
    """
    seconds = float(os.environ.get("SECONDS") or 60)
    chosen = [name for name in TARGETS if name in sys.argv[1:]] or list(TARGETS)
    return max([fuzzed(name, seconds / len(chosen)) for name in chosen])


def fuzzed(target: str, seconds: float) -> int:
    """Fuzz one target for some time; print how often the target ran.

    For the target "programs", the fuzzer is started again after a crash, a hang or a
    lack of memory.

    Args:
        target: the name of the target, one of `TARGETS`.
        seconds: the time for this target in seconds.

    Returns:
        1 if the target failed, otherwise 0.
    """
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
