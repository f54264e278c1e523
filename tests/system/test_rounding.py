"""Float32's own rounding is far below the tolerance of the comparison."""

import subprocess
import sys

from grader.contract.exercises import ROOT

# The solution's float32 answers on all fixed cases against its own in float64, by how
# much of the tolerance they differ. In its own process, for it changes JAX's settings.
SPREAD = """
import sys
sys.path[:0] = ["solution", "."]
import dqn, jax
import numpy as np
from grader.contract import compare, fixed_cases
from grader.inside import parts
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")
wider = lambda x: x.astype(np.float64) if np.asarray(x).dtype == np.float32 else x
worst, programs = 0.0, {}
for cases in vars(fixed_cases).values():
    for case in getattr(cases, "fixed", ()):
        key = f"{case.part} {case.spec}"
        if key not in programs:
            programs[key] = jax.jit(parts.PROGRAMS[case.part](dqn, case.spec))
        program = programs[key]
        narrow, wide = program(case.args), program(jax.tree.map(wider, case.args))
        for a, b in zip(jax.tree.leaves(narrow), jax.tree.leaves(wide), strict=True):
            a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
            allowed = compare.ATOL + compare.RTOL * np.abs(b).max(initial=0)
            worst = max(worst, (np.abs(a - b) / allowed).max(initial=0))
print(worst)
"""


def test_rounding_is_far_below_the_tolerance() -> None:
    """Rounding in float32 takes less than 3 % of the tolerance in all fixed cases."""
    command = [sys.executable, "-W", "ignore", "-c", SPREAD]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert 0 < float(done.stdout) < 0.03
