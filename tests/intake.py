"""Attacks on the taking in: hand-ins that are more, or less, than a text.

As in `tests/attacks/` (see `redteam.py`), but each is a function that makes the hand-in
in a folder of its own and returns the path to be graded.
"""

import importlib.util
import os
from pathlib import Path

from grader import ladders
from grader.reference import RecordedReference

WROTE = "open({trace!r}, 'w').close()\nraise RuntimeError('BREACH ' + __file__)\n"


def link_to_a_secret(folder: Path, places: dict) -> Path:
    """`dqn.py` is a link to a file that only the grader may read.

    Rows: 48
    Grade: sync_target
    Asserts: S R L
    Says: it is a link
    """
    (folder / "dqn.py").symlink_to(places["secret"])
    return folder


def link_to_the_solution(folder: Path, places: dict) -> Path:
    """`dqn.py` is a link to the solution.

    Rows: 48, 15
    Grade: sync_target
    Asserts: S R L
    Says: it is a link
    """
    (folder / "dqn.py").symlink_to(Path(places["root"]) / "solution" / "dqn.py")
    return folder


def links_in_a_ring(folder: Path, places: dict) -> Path:
    """`dqn.py` is a link to itself.

    Rows: 48
    Grade: sync_target
    Asserts: S R T
    Says: dqn.py cannot be read
    """
    (folder / "dqn.py").symlink_to("dqn.py")
    return folder


def endless_device(folder: Path, places: dict) -> Path:
    """`dqn.py` is a link to a device without end.

    Rows: 50
    Grade: sync_target
    Asserts: S R T
    Says: it is a link
    """
    (folder / "dqn.py").symlink_to("/dev/zero")
    return folder


def pipe_without_a_writer(folder: Path, places: dict) -> Path:
    """`dqn.py` is a named pipe, which opens only when somebody writes to it.

    Rows: 50
    Grade: sync_target
    Asserts: S R T
    Says: not a regular file
    """
    os.mkfifo(folder / "dqn.py")
    return folder


def socket_file(folder: Path, places: dict) -> Path:
    """`dqn.py` is a socket.

    Rows: 50
    Grade: sync_target
    Asserts: S R T
    Says: dqn.py cannot be read
    """
    import socket

    here = os.open(folder, os.O_RDONLY)  # a socket's whole path may have 107 bytes
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(f"/proc/self/fd/{here}/dqn.py")
    os.close(here)
    return folder


def folder_for_a_file(folder: Path, places: dict) -> Path:
    """`dqn.py` is a folder with a `dqn.py` in it.

    Rows: 50
    Grade: sync_target
    Asserts: S R
    Says: not a regular file|Is a directory
    """
    (folder / "dqn.py").mkdir()
    (folder / "dqn.py" / "dqn.py").write_text("x = 1\n")
    return folder


def giant_file(folder: Path, places: dict) -> Path:
    """`dqn.py` has a terabyte, all of it a hole.

    Rows: 50, 41
    Grade: sync_target
    Asserts: S R T
    Says: not UTF-8|larger than 1 MiB
    """
    with open(folder / "dqn.py", "wb") as file:
        file.write(b"x = 1\n")
        file.truncate(1 << 40)
    return folder


def long_line(folder: Path, places: dict) -> Path:
    """`dqn.py` is one line of a megabyte.

    Rows: 50, 46
    Grade: sync_target
    Asserts: S R T
    Says: importing dqn.py|MemoryError|RecursionError
    """
    (folder / "dqn.py").write_text("x = " + "-" * (1 << 19) + "1")
    return folder


def deep_nesting(folder: Path, places: dict) -> Path:
    """`dqn.py` nests brackets and operators as deep as a parser's stack.

    Rows: 46
    Grade: sync_target
    Asserts: S R T
    Says: importing dqn.py
    """
    text = "x = " + "(" * 90 + "1" + ")" * 90 + "\ny = " + "+".join(["1"] * 100_000)
    (folder / "dqn.py").write_text(text + "\nz = " + "[" * 300_000)
    return folder


def constant_folding(folder: Path, places: dict) -> Path:
    """`dqn.py` has constants that a compiler would compute for hours.

    Rows: 46, 45
    Grade: sync_target
    Asserts: S R T
    Says: importing dqn.py|ValueError
    """
    text = "x = (((9**9)**9)**9)**9\ny = 'x' * 2**40\nz = " + "9" * 900_000
    (folder / "dqn.py").write_text(text)
    return folder


def spoofed_coding(folder: Path, places: dict) -> Path:
    """`dqn.py` declares another encoding, in which it says something else.

    Rows: 51
    Grade: sync_target
    Asserts: S R
    Says: importing dqn.py
    """
    hidden = "import os\nos._exit(0)\n".encode("utf-7").decode()
    text = f"# -*- coding: utf-7 -*-\n# {hidden}\nraise RuntimeError('seen')\n"
    (folder / "dqn.py").write_text(text)
    return folder


def no_utf8(folder: Path, places: dict) -> Path:
    """`dqn.py` is no text: UTF-16, NUL bytes, lone surrogates.

    Rows: 51
    Grade: sync_target
    Asserts: S R
    Says: not UTF-8
    """
    (folder / "dqn.py").write_bytes(
        "x = 1\n".encode("utf-16") + b"\0\xed\xa0\x80\n::error::\x1b[2J"
    )
    return folder


def hidden_directions(folder: Path, places: dict) -> Path:
    """`dqn.py` turns the direction of its text, so that it reads otherwise.

    Rows: 51, 63
    Grade: sync_target
    Asserts: S R
    Says: importing dqn.py
    """
    text = "x = 1\nif x != '\u202e\u2066passed\u2069\u2066 ':\n"
    text += "    raise SystemError('\u202etxet')\n"
    (folder / "dqn.py").write_text(text, encoding="utf-8")
    return folder


def orders_in_its_name(folder: Path, places: dict) -> Path:
    """The folder's name is an order to CI, to a terminal and to a browser.

    Rows: 51, 63
    Grade: sync_target
    Asserts: S R
    Says: there is no dqn.py in the folder
    """
    name = "a\n::add-mask::5\n\x1b[2J\r<script>\u202e[red]"
    (folder / name).mkdir()
    return folder / name


def no_text_in_its_name(folder: Path, places: dict) -> Path:
    """The folder's name is no UTF-8.

    Rows: 51, 64
    Grade: sync_target
    Asserts: S R
    Says: there is no dqn.py in the folder
    """
    path = os.fsencode(folder) + b"/\xff\xfe\n\xed\xa0\x80"
    os.mkdir(path)
    return Path(os.fsdecode(path))


def orders_in_a_files_name(folder: Path, places: dict) -> Path:
    """The file's name is an order to CI, and an option of the command line.

    Rows: 51, 63
    Grade: sync_target
    Asserts: S R
    Says: SystemError
    """
    path = folder / "##[error]\n::error::--seed.py"
    path.write_text("raise SystemError('as it should be')\n")
    return path


def neighbours(folder: Path, places: dict) -> Path:
    """Beside `dqn.py` lie a conftest, modules of known names, settings and a report.

    Rows: 1, 9, 11, 12, 13, 68
    Grade: sync_target
    Asserts: S R L O
    Says: not implemented yet
    """
    code = WROTE.format(trace=f"{places['temporary']}/trace")
    names = ("conftest", "numpy", "jax", "msgpack", "random", "pytest", "setup")
    for name in (*names, "sitecustomize", "usercustomize", "optax", "dqn/__init__"):
        (folder / f"{name}.py").parent.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(code)
    (folder / "requirements.txt").write_text("-e .\n")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p conftest --co\n")
    (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts='-x'\n")
    (folder / "evil.pth").write_text(f"import os; {code.splitlines()[0]}\n")
    (folder / "results").mkdir()
    (folder / "results" / "report.json").write_text('{"score": 100}')
    (folder / "report.json").write_text('{"score": 100}')
    starter = Path(places["root"]) / "starter" / "dqn.py"
    (folder / "dqn.py").write_text(starter.read_text())
    return folder


def compiled_neighbours(folder: Path, places: dict) -> Path:
    """Beside `dqn.py` lie compiled files that Python would rather take.

    Rows: 12
    Grade: sync_target
    Asserts: S R L
    Says: not implemented yet
    """
    starter = Path(places["root"]) / "starter" / "dqn.py"
    (folder / "dqn.py").write_text(starter.read_text())
    code = WROTE.format(trace=f"{places['temporary']}/trace")
    data = importlib.util.MAGIC_NUMBER + b"\1" + bytes(11)
    import marshal

    data += marshal.dumps(compile(code, "dqn.py", "exec"))
    cached = Path(importlib.util.cache_from_source(str(folder / "dqn.py")))
    cached.parent.mkdir()
    for path in (cached, folder / "dqn.pyc", folder / "dqn.so"):
        path.write_bytes(data)
    return folder


def source_without_a_file(folder: Path, places: dict) -> Path:
    """There is no `dqn.py`, but names that look like it.

    Rows: 51, 12
    Grade: sync_target
    Asserts: S R
    Says: there is no dqn.py in the folder
    """
    for name in ("DQN.py", "dqn.PY", "dqn.py ", "dqn.py\n", "d\u0443n.py", ".dqn.py"):
        (folder / name).write_text("raise SystemError\n")
    return folder


def table_of_recorded_answers(folder: Path, places: dict) -> Path:
    """Answers the questions of the ladder from the record that students have.

    Rows: 60
    Grade: monte_carlo
    Asserts: S R
    Says: discounted_returns|returns
    """
    record = RecordedReference()
    table = {}
    for case in (*ladders.RETURNS_SHORT.ladder, *ladders.RETURNS_LONG.ladder):
        key = case.args["reward"].tobytes(), float(case.args["gamma"])
        table[key] = record.answer(case)["returns"].tolist()
    stub = 'raise NotImplementedError("Exercise 2: discounted_returns")'
    text = (
        (Path(places["root"]) / "starter" / "dqn.py")
        .read_text()
        .replace(
            stub,
            "key = np.asarray(rewards).tobytes(), float(gamma)\n"
            "    return np.array(TABLE.get(key, np.zeros(len(rewards))), np.float32)",
        )
    )
    (folder / "dqn.py").write_text(f"{text}\n\nTABLE = {table!r}\n")
    return folder


ATTACKS = [
    table_of_recorded_answers,
    *(link_to_a_secret, link_to_the_solution, links_in_a_ring, endless_device),
    *(pipe_without_a_writer, socket_file, folder_for_a_file, giant_file, long_line),
    *(deep_nesting, constant_folding, spoofed_coding, no_utf8, hidden_directions),
    *(orders_in_its_name, no_text_in_its_name, orders_in_a_files_name, neighbours),
    *(compiled_neighbours, source_without_a_file),
]
