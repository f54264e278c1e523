"""`make reference`: record what the solution answers, and show what has changed."""

import hashlib
import platform
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from grader import grading, reference, sandbox
from grader.compare import RTOL
from grader.outcomes import GraderError
from grader.submission import take
from grader.terminal import Live

PACKAGES = ("jax", "jaxlib", "equinox", "optax", "numpy", "hypothesis")
SEED = "reference"


def record(tier: str, device: str, console: Console) -> None:
    """Run the checks on the solution, save its answers, print the drift table.

    Raises:
        UsageError: there is no solution here, or not that device.
        GraderError: the solution fails a check.
    """
    grading.choose_mode("live")
    grading.check_device(device)
    submission = take(str(sandbox.SOLUTION.parent))
    options = grading.Options(seed=SEED, tier=tier, device=device, mode="live")
    with Live(console) as live:
        progress = grading.Progress(live.on_check, live.on_exercise, live.on_learning)
        arrays = grading.record(options, submission, progress)
    try:
        old = reference.load_arrays(reference.FOLDER)
    except GraderError as missing:
        console.print(f"nothing to compare with: {missing}", markup=False)
        old = {}
    reference.save(
        arrays,
        {
            "solution_sha256": hashlib.sha256(submission.source).hexdigest(),
            "packages": {name: version(name) for name in PACKAGES},
            "python": platform.python_version(),
            "platform": f"{platform.system()} {platform.machine()}",
            "device": device,
        },
    )
    print_drift(reference.drift(old, arrays), console)


def print_drift(rows: list[tuple[str, int, int, int, float]], console: Console) -> None:
    """How the record changed, and a verdict."""
    table = Table("part", "in both", "new", "gone", "largest difference")
    for part, both, added, removed, largest in rows:
        table.add_row(part, str(both), str(added), str(removed), f"{largest:.1e}")
    console.print(table)
    largest = max((row[4] for row in rows), default=0.0)
    if any(row[2] or row[3] for row in rows):
        verdict = "changed: other cases than before"
    elif largest == 0:
        verdict = "identical"
    elif largest <= RTOL:
        verdict = f"within tolerance ({RTOL:g})"
    else:
        parts = ", ".join(row[0] for row in rows if row[4] > RTOL)
        verdict = f"changed beyond tolerance ({RTOL:g}): {parts}"
    console.print(f"Verdict: {verdict}", markup=False)
