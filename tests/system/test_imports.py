"""Importing the grader's own modules loads neither JAX nor the worker or the runner."""

import subprocess
import sys

from grader.contract.exercises import ROOT

HEAVY = {"jax", "jaxlib", "equinox", "optax", "gymnasium", "matplotlib"}
HELPERS = {"grader.inside.worker", "grader.inside.runner"}
APART = {"inside", "checks"}  # left out: helpers, and checks, which pytest imports


def test_importing_the_grader_is_light():
    """After importing all modules of the grader, neither JAX nor a helper is loaded."""
    paths = [path.relative_to(ROOT) for path in (ROOT / "grader").rglob("*.py")]
    names = [
        ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        for path in paths
        if path.name != "__main__.py" and not APART & {*path.parts}
    ]
    code = f"import sys, {', '.join(names)}; print(*sys.modules)"
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {*done.stdout.split()} & {*HEAVY, *HELPERS}


def test_a_class_without_its_libraries_is_one_line():
    """Without the staff's libraries, `python -m grader.classroom` prints one line.

    The line says which command to use instead.
    """
    code = "import runpy, sys\nsys.modules['jinja2'] = None\n"
    code += "runpy.run_module('grader.classroom', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "error: jinja2 is not installed: use `make grade-class`\n"
