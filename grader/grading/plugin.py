"""The pytest plugin: collect the checks once, and run them in the order of a script.

Checks are ordinary pytest tests with three markers. `points(n)` gives the points that a
check pays. `after(name, ...)` names checks of the same file: the check is run only if
one of them has passed, because a constant answer could pass it. `part(name)` names the
part that the check judges, if this is not the exercise's name.

A check file may define `CASES` for a part without a reader. The part's answers to these
fixed cases are then its fingerprint, see `diagnosis/fingerprints.py`.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from grader.contract.exercises import CHECKS, EXERCISES
from grader.contract.outcomes import GraderError
from grader.grading.diagnoses import diagnose_exercise
from grader.grading.fixtures import Fixtures
from grader.grading.items import description_of, exercise_of
from grader.grading.passes import Pass
from grader.report.model import Exercise
from grader.sandbox.launch import own_prefix

# Called when a check starts, with the exercise's name and the check's description.
OnCheck = Callable[[str, str], None]
# Calls `Checks.run` for some exercises, once or several times.
Script = Callable[["Checks"], None]


def nobody(exercise: str, check: str) -> None:
    """Do nothing when a check starts: the `OnCheck` of a grading without display."""


class Checks(Fixtures):
    """The collected checks: a pytest plugin that runs them.

    Args:
        script: the function that calls `run` for the exercises to grade.
        on_check: called when a check starts.
    """

    def __init__(self, script: Script, on_check: OnCheck) -> None:
        self.script, self.on_check = script, on_check
        self.items: list[pytest.Item] = []
        self.error: Exception | None = None  # the exception that ended the script

    def run(self, now: Pass, exercises: list[str], *, backwards: bool = False) -> None:
        """Run the checks of some exercises.

        Args:
            now: the pass that keeps the results.
            exercises: the names of the exercises.
            backwards: run the last check first.

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
        """Declare to pytest the markers that checks have."""
        config.option.tbstyle = "no"  # nobody sees pytest's tracebacks
        config.addinivalue_line("markers", "points(n): what the check pays")
        config.addinivalue_line("markers", "after(*names): one of them has passed")
        config.addinivalue_line("markers", "part(name): the part that it judges")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the script instead of pytest's loop over all checks."""
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
        """Begin a check in the current pass, see `Pass.begin`."""
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
    """Collect the checks of these exercises and run the script on them.

    pytest reads no conftest, no ini file and no plugin of the environment, because
    files of the machine must not influence a grade.

    Args:
        exercises: the names of the exercises.
        script: the function that runs the collected checks.
        on_check: called when a check starts.

    Raises:
        GraderError: the checks cannot be collected, or the grader itself failed.
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
    """Return the results of these exercises, run once and diagnosed.

    Args:
        now: the pass that keeps the results.
        exercises: the names of the exercises.
        on_check: called when a check starts.

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
    """Isolate pytest and hypothesis from the machine, during a with block.

    This is done here because they have no options for it. pytest reads options and
    plugins from two variables of the environment. After a failure it leaves the
    traceback in `sys`, and so keeps all objects of its frames alive. Hypothesis needs
    a folder: it gets a temporary one, set for each run, because hypothesis would
    otherwise create the folder of the first run again.
    """
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix=own_prefix()) as storage:
        set_hypothesis_home_dir(storage)
        yield
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        vars(sys).pop(name, None)
