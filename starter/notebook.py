"""Add `%grade`, `%train` and `%watch` to the notebook. Supplied.

The notebook's first cell runs this file. From then on, the text of each cell that runs
is kept; the new text of a cell replaces its old text. `%grade` writes these texts to a
new notebook and grades it as if you handed it in: a statement that fails is left out.
`%train` trains the agent that these texts define, `%watch` films it. `get_ipython` is a
function that every notebook has.
"""

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HOMEWORK = Path(__file__).resolve().parents[1]
PYTHON = HOMEWORK / ".venv" / "bin" / "python"
RESULTS = HOMEWORK / "results"
MODULES = ("equinox", "jaxtyping", "optax")  # what the cells import besides JAX
PICTURES = (".png", ".gif")
TASKS = ("cartpole", "maze", "turned")
MAKE = ["make", "--silent", "--no-print-directory", "-C", str(HOMEWORK)]
NO_MAKE = (
    "error: this notebook needs make. On Windows, open it in WSL or in Colab; on other "
    "systems, install make."
)
# Settings of the notebook's process that would change what other programs print.
NOT_PASSED_ON = ("FORCE_COLOR", "CLICOLOR_FORCE", "MPLBACKEND", "VIRTUAL_ENV")
# A command of the terminal in a message; a line break can stand at each space.
COMMAND = re.compile(
    r"(?P<a>\s+)?`make(?P<b>\s+)(?P<verb>grade|train|watch)"
    r"(?:(?P<c>\s+)(?:ONLY|TASK)=(?P<what>\w+))?(?P<d>\s+INPROCESS=1)?`"
)
OPTION = re.compile(r"[A-Za-z]+=")
FAILED = re.compile(r"^make(?:\[\d+\])?: \*\*\* \[.*\] Error \d+\n", re.M)
# A line of dqn.py as messages and tracebacks name it.
PLACE = re.compile(r'(?:File "[^"\n]*)?\bdqn\.py(?:, line |:|", line )(\d+)')

cells: dict[str, tuple[str, int | None]] = {}  # text and number of each kept cell

# ---------------------------------------------------------------- in the notebook


def remember(result: Any) -> None:
    """Keep a cell's text and number; the notebook calls this after each cell.

    Args:
        result: IPython's result of the cell, which holds the cell's text.
    """
    text = result.info.raw_cell or ""
    if text.strip():
        # Old notebooks give a cell no id: then the names that it defines identify it.
        names = re.findall(r"^(?:def|class) (\w+)", text, re.M)
        key = getattr(result.info, "cell_id", None)
        count = getattr(result, "execution_count", None)
        cells[key or " ".join(names) or text] = text, count


def grade(line: str) -> None:
    """Grade the cells that have run: `%grade`, or `%grade td_loss` for one exercise.

    Args:
        line: the text after `%grade`: the name of an exercise or nothing, and options
            of `make grade`, such as `HINT=3`.
    """
    words = line.split()
    options = [word for word in words if OPTION.match(word)]
    only = " ".join(word for word in words if word not in options)
    with tempfile.TemporaryDirectory() as folder:
        given = [f"SUBMISSION={saved(folder)}", f"ONLY={only}", f"OUT={RESULTS}"]
        run([*MAKE, "grade", *given, *options])


def train(line: str) -> None:
    """Train the agent on CartPole with `%train`, in a maze with `%train maze`.

    Args:
        line: the text after `%train`: "cartpole", "maze" or "turned"; "" for CartPole.
    """
    name = line.strip() or "cartpole"
    if name not in TASKS:
        print(f"error: there are %train {', %train '.join(TASKS)}")
        return
    run_with_cells(".synced", "train.py", "--task", name)


def watch(line: str) -> None:
    """Film the agent that `%train` has trained on CartPole.

    Args:
        line: the text after `%watch`, which is ignored.
    """
    run_with_cells(".synced-watch", "watch.py")


def run_with_cells(stamp: str, script: str, *arguments: str) -> None:
    """Run a program of the folder `starter`, which gets the kept cells as `dqn.py`.

    Args:
        stamp: a file of `.venv`. `make` installs what the program needs, and then makes
            this file.
        script: the program's file name.
        arguments: the program's arguments, except `--seed` and `--out`.
    """
    run([*MAKE, f".venv/{stamp}"])
    if PYTHON.exists():
        given = [*arguments, "--seed", "1", "--out", str(RESULTS)]
        with tempfile.TemporaryDirectory() as folder:
            run([str(PYTHON), __file__, saved(folder), script, *given])


def saved(folder: str) -> str:
    """Write the kept cells to a new notebook in a folder; return its path."""
    document = {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": count,
                "metadata": {},
                "outputs": [],
                "source": text,
            }
            for text, count in cells.values()
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    path = Path(folder) / "notebook.ipynb"
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def run(words: list[str]) -> None:
    """Run a program; show what it prints, and each picture that it puts into RESULTS.

    Interrupting the cell interrupts the program.

    Args:
        words: the program and its arguments.
    """
    environment = {k: v for k, v in os.environ.items() if k not in NOT_PASSED_ON}
    environment |= {"NO_COLOR": "1", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    if not shutil.which(words[0]):
        print(NO_MAKE)
        return
    started = time.time()
    with subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,  # so that only `interrupt` interrupts it
    ) as program:
        assert program.stdout is not None
        lines = ""
        while True:
            try:
                line = program.stdout.readline()
                lines += line
                # A command may be broken into two lines.
                if not line or lines.count("`") % 2 == 0 or lines.count("\n") > 2:
                    print(in_words_of_the_notebook(lines), end="", flush=True)
                    lines = ""
                if not line:
                    break
            except KeyboardInterrupt:
                os.killpg(program.pid, signal.SIGINT)
    for picture in sorted(RESULTS.glob("*.*")):
        if picture.suffix in PICTURES and picture.stat().st_mtime >= started:
            show(picture)


def show(picture: Path) -> None:
    """Show a picture below the cell.

    Args:
        picture: the path of a PNG or GIF.
    """
    from IPython.display import Image, display

    kind = picture.suffix.removeprefix(".")
    display(Image(data=picture.read_bytes(), format=kind, alt=picture.stem))


def in_words_of_the_notebook(text: str) -> str:
    """Return lines of a program's output in words that fit the notebook.

    For example, `make grade ONLY=td_loss` becomes `%grade td_loss`, and "dqn.py, line
    12" becomes "In[5], line 3". Lines that your code has printed stay as they are.
    """
    if text.lstrip().startswith("│"):
        return text
    text = FAILED.sub("", text)
    text = COMMAND.sub(magic, text)
    text = PLACE.sub(lambda found: place(int(found[1])), text)
    text = re.sub(r"\bONLY='(\w+)'", r"%grade \1", text)
    text = text.replace("dqn.py, when it was imported, printed", "your cells printed")
    return text.replace("dqn.py", "the notebook")


def magic(found: re.Match[str]) -> str:
    """Return the notebook's command that replaces a command of the terminal.

    If there was a line break in the old command, there is one before the new command.

    Args:
        found: the old command, as a match of the pattern COMMAND.
    """
    spaces = [found[name] for name in "abcd" if found[name]]
    space = next((each for each in spaces if "\n" in each), found["a"] or "")
    if found["d"]:
        return f"{space}a call in a cell of your own"
    return f"{space}`%{' '.join(filter(None, [found['verb'], found['what']]))}`"


def place(line: int) -> str:
    """Return the cell that holds a line, and the line's number there: "In[5], line 3".

    Args:
        line: the line's number in the text of all kept cells together, from 1.
    """
    for text, count in cells.values():
        lines = len(re.sub("\r\n?", "\n", text).split("\n"))
        if line <= lines:
            return f"In[{count}], line {line}"
        line -= lines
    return f"line {line}"


def set_up(shell: Any) -> None:
    """Add `%grade`, `%train` and `%watch`; install what the notebook's Python lacks.

    Args:
        shell: the result of `get_ipython`.
    """
    missing = [name for name in MODULES if not importlib.util.find_spec(name)]
    if not (shutil.which("uv") or PYTHON.exists()):
        missing.append("uv")
    if missing:
        shell.run_line_magic("pip", f"install -q {' '.join(missing)}")
    shell.events.register("post_run_cell", remember)
    shell.register_magic_function(grade, "line")
    shell.register_magic_function(train, "line")
    shell.register_magic_function(watch, "line")
    print("Ready: %grade grades the cells that have run, %grade td_loss one exercise,")
    print(
        "%train trains your agent on CartPole, %train maze in a maze, %watch films it."
    )


# ------------------------------------- as the program that `run_with_cells` starts


def with_cells(path: str, script: str, arguments: list[str]) -> None:
    """Run a program of this folder, with a notebook's cells as the module `dqn`.

    Args:
        path: the path of the notebook.
        script: the program's file name.
        arguments: the program's arguments.
    """
    import runpy

    import numpy as np

    sys.path.append(str(HOMEWORK))
    from grader.inside.errors import describe_error
    from grader.inside.worker import Worker
    from grader.intake.take import take
    from grader.oracle.faults import reason_of, with_own_line
    from grader.oracle.worker_client import left_out

    handed_in = take(path)
    if handed_in.problem:
        sys.exit(f"error: {handed_in.problem}")
    os.chdir(Path(path).parent)  # the worker writes a file there
    worker = Worker()
    source = np.frombuffer(handed_in.text.encode(), np.uint8)
    answer = worker.do_load(source, np.array(handed_in.cells), False, [], 60.0)
    for note in left_out(answer, handed_in):
        print(f"note: {note}")
    program = Path(__file__).with_name(script)
    agent_py = program.with_name("agent.py").read_text(encoding="utf-8")
    names = dict.fromkeys(re.findall(r"\bdqn\.([a-zA-Z]\w+)\(", agent_py))
    if missing := [name for name in names if not hasattr(worker.dqn, name)]:
        sys.exit(f"error: no cell that defines {', '.join(missing)} has run")
    sys.argv = [str(program), *arguments]
    try:
        runpy.run_path(str(program), run_name="__main__")
    except Exception as error:
        told = with_own_line(describe_error(error), handed_in.text, script)
        sys.exit(f"stopped: {reason_of(told, script, handed_in.locate)}")


if __name__ == "__main__":
    if sys.argv[1:]:
        with_cells(sys.argv[1], sys.argv[2], sys.argv[3:])
    else:
        # The notebook keeps the cells, so running its first cell again loses none.
        cells = vars(get_ipython()).setdefault("homework_cells", cells)
        set_up(get_ipython())
