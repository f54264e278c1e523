"""Rounding errors of float32 are far below the tolerance of the comparison."""

import subprocess
import sys

from grader.contract.exercises import ROOT

# Prints the largest difference between the solution's answers in float32 and in float64
# over all fixed cases, divided by the tolerance. This code runs in its own process
# because it changes JAX's settings.
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
    """Rounding to float32 changes no answer by more than 3 % of the tolerance.

    This is tested for the solution in all fixed cases.
    """
    command = [sys.executable, "-W", "ignore", "-c", SPREAD]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert 0 < float(done.stdout) < 0.03
