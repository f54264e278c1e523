"""`%grade` for the notebook: grades the cells that have run so far. Supplied.

The notebook's first cell runs this file. From then on the text of each cell that ran
without an error is kept, a later one with the same definitions in the place of the
earlier; `%grade` writes them to `dqn.py` and has that graded. `get_ipython` is a
notebook's own builtin.
"""

import ast
import shlex
from pathlib import Path
from typing import Any

HOMEWORK = Path(__file__).resolve().parents[1]
cells: dict[str, str] = {}


def without_orders(text: str) -> str:
    """A cell's Python, without the lines that are for the notebook (% and !)."""
    lines = text.splitlines()
    return "\n".join(line for line in lines if line.lstrip()[:1] not in ("%", "!"))


def remember(result: Any) -> None:
    """Keep a cell's text; what the notebook calls after each cell."""
    text = without_orders(result.info.raw_cell or "").strip()
    if not result.success or not text:
        return
    try:
        names = [getattr(node, "name", "") for node in ast.parse(text).body]
    except SyntaxError:  # more than plain Python
        return
    cells[" ".join(filter(None, names)) or text] = text


def grade(line: str) -> None:
    """Grade what has run: `%grade`, or `%grade td_loss` for one exercise."""
    path = Path.cwd() / "dqn.py"
    path.write_text("\n\n\n".join([*cells.values(), ""]), encoding="utf-8")
    words = ["make", "--no-print-directory", "-C", str(HOMEWORK), "grade"]
    words += [f"SUBMISSION={path}", f"ONLY={line.strip()}"]
    # Through `cat`, for a notebook shows no lines that rewrite themselves.
    get_ipython().system(f"{shlex.join(words)} 2>&1 | cat")


if __name__ == "__main__":
    get_ipython().events.register("post_run_cell", remember)
    get_ipython().register_magic_function(grade, "line")
    print("Ready: %grade grades the cells that have run, %grade td_loss one exercise.")
