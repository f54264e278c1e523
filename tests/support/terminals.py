"""Open a terminal in which a watch runs."""

import os
import sys
import warnings
from pathlib import Path
from typing import Any

from grader.contract.exercises import ROOT


def watch_in_terminal(
    hand_in: Path,
    results: Path,
    *options: str,
    module: str = "grader",
    lines: int,
    seconds: int,
    **environment: str,
) -> Any:
    """Start a watch in a terminal of 80 columns; return the terminal of `pexpect`.

    Args:
        hand_in: the folder with `dqn.py`.
        results: the folder of report.json.
        options: further options of `grade`.
        module: the module to run as the grader's command line.
        lines: the number of lines of the terminal.
        seconds: how long the terminal waits for an expected text.
        environment: additional environment variables.
    """
    import pexpect  # here, because a test that needs it is skipped without it

    with warnings.catch_warnings():
        # JAX, if another test has started it, warns of a fork in any process with
        # threads; this child does nothing but start another program.
        warnings.filterwarnings("ignore", r"os\.fork\(\)", RuntimeWarning)
        return pexpect.spawn(
            sys.executable,
            [
                "-m",
                module,
                "grade",
                "--watch",
                f"--out={results}",
                *options,
                str(hand_in),
            ],
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm", **environment},
            dimensions=(lines, 80),
            encoding="utf-8",
            timeout=seconds,
        )
