"""Describe errors of the hand-in's process in words for the student.

The worker sends an error as a dict, from `describe_error` in `inside/errors.py`. The
hand-in may have forged this dict, so this module checks every value, or makes it safe
to show.
"""

import re
from collections.abc import Callable

from grader.contract.case import Args, Case
from grader.contract.exercises import EXERCISES, FUNCTIONS, PARTS, WRITTEN
from grader.contract.outcomes import (
    NOT_IMPLEMENTED,
    NotImplementedYet,
    Raised,
    Waiting,
    Wrong,
)
from grader.escape import one_line, plain
from grader.oracle.own_text import definition_line, left_stub, other_order, tried_out

IMPORTING = "importing dqn.py"
DEBUGGER = "BdbQuit"  # the exception that a debugger raises if there is no terminal
NOBODY_ANSWERS = "breakpoint() starts a debugger, and nobody is here to answer it"
STARTS_IT = re.compile(r"\b(breakpoint|set_trace)\s*\(")
# Messages name a part by its `Case.part`. Students do not know the name "forward": its
# cases ask the network that `q_network` returns.
NAMES = {"forward": "the network"}
# Words in an error's message which show that array sizes are the problem.
ABOUT_SIZES = re.compile(
    r"shapes?\b(?! \w+\[)|sizes?\b|dimension|broadcast|values to unpack|out of bounds"
)


def reason_of(error: Args, what: str, locate: Callable[[str], str] = str) -> Exception:
    """Turn the worker's description of an error into the exception that ends a check.

    Args:
        error: the worker's description of the error.
        what: name of the part that was asked, or `IMPORTING`.
        locate: function that takes a message and returns it with the line numbers of
            dqn.py replaced by cells of a notebook, see `Submission.locate`.

    Returns:
        `NotImplementedYet` if the part is a stub. `Waiting` if the part calls another
        part that is a stub. `Wrong` if the part is missing, its result has a wrong type
        or structure, or a stub is left where the part, or another part that it calls,
        is written. Otherwise `Raised`.
    """
    error = {k: v for k, v in error.items() if isinstance(v, str | int)}
    kind = error.get("kind")
    message = plain(error.get("message", ""), 600) or "(no message)"
    if error.get("type") == DEBUGGER:
        message = f"{NOBODY_ANSWERS}. Take it out{how_to_debug(what)}"
    if kind == "not implemented" and what != IMPORTING:
        if error.get("left"):
            return Wrong(locate(one_line(error["left"], 300)))
        stub = error.get("function")
        if stub in FUNCTIONS and stub != what:
            return Waiting(f"waits for {stub}: {NOT_IMPLEMENTED}")
        return NotImplementedYet(what)
    if kind == "contract":
        return Wrong(message)
    # A syntax error's message ends with the line that `place_of` names.
    message = message.removesuffix(f" (dqn.py, line {error.get('line')})")
    lines = [f"{what}: {one_line(error.get('type'), 60)}: {one_line(message, 600)}"]
    lines += [place_of(error), one_line(error.get("explanation") or "", 400)]
    return Raised(locate("\n".join(filter(None, lines))))


def place_of(error: Args) -> str:
    """Return a text that says where in dqn.py an error was raised; "" if unknown.

    For example, the text is "dqn.py, line 3, in f: x = 1". If only the called function
    is known, but not the line, the text is for example "called was dqn.py, line 2: def
    f(x):".

    Args:
        error: the worker's description of the error, with the additions of
            `with_own_line`.
    """
    line = error.get("line")
    if not isinstance(line, int) or line <= 0:
        return ""
    place = f"{one_line(error.get('called') or '', 30)}dqn.py, line {line}"
    if error.get("function"):
        place += f", in {one_line(error.get('function'), 60)}"
    if error.get("text"):
        place += f": {one_line(error.get('text'), 160)}"
    return place


def with_own_line(error: Args, source: str, what: str) -> Args:
    """Return a copy of an error whose source line is taken from the hand-in's text.

    The source line that the worker has sent is not used, because the hand-in may have
    forged it. The line that is taken instead:

    - If the worker has sent the number of a line of dqn.py: this line. If a debugger
      has raised the error, the nearest line that starts a debugger.
    - Else, if the hand-in has raised an exception: the line that defines the called
      function.
    - Else none: the line is unknown.

    Args:
        error: the worker's description of the error.
        source: the hand-in's text.
        what: name of the part that was asked.

    Returns:
        The copy. Its entry "line" is the number of the line, or 0 if the line is
        unknown. If it is known, "text" is the source line, and "called" is "" if the
        error was raised in this line, or a text such as "called was " if the line only
        defines the called function. "explanation" is replaced where the text explains
        the error better, and "left" says why a stub runs although its part is written.
    """
    line, lines = error.get("line"), source.split("\n")
    error = {**error, **told_by_text(error, lines, what)}
    if isinstance(line, int) and 0 < line <= len(lines):
        if error.get("type") == DEBUGGER:  # it stops at the line after breakpoint()
            calls = [n for n, text in enumerate(lines, 1) if STARTS_IT.search(text)]
            near = line
            line = min(calls, key=lambda n: (abs(n - near), n > near), default=near)
            error = {**error, "line": line}
        return {**error, "text": lines[line - 1].strip(), "called": ""}
    if error.get("kind") != "raised":
        return {**error, "line": 0}
    called = "called was the network of " if what == NAMES["forward"] else "called was "
    line = definition_line(lines, *names_in(error, what))
    text = lines[line - 1].strip()
    return {**error, "line": line, "function": "", "text": text, "called": called}


def told_by_text(error: Args, lines: list[str], what: str) -> Args:
    """Return the entries "explanation" and "left" of an error, as the text has them.

    Args:
        error: the worker's description of the error.
        lines: lines of the hand-in.
        what: name of the part that was asked, or `IMPORTING`.
    """
    line, kind = error.get("line"), error.get("kind")
    line = line if isinstance(line, int) else 0
    part = next((p.name for p in WRITTEN if what in (p.name, *p.questions)), "")
    part = "q_network" if what == NAMES["forward"] else part
    explanation, left = error.get("explanation"), ""
    function = error.get("function")
    function = function if isinstance(function, str) else ""
    if kind == "raised":
        explanation = other_order(lines, part) or explanation
    if kind == "raised" and what == IMPORTING and function == "<module>":
        explanation = explanation or tried_out(lines, line, calls=True)
    if kind == "not implemented" and part:
        left = left_stub(lines, line, function if function in FUNCTIONS else part)
    return {"explanation": explanation, "left": left}


def names_in(error: Args, what: str) -> list[str]:
    """Return names that the called function may have in dqn.py, the likeliest first.

    If the message of the error begins with the name of a method, for example
    "Net.__call__() missing", the first names are "__call__" and "Net".

    Args:
        error: the worker's description of the error.
        what: name of the part that was asked.
    """
    told = re.match(r"(\w{1,60})\.(\w{1,60})\(\)", str(error.get("message"))[:200])
    asked = [
        part.name for part in PARTS.values() if what in (part.name, *part.questions)
    ]
    network = ["q_network"] if what == NAMES["forward"] else []
    return [*(told.groups()[::-1] if told else ()), *asked, *network]


def part_name(case: Case) -> str:
    """Return the name that messages use for the part of a case.

    It is `case.part`, except for "forward": its name in messages is "the network".
    """
    return NAMES.get(case.part, case.part)


def sizes_of(case: Case) -> str:
    """Return a text with the sizes of a case's arrays, for example "B = 5, D = 3".

    The sizes have the names that the homework uses. The result is "" for parts
    without such sizes, for example for `sync_target`.
    """
    spec, args = case.spec, case.args
    states, lead = args.get("state"), {"td_loss": "B", "td_update": "B", "mc_loss": "T"}
    found: dict[str, int] = {}
    if case.part in ("q_network", "forward"):
        found = {"state_dim": spec["state_dim"], "num_actions": spec["num_actions"]}
        if states is not None and states.ndim == 2:
            found["states mapped by jax.vmap"] = len(states)
    elif case.part in lead:
        found = {
            lead[case.part]: len(args["action"]),
            "D": spec["state_dim"],
            "A": spec["num_actions"],
        }
    elif case.part == "update_Q_TD0":
        found = dict(zip("SA", args["Q"].shape, strict=True))
        found["T"] = len(args["states"])
    elif case.part == "epsilon_greedy":
        found = dict(zip("NA", args["q_values"].shape, strict=True))
    elif case.part == "discounted_returns":
        found = {"T": len(args["reward"])}
    return ", ".join(f"{name} = {size}" for name, size in found.items())


def add_sizes(reason: Raised, case: Case) -> Raised:
    """Add the sizes of a case's arrays to the message of an exception about sizes.

    Args:
        reason: the exception.
        case: the case that was asked.

    Returns:
        A new exception of the same type; or `reason` itself if its message is not about
        sizes, or if `sizes_of` knows no sizes for the case.
    """
    sizes = sizes_of(case)
    if not sizes or not ABOUT_SIZES.search(str(reason).partition("\n")[0]):
        return reason
    return type(reason)(f"{reason}\nasked with {sizes}")


def out_of_memory(error: Args) -> bool:
    """Return whether an error of the hand-in means that no memory was left.

    Args:
        error: the worker's description of the error.
    """
    # XLA has one type for all its errors; its message begins with the kind.
    words = str(error.get("message"))[:100]
    return error.get("type") == "MemoryError" or words.startswith("RESOURCE_EXHAUSTED")


def how_to_debug(what: str) -> str:
    """Return advice on debugging a part: ", or debug with `make grade …`".

    Args:
        what: name of a part or an exercise. For any other text, the result is "".
    """
    name = "q_network" if what == NAMES["forward"] else what.partition(".")[0]
    if name not in {*EXERCISES, *(part.name for part in WRITTEN)}:
        return ""
    return f", or debug with `make grade ONLY={name} INPROCESS=1`"


def last_seen(errors: bytes, source: str, what: str) -> str:
    """Return where in dqn.py the hand-in was shortly before its time was over.

    While dqn.py is imported, this is a line outside of all functions.

    Args:
        errors: the worker's standard error, with the traceback that the worker prints
            after 80 % of its time.
        source: the hand-in's text.
        what: name of the part that was asked, or `IMPORTING`.

    Returns:
        A line break and one line of text, which can be added to a message; "" if the
        place is unknown.
    """
    if what == IMPORTING and (number := hung_at(errors)):
        advice = tried_out(source.split("\n"), number, calls=False)
        return f"\ndqn.py, line {number}: {advice or 'this is where it was'}"
    _, _, dump = errors.rpartition(b"Timeout (")
    place = re.search(rb'dqn\.py", line (\d{1,6}) in (\w{1,60})', dump)
    if not place:
        return ""
    line, function = (group.decode("ascii", "replace") for group in place.groups())
    return f"\ndqn.py, line {line}, in {function}: this is where it was"


def hung_at(errors: bytes) -> int:
    """Return the number of the line outside of all functions that took too long.

    The worker prints it when its time is nearly over. While it imports a notebook, it
    also ends itself if a statement takes too long and cannot be interrupted. The lines
    of dqn.py are counted from 1. The result is 0 if no such line was printed.

    Args:
        errors: the worker's standard error, with the traceback printed at its end.
    """
    _, _, dump = errors.rpartition(b"Timeout (")
    found = re.search(rb'dqn\.py", line (\d{1,7}) in <module>', dump)
    return int(found[1]) if found else 0
