"""What went wrong in the hand-in's process, in words for the student."""

import re
from collections.abc import Callable

from grader.contract.case import Args
from grader.contract.exercises import EXERCISES, FUNCTIONS, WRITTEN
from grader.contract.outcomes import (
    NOT_IMPLEMENTED,
    NotImplementedYet,
    Raised,
    Waiting,
    Wrong,
)
from grader.escape import one_line, plain

IMPORTING = "importing dqn.py"
DEBUGGER = "BdbQuit"  # what a debugger raises when nobody answers
NOBODY_ANSWERS = "breakpoint() starts a debugger, and nobody is here to answer it"
STARTS_IT = re.compile(r"\b(breakpoint|set_trace)\s*\(")


def reason_of(error: Args, what: str, locate: Callable[[str], str] = str) -> Exception:
    """Return the outcome for an error of the worker, in words for the student.

    Args:
        error: as the worker describes it.
        what: was asked.
        locate: names the places in a text as the student knows them.
    """
    error = {k: v for k, v in error.items() if isinstance(v, str | int)}
    kind = error.get("kind")
    message = plain(error.get("message", ""), 600) or "(no message)"
    if error.get("type") == DEBUGGER:
        message = f"{NOBODY_ANSWERS}. Take it out{how_to_debug(what)}"
    if kind == "not implemented" and what != IMPORTING:
        stub = error.get("function")
        if stub in FUNCTIONS and stub != what:
            return Waiting(f"waits for {stub}: {NOT_IMPLEMENTED}")
        return NotImplementedYet(what)
    if kind == "contract":
        return Wrong(message)
    text = f"{what}: {one_line(error.get('type'), 60)}: {message}"
    line = error.get("line")
    if isinstance(line, int) and line > 0:
        text += f"\ndqn.py, line {line}"
        if error.get("function"):
            text += f", in {one_line(error.get('function'), 60)}"
        if error.get("text"):
            text += f": {one_line(error.get('text'), 160)}"
    return Raised(locate(text))


def with_own_line(error: Args, source: str) -> Args:
    """Return the error with the line that was handed in, or with no place at all."""
    line, lines = error.get("line"), source.split("\n")
    if isinstance(line, int) and 0 < line <= len(lines):
        if error.get("type") == DEBUGGER:  # which stops at the line that comes next
            calls = [n for n, text in enumerate(lines, 1) if STARTS_IT.search(text)]
            near = line
            line = min(calls, key=lambda n: (abs(n - near), n > near), default=near)
            error = {**error, "line": line}
        return {**error, "text": lines[line - 1].strip()}
    return {**error, "line": 0}


def how_to_debug(what: str) -> str:
    """Return the end of a sentence: how a part can be debugged."""
    name = "q_network" if what == "forward" else what.partition(".")[0]
    if name not in {*EXERCISES, *(part.name for part in WRITTEN)}:
        return ""
    return f", or debug with `make grade ONLY={name} INPROCESS=1`"


def last_seen(errors: bytes) -> str:
    """Return where the hand-in was when its time was nearly up, if that is known."""
    _, _, dump = errors.rpartition(b"Timeout (")
    place = re.search(rb'dqn\.py", line (\d{1,6}) in (\w{1,60})', dump)
    if not place:
        return ""
    line, function = (group.decode("ascii", "replace") for group in place.groups())
    return f"\ndqn.py, line {line}, in {function}: this is where it was"


def hung_at(errors: bytes) -> int:
    """Return the line of dqn.py at which the worker ended itself for time, or 0."""
    _, _, dump = errors.rpartition(b"Timeout (")
    found = re.search(rb'dqn\.py", line (\d{1,7}) in <module>', dump)
    return int(found[1]) if found else 0
