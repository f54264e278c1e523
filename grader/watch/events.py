"""Watch a hand-in's file and the keyboard; report each save and each key."""

import contextlib
import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import watchfiles

from grader.contract.outcomes import UsageError
from grader.intake.submission import Submission
from grader.intake.take import take

SUFFIXES = (".py", ".ipynb", ".zip")
POLL_SECONDS = 0.05  # from one look at the keyboard to the next, on Windows


def read(path: str) -> Submission:
    """Read the hand-in at a path; if this fails, the result's `problem` says why."""
    try:
        return take(path)
    except UsageError as error:
        return Submission(Path(path).name, b"", str(error))


@contextlib.contextmanager
def saves(path: str, on_save: Callable[[Submission], None]) -> Iterator[Submission]:
    """Call a function after each save of a hand-in, during a with block.

    The folder is watched and not the file, because many editors write a new file and
    rename it. A save that leaves the text as it was is not reported.

    Args:
        path: path of the hand-in.
        on_save: the function, which is called from another thread with the hand-in.

    Yields:
        The hand-in at the beginning.
    """
    stop, given = threading.Event(), Path(path).absolute()
    first = last = read(path)
    places = {given if given.is_dir() else given.parent}
    if first.path:
        places.add(first.path.absolute().parent)

    def belongs(_: object, name: str) -> bool:
        return name.endswith(SUFFIXES) or Path(name).name == given.name

    def watch() -> None:
        nonlocal last
        changes = watchfiles.watch(
            *places, watch_filter=belongs, stop_event=stop, recursive=False
        )
        for _ in changes:
            now = read(path)
            if replace(now, notes=()) != replace(last, notes=()):
                last = now
                on_save(now)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield first
    finally:
        stop.set()
        thread.join(timeout=1)


@contextlib.contextmanager
def keys(on_key: Callable[[str], None]) -> Iterator[None]:
    """Call a function with each key that is pressed, during a with block.

    Keys need no Enter and are not shown. Afterwards the terminal is as it was before.

    Args:
        on_key: the function, which is called from another thread. At the end of the
            input, its argument is "q".

    Raises:
        UsageError: standard input or output is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "WATCH=1 shows its results in a terminal and reads keys there, and this "
            "is none: leave WATCH out"
        )
    stop = threading.Event()
    if sys.platform == "win32":
        import msvcrt

        def listen() -> None:
            while not stop.wait(POLL_SECONDS):
                while msvcrt.kbhit():
                    on_key(msvcrt.getwch())

        restore = contextlib.nullcontext()
    else:

        def listen() -> None:
            while not stop.is_set():
                if not select.select([descriptor], [], [], POLL_SECONDS)[0]:
                    continue
                key = b""
                with contextlib.suppress(OSError):  # the terminal was closed
                    key = os.read(descriptor, 1)
                on_key(key.decode(errors="replace") or "q")
                if not key:
                    return

        descriptor = sys.stdin.fileno()
        restore = without_enter(descriptor)
    with restore:
        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=1)


@contextlib.contextmanager
def without_enter(descriptor: int) -> Iterator[None]:
    """Make a terminal deliver each key without Enter, during a with block.

    Args:
        descriptor: the file descriptor of the terminal.

    Raises:
        ImportError: the grader runs on Windows.
    """
    import termios
    import tty

    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
