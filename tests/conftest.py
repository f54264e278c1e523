"""Fixtures that the tests share: they make hand-ins and grade hand-ins."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.contract.exercises import EXERCISES, ROOT
from grader.grading import pipeline
from grader.grading.passes import NO_DIAGNOSIS
from grader.intake.take import take
from grader.sandbox import tiers
from tests.support import handins, lending, patient
from tests.support.grading import Run, common_file, copied_tree, replaced, require
from tests.support.patient import PATIENT, SECONDS

BANNER = re.compile(r"^# Exercise \d+ · .+ · (\d+) points$", re.M)
BANNERS = BANNER.findall((ROOT / "starter" / "dqn.py").read_text(encoding="utf-8"))
POINTS = dict(zip(EXERCISES, map(int, BANNERS), strict=True))


@pytest.fixture(scope="session")
def points() -> dict[str, int]:
    """Return the points of each exercise, by the exercise's name."""
    return POINTS


@pytest.fixture(scope="session")
def solution() -> str:
    """Return the text of solution/dqn.py."""
    return (ROOT / "solution" / "dqn.py").read_text()


@pytest.fixture(scope="session")
def command(tmp_path_factory) -> Callable[..., Run]:
    """Return a function that runs `python -m grader` in a new process.

    Use: `command("grade", path, "--seed", "1")` returns a `Run`. The keyword `tree` is
    the folder in which the command runs. The keyword `module` names another module than
    `grader`. All other keywords are environment variables.
    """

    def run(
        *arguments: object,
        tree: Path = ROOT,
        module: str = "grader",
        **environment: str,
    ) -> Run:
        folder = tmp_path_factory.mktemp("run")
        temporary = folder / "tmp"
        temporary.mkdir()
        words = [str(argument) for argument in arguments]
        if words[:1] == ["grade"] and "--out" not in words:
            words += ["--out", str(folder)]
        done = subprocess.run(
            [sys.executable, "-m", module, *words],
            cwd=tree,
            env={**os.environ, "TMPDIR": str(temporary), **environment},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
        path = folder / "report.json"
        report = json.loads(path.read_text()) if path.exists() else None
        left = sorted(entry.name for entry in temporary.iterdir())
        return Run(done.returncode, done.stdout, done.stderr, report, left, folder)

    return run


@pytest.fixture
def hand_in(tmp_path, solution) -> Callable[..., Path]:
    """Return a function that writes a hand-in and returns its folder.

    Use: `hand_in(td_loss="return 0.0")` writes the solution with a new body of
    `td_loss`. `hand_in({"ReplayBuffer.sample": "return 0.0"})` replaces the body of a
    method. The keywords `before` and `after` are texts that are put before and after
    the solution's text. The keyword `source` (text or bytes) is the content of the
    whole file instead.
    """

    def write(
        bodies: dict[str, str] | None = None,
        *,
        before: str = "",
        after: str = "",
        source: str | bytes | None = None,
        **more: str,
    ) -> Path:
        folder = tmp_path / "hand-in"
        folder.mkdir()
        if source is None:
            source = replaced(solution, {**(bodies or {}), **more})
            source = f"{before}\n{source}\n{after}\n"
        data = source.encode() if isinstance(source, str) else source
        (folder / "dqn.py").write_bytes(data)
        return folder

    return write


@pytest.fixture
def grade(monkeypatch) -> Callable[..., dict]:
    """Return a function that grades exercises, with the grader in the test's process.

    Use: `grade(path, "td_loss", "sync_target")` returns the content of report.json as a
    dict. The helper processes are started as usual. With `twice=True` the consistency
    pass is run, too. `on_check` is called before each check with the names of the
    exercise and the check. Other keywords replace limits of `PATIENT`:
    `call_seconds=2.0`.
    """
    # The grader's own pytest run must not load the plugins that are here for the tests.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(
        path: Path,
        *exercises: str,
        twice: bool = False,
        tier: str = "",
        seed: str = "1",
        on_check: Callable[[str, str], None] = lambda exercise, check: None,
        **limits: float,
    ) -> dict:
        limited = replace(PATIENT, **limits)
        options = pipeline.Options(seed, exercises, tier, limits=limited, twice=twice)
        progress = pipeline.Progress(on_check=on_check)
        report = pipeline.grade(take(str(path)), options, progress)
        assert not [note for note in report.notes if note.startswith(NO_DIAGNOSIS)]
        return json.loads(report.as_json())

    return run


@pytest.fixture
def graded(grade, monkeypatch) -> Callable[..., dict]:
    """Return a function like `grade` that uses warm processes, to save time.

    Use it only for hand-ins that do no harm. A hand-in that changes its process needs
    `spoils=True`: a new worker is started for this hand-in, and again for the next one.
    """
    warm = handins.warm()
    monkeypatch.setattr(
        pipeline, "RunnerClient", lambda *args, **_: lending.lend_runner(warm, args[2])
    )
    monkeypatch.setattr(
        pipeline,
        "WorkerClient",
        lambda *args: lending.lend_worker(warm, args[0], args[2]),
    )

    def run(path: Path, *exercises: str, spoils: bool = False, **more: Any) -> dict:
        if spoils:
            warm.worker.stop()
        try:
            return grade(path, *exercises, **more)
        finally:
            if spoils:
                warm.worker.stop()

    return run


@pytest.fixture
def only(monkeypatch):
    """Return a function that lets only the named isolating tiers work.

    Use: after `only("landlock")`, the grader finds that bwrap does not work.
    """

    def set_up(*working: str) -> None:
        def why_not(tier: str) -> str | None:
            there = tier in working or tier not in tiers.ISOLATING
            return None if there else f"no {tier}"

        monkeypatch.setattr(tiers, "why_not", why_not)

    return set_up


@pytest.fixture(scope="session")
def bwrap() -> str:
    """Return "bwrap"; skip the test if bubblewrap does not work on this machine."""
    return require("bwrap")


@pytest.fixture(scope="session", params=tiers.ISOLATING)
def isolating(request) -> str:
    """Return the name of an isolating tier; the test runs once for each such tier.

    If a tier does not work on this machine, the test is skipped for this tier.
    """
    return require(request.param)


@pytest.fixture
def tree(tmp_path) -> Path:
    """Return a new folder with a copy of the repository as students have it.

    The copy has `grader/` and `starter/`, but no solution and no tests.
    """
    return copied_tree(tmp_path / "tree")


# ------------------------------------------------------- runs that several tests share


@pytest.fixture(scope="session")
def starter_run(command) -> Run:
    """Grade the unchanged starter once for all tests, and return the run."""
    return command("grade", "starter")


@pytest.fixture(scope="session")
def students_run(command, tmp_path_factory) -> Run:
    """Grade the solution in a copy of the students' repository; return the run.

    The copy has no solution, so the reference is the exported programs. The tier is the
    strongest one that works here. All tests share this run.
    """
    tree = copied_tree(tmp_path_factory.mktemp("students") / "tree")
    (tree / "tests" / "support").mkdir(parents=True)
    for name in ("__init__.py", "support/patient.py"):
        shutil.copy(ROOT / "tests" / name, tree / "tests" / name)
    return command("grade", ROOT / "solution", tree=tree, module=patient.__name__)


WATCH = '''
def _watch():
    """Write a line to a marker file when a function of this file runs.

    Each function writes at most one line in each process.
    """
    import functools, json, os, sys
    seen = set()

    def saw(what):
        if (what, os.getpid()) not in seen:
            seen.add((what, os.getpid()))
            line = [what, os.getpid(), sys.argv[0], sorted(sys.modules)]
            with open(MARKER, "a") as file:
                file.write(json.dumps(line) + "\\n")  # at once: others write, too

    def watched(what, function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            saw(what)
            return function(*args, **kwargs)
        return wrapper

    class Watched(eqx.Module):
        net: eqx.Module

        def __call__(self, state):
            saw("the network")
            return self.net(state)

    saw("the file")
    g = globals()
    for name in NAMES:
        owner, _, method = name.rpartition(".")
        if owner:
            setattr(g[owner], method, watched(name, getattr(g[owner], method)))
        else:
            g[name] = watched(name, g[name])
    made = g["q_network"]
    g["q_network"] = lambda *args: Watched(made(*args))

_watch()
'''
WATCHED = [
    *("update_Q_TD0", "discounted_returns", "mc_loss", "q_network", "epsilon_greedy"),
    *("ReplayBuffer.add", "ReplayBuffer.sample", "td_loss", "td_update", "sync_target"),
]


@pytest.fixture(scope="session")
def watched_run(command, solution, tmp_path_factory) -> tuple[Run, list[list]]:
    """Grade the solution on the process tier; record which process runs each function.

    Returns:
        The run.
        A list of records: one for each function of the hand-in and each process that
        ran this function. A record is a list with the function's name, the process ID,
        the path of the process' script, and the names of all modules that the process
        has loaded.
    """
    folder = tmp_path_factory.mktemp("watched")
    marker = common_file(folder / "marker")
    names = f"MARKER = {str(marker)!r}\nNAMES = {WATCHED!r}\n"
    (folder / "dqn.py").write_text(f"{solution}\n{names}{WATCH}")
    run = command("grade", folder, "--sandbox", "process", module=patient.__name__)
    return run, [json.loads(line) for line in marker.read_text().splitlines()]
