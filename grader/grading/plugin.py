"""The pytest plugin: collect the checks once, run them as a script says.

Checks are ordinary pytest tests. `points(n)` says what one pays. `after(name, ...)`
names checks of the same file of which one must have passed, because what this one
asks would hold for a constant answer, too. `part(name)` names the part of the contract
that a check judges, where it is not named as the exercise is.

A check file may have `CASES`, for a part without questions of its own in `probes`: by
its answers to their fixed cases a known mistake is recognised.
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

OnCheck = Callable[[str, str], None]  # told the exercise and the check that starts
Script = Callable[["Checks"], None]


def nobody(exercise: str, check: str) -> None:
    """Tell nobody that a check starts."""


class Checks(Fixtures):
    """The collected checks.

    Args:
        script: says which of them are run when, and in which pass.
        on_check: told the exercise and the check that starts.
    """

    def __init__(self, script: Script, on_check: OnCheck) -> None:
        self.script, self.on_check = script, on_check
        self.items: list[pytest.Item] = []
        self.error: Exception | None = None  # what ended the script

    def run(self, now: Pass, exercises: list[str], *, backwards: bool = False) -> None:
        """Run the checks of some exercises.

        Args:
            now: the pass in which they are run.
            exercises: by name.
            backwards: the last check first.

        Raises:
            GraderError: there is no worker, runner or reference to check with.
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
        """Declare the markers; nobody reads pytest's own pages on a failure."""
        config.option.tbstyle = "no"
        config.addinivalue_line("markers", "points(n): what the check pays")
        config.addinivalue_line("markers", "after(*names): one of them has passed")
        config.addinivalue_line("markers", "part(name): the part that it judges")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Follow the script, in the place of pytest's own loop."""
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
        """Begin a check, unless it has to wait for another."""
        self.on_check(exercise_of(item), description_of(item))
        self.now.begin(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Book the check's result."""
        if call.when == "call" or (call.when == "setup" and call.excinfo):
            self.now.book(item, call.excinfo and call.excinfo.value, call.duration)
        return (yield)


def run_script(
    exercises: list[str], script: Script, on_check: OnCheck = nobody
) -> None:
    """Collect the checks of these exercises and run them as the script says.

    No conftest, no ini file, no plugin of the environment: what lies about on the
    machine has no say in a grade.

    Raises:
        GraderError: there is no worker, runner or reference to check with.
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
    """Run the checks of these exercises once and diagnose; return the results.

    Raises:
        GraderError: there is no worker, runner or reference to check with.
    """

    def script(checks: Checks) -> None:
        for name in exercises:
            checks.run(now, [name])
            diagnose_exercise(now, name)

    run_script(exercises, script, on_check)
    return list(now.exercises.values())


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Keep pytest and hypothesis from what lies about, and from leaving things there.

    For none of this do they have an option: pytest reads two variables of the
    environment and keeps the last failure, with all that its frames hold, in `sys`;
    hypothesis reads the variable for its folder once, and would make the folder of the
    first run anew in a later one.
    """
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix=own_prefix()) as storage:
        set_hypothesis_home_dir(storage)
        yield
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        vars(sys).pop(name, None)
