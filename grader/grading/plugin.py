"""The pytest plugin: collect the checks once, and run them in the order of a script.

A script is a function that calls `Checks.run` for some exercises, once or several
times. Checks are ordinary pytest tests with three markers:

- `points(n)`: the check pays n points.
- `after(name, ...)`: the check runs only if at least one of the checks with these names
  has passed. They are checks of the same file. The marker is for a check that a
  constant answer would pass.
- `part(name)`: the check judges the part with this name. Without the marker, the
  check judges the part that has the exercise's name.

A check file may define `CASES` for a part without a reader. The part's answers to the
fixed cases of `CASES` are its fingerprint, see `diagnosis/fingerprints.py`.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator

import pytest
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from grader.contract.exercises import CHECKS, EXERCISES
from grader.contract.outcomes import GraderError
from grader.grading.diagnoses import diagnose_exercise
from grader.grading.fixtures import Fixtures
from grader.grading.items import description_of, exercise_of
from grader.grading.passes import Pass
from grader.report.model import Exercise
from grader.sandbox.system import own_prefix

# Called when a check starts, with the exercise's name and the check's description.
OnCheck = Callable[[str, str], None]
# Calls `Checks.run` for some exercises, once or several times.
Script = Callable[["Checks"], None]


def nobody(exercise: str, check: str) -> None:
    """Do nothing when a check starts; used if no progress is displayed."""


class Checks(Fixtures):
    """The pytest plugin, which holds the collected checks and runs them.

    Args:
        script: the function that calls `run` for the exercises to grade. Its argument
            is this plugin.
        on_check: the function to call when a check starts, with the exercise's name
            and the check's description.
    """

    def __init__(self, script: Script, on_check: OnCheck) -> None:
        self.script, self.on_check = script, on_check
        self.items: list[pytest.Item] = []
        self.error: Exception | None = None  # the exception that ended the script

    def run(self, now: Pass, exercises: list[str], *, backwards: bool = False) -> None:
        """Run the checks of some exercises and keep the results in a pass.

        Args:
            now: the pass that keeps the results.
            exercises: the names of the exercises. Their order has no effect: the checks
                run in the order in which they were collected.
            backwards: True to run all these checks in the reverse order, those of the
                last exercise first.

        Raises:
            GraderError: the grader itself failed during a check.
        """
        self.now = now
        items = [item for item in self.items if exercise_of(item) in exercises]
        if backwards:
            items.reverse()
        for item, following in zip(items, [*items[1:], None], strict=False):
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            if now.trouble:
                raise GraderError(now.trouble)

    def pytest_configure(self, config: pytest.Config) -> None:
        """Declare the markers of checks to pytest, and switch off its tracebacks."""
        config.option.tbstyle = "no"  # nobody sees pytest's tracebacks
        config.addinivalue_line("markers", "points(n): what the check pays")
        config.addinivalue_line("markers", "after(*names): one of them has passed")
        config.addinivalue_line("markers", "part(name): the part that it judges")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Call the function `script` in place of pytest's own loop over all checks.

        An exception of `script` is not raised, but kept in the attribute `error`. So is
        a `GraderError` if not all checks could be collected. The result is always True:
        it tells pytest that no other loop is needed.
        """
        self.items = session.items
        try:
            if session.testsfailed:
                raise GraderError("the checks could not be run (not all are collected)")
            self.script(self)
        except Exception as error:
            self.error = error
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Announce a check by `on_check`, then call `Pass.begin`.

        `Pass.begin` raises an exception if the check must not be run.
        """
        self.on_check(exercise_of(item), description_of(item))
        self.now.begin(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add a check's result to the current pass, see `Pass.book`."""
        if call.when == "call" or (call.when == "setup" and call.excinfo):
            self.now.book(item, call.excinfo and call.excinfo.value, call.duration)
        return (yield)


def run_script(
    exercises: list[str], script: Script, on_check: OnCheck = nobody
) -> None:
    """Collect the checks of some exercises, and call a script that runs them.

    pytest reads no conftest.py, no ini file and no plugin of the environment, because
    files of the machine must not influence a grade.

    Args:
        exercises: the names of the exercises.
        script: the function that runs the checks. Its argument is the `Checks` object,
            which has collected them.
        on_check: the function to call when a check starts, with the exercise's name
            and the check's description.

    Raises:
        GraderError: the checks cannot be collected, or the grader itself failed.
        KeyboardInterrupt: the user has interrupted the run.
        Exception: the script has raised this exception.
    """
    arguments = [
        *("-c", os.devnull, "--rootdir", str(CHECKS), "--noconftest"),
        *("--import-mode=importlib", "--assert=plain", "--capture=no"),
        *("-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:faulthandler"),
        *("-p", "no:debugging"),  # a student's breakpoint() is Python's own
        "--disable-plugin-autoload",
        *(str(CHECKS / EXERCISES[name]) for name in exercises),
    ]
    checks = Checks(script, on_check)
    with undisturbed():
        code = pytest.main(arguments, plugins=[checks])
    if checks.error:
        raise checks.error
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise GraderError(f"the checks could not be run (pytest: {code!s})")


def run_checks(
    now: Pass, exercises: list[str], on_check: OnCheck = nobody
) -> list[Exercise]:
    """Run the checks of some exercises once, diagnose wrong parts, return the results.

    Args:
        now: the pass that keeps the results.
        exercises: the names of the exercises.
        on_check: the function to call when a check starts, with the exercise's name
            and the check's description.

    Raises:
        GraderError: the checks cannot be collected, or the grader itself failed.
    """

    def script(checks: Checks) -> None:
        for name in exercises:
            checks.run(now, [name])
            diagnose_exercise(now, name)

    run_script(exercises, script, on_check)
    return list(now.exercises.values())


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Isolate pytest and hypothesis from the machine during a with block.

    - The environment variables PYTEST_ADDOPTS and PYTEST_PLUGINS are removed, also for
      the time after the block.
    - Hypothesis gets a new temporary folder for its files at each call. Otherwise it
      would use the folder of the first call, which was removed, and would create it
      again.
    - Hypothesis does not use constants from the source code of loaded modules. To
      search this code takes a second, and the drawn cases would depend on the folder in
      which the grader is installed.
    - At the end, the traceback that pytest leaves in `sys` is removed, because the
      traceback keeps all objects of its frames alive.
    """
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    with (
        tempfile.TemporaryDirectory(prefix=own_prefix()) as storage,
        pytest.MonkeyPatch.context() as patch,
    ):
        set_hypothesis_home_dir(storage)
        patch.setattr(providers, "_get_local_constants", Constants)
        yield
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        vars(sys).pop(name, None)
