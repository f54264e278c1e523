"""Attacks on the intake: hand-ins that are links, devices, archives or notebooks.

Each attack is a function that writes a hand-in into a folder and returns the path to
grade. Its docstring has the form that the docstring of `attack_runs.py` explains.
"""

import importlib.util
import json
import os
import stat
import zipfile
from pathlib import Path

from grader.contract import fixed_cases
from grader.oracle.reference import load_programs, program_key
from tests.support.record import load_answers

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
    """`dqn.py` is a link to /dev/zero, a device without end.

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

    # The path through /proc is short, because a socket's path may have 107 bytes only.
    here = os.open(folder, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(f"/proc/self/fd/{here}/dqn.py")
    os.close(here)
    return folder


def folder_for_a_file(folder: Path, places: dict) -> Path:
    """`dqn.py` is a folder with another folder `dqn.py` in it, and so on.

    Rows: 50
    Grade: sync_target
    Asserts: S R
    Says: there is no dqn.py in the folder
    """
    (folder / "/".join(["dqn.py"] * 9)).mkdir(parents=True)
    return folder


def giant_file(folder: Path, places: dict) -> Path:
    """`dqn.py` is a sparse file of one terabyte.

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
    """`dqn.py` is one line of half a megabyte.

    Rows: 50, 46
    Grade: sync_target
    Asserts: S R T
    Says: importing dqn.py|MemoryError|RecursionError
    """
    (folder / "dqn.py").write_text("x = " + "-" * (1 << 19) + "1")
    return folder


def deep_nesting(folder: Path, places: dict) -> Path:
    """`dqn.py` has nested brackets and a long sum that can overflow a parser's stack.

    Rows: 46
    Grade: sync_target
    Asserts: S R T
    Says: importing dqn.py
    """
    text = "x = " + "(" * 90 + "1" + ")" * 90 + "\ny = " + "+".join(["1"] * 100_000)
    (folder / "dqn.py").write_text(text + "\nz = " + "[" * 300_000)
    return folder


def constant_folding(folder: Path, places: dict) -> Path:
    """`dqn.py` has constant expressions that a compiler could compute for hours.

    Rows: 46, 45
    Grade: sync_target
    Asserts: S R T
    Says: importing dqn.py|ValueError
    """
    text = "x = (((9**9)**9)**9)**9\ny = 'x' * 2**40\nz = " + "9" * 900_000
    (folder / "dqn.py").write_text(text)
    return folder


def spoofed_coding(folder: Path, places: dict) -> Path:
    """`dqn.py` declares the encoding UTF-7, in which one of its comments is code.

    Rows: 51
    Grade: sync_target
    Asserts: S R
    Says: encoding utf-7 that is declared there has no effect.*RuntimeError: seen
    """
    hidden = "+AAo-import os+AAo-os.+AF8-exit(0)"  # "+AAo-" is a newline in UTF-7
    text = f"# -*- coding: utf-7 -*-\n# {hidden}\nraise RuntimeError('seen')\n"
    (folder / "dqn.py").write_text(text)
    return folder


def no_utf8(folder: Path, places: dict) -> Path:
    """`dqn.py` is not UTF-8: it has UTF-16, NUL bytes and lone surrogates.

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
    """`dqn.py` has characters that change the direction of the shown text.

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
    """The folder's name holds commands for CI, a terminal and a browser.

    Rows: 51, 63
    Grade: sync_target
    Asserts: S R
    Says: there is no dqn.py in the folder
    """
    name = "a\n::add-mask::5\n\x1b[2J\r<script>\u202e[red]"
    (folder / name).mkdir()
    return folder / name


def no_text_in_its_name(folder: Path, places: dict) -> Path:
    """The folder's name is not valid UTF-8.

    Rows: 51, 64
    Grade: sync_target
    Asserts: S R
    Says: there is no dqn.py in the folder
    """
    path = os.fsencode(folder) + b"/\xff\xfe\n\xed\xa0\x80"
    os.mkdir(path)
    return Path(os.fsdecode(path))


def orders_in_a_files_name(folder: Path, places: dict) -> Path:
    """The file's name holds a command for CI and an option of the command line.

    Rows: 51, 63
    Grade: sync_target
    Asserts: S R
    Says: SystemError
    """
    path = folder / "##[error]\n::error::--seed.py"
    path.write_text("raise SystemError('as it should be')\n")
    return path


def neighbours(folder: Path, places: dict) -> Path:
    """Beside `dqn.py` lie modules named like libraries, pytest settings, a report.

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
    """Beside `dqn.py` lie compiled files that Python could import instead.

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
    """There is no `dqn.py`, only files with similar names.

    Rows: 51, 12
    Grade: sync_target
    Asserts: S R
    Says: there is no dqn.py in the folder
    """
    for name in ("DQN.py", "dqn.PY", "dqn.py ", "dqn.py\n", "d\u0443n.py", ".dqn.py"):
        (folder / name).write_text("raise SystemError\n")
    return folder


def table_of_recorded_answers(folder: Path, places: dict) -> Path:
    """The hand-in looks up the answers to fixed cases in the students' record.

    Rows: 60
    Grade: monte_carlo
    Asserts: S R
    Says: discounted_returns|returns
    """
    recorded = load_answers()
    table = {}
    for case in (*fixed_cases.RETURNS_SHORT.fixed, *fixed_cases.RETURNS_LONG.fixed):
        key = case.args["reward"].tobytes(), case.spec["gamma"]
        table[key] = recorded[f"{case.part}/{case.digest()}/returns"].tolist()
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


def program_of_the_reference(folder: Path, places: dict) -> Path:
    """Computes the TD(0) update by the reference's exported program.

    Rows: 15
    Grade: update_Q_TD0
    Asserts: S R
    Says: calls an exported program
    """
    (case, *_) = fixed_cases.TD0_EPISODE.fixed
    program = load_programs()[program_key(case)].tobytes().hex()
    names = "Q, states, actions, rewards, next_states, terminateds"
    stub = 'raise NotImplementedError("Exercise 1: update_Q_TD0")'
    lines = [
        f"args = dict(zip({names.split(', ')!r}, ({names})))",
        f"program = jax.export.deserialize(bytearray.fromhex({program!r}))",
        'return program.call(args)["Q"]',
    ]
    starter = (Path(places["root"]) / "starter" / "dqn.py").read_text()
    text = starter.replace(stub, "\n    ".join(lines))
    (folder / "dqn.py").write_text(f"{text}\n\nimport jax.export\n")
    return folder


def archive(folder: Path, *members: tuple[str | zipfile.ZipInfo, str]) -> Path:
    """Write the zip archive `ada.zip` into a folder and return its path.

    Args:
        folder: the folder for the archive.
        members: pairs of a file's name (or `ZipInfo`) and this file's text.
    """
    path = folder / "ada.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in members:
            file.writestr(name, text)
    return path


def archive_that_climbs(folder: Path, places: dict) -> Path:
    """An archive with file names that lead to the report, the grader and the root.

    Rows: 49
    Grade: sync_target
    Asserts: S R L
    Says: leads out
    """
    code = WROTE.format(trace=f"{places['temporary']}/trace")
    names = ("../../out/report.json", f"{places['root']}/conftest.py", "/dqn.so")
    return archive(folder, *((name, code) for name in (*names, "..\\dqn.py")))


def archive_of_links(folder: Path, places: dict) -> Path:
    """An archive in which `dqn.py` is a link to a file that only the grader may read.

    Rows: 48, 49
    Grade: sync_target
    Asserts: S R L
    Says: is a link
    """
    link = zipfile.ZipInfo("dqn.py")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    away = zipfile.ZipInfo("hw")
    away.external_attr = link.external_attr
    return archive(folder, (away, places["out"]), (link, places["secret"]))


def archive_bomb(folder: Path, places: dict) -> Path:
    """An archive with a `dqn.py` of half a gigabyte, and with a second archive.

    Rows: 49, 41
    Grade: sync_target
    Asserts: S R T
    Says: larger than 1 MiB
    """
    path = archive(folder, ("inner", "x"))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file:
        with file.open("hw/dqn.py", "w", force_zip64=True) as member:
            for _ in range(512):
                member.write(bytes(1 << 20))
        inner = path.with_name("inner.zip")
        inner.write_bytes(path.read_bytes())
        file.write(inner, "hw/inner.zip")
    inner.unlink()
    return path


def archive_of_twins(folder: Path, places: dict) -> Path:
    """An archive with three names that are one file on some systems.

    Rows: 49
    Grade: sync_target
    Asserts: S R
    Says: more than one hand-in
    """
    code = "raise SystemError\n"
    return archive(folder, ("DQN.py", code), ("dqn.py", code), ("Dqn.PY", code))


def archive_with_neighbours(folder: Path, places: dict) -> Path:
    """An archive with modules named like libraries, and a report, beside `dqn.py`.

    Rows: 1, 9, 11, 12, 49
    Grade: sync_target
    Asserts: S R L O
    Says: not implemented yet
    """
    code = WROTE.format(trace=f"{places['temporary']}/trace")
    names = ("conftest.py", "numpy.py", "jax.py", "sitecustomize.py", "dqn.pyc")
    starter = (Path(places["root"]) / "starter" / "dqn.py").read_text()
    return archive(
        folder,
        *((f"hw/{name}", code) for name in names),
        ("hw/dqn.py", starter),
        ("hw/results/report.json", '{"score": 100}'),
        ("__MACOSX/hw/._dqn.py", "\0\5\x16\7"),
        ("hw/\x1b[2J\n::error::.txt", ""),
    )


def archive_of_junk(folder: Path, places: dict) -> Path:
    """A damaged archive whose list of files points to wrong places.

    Rows: 49, 51
    Grade: sync_target
    Asserts: S R T
    Says: no zip file, or damaged
    """
    path = archive(folder, ("dqn.py", "x = 1\n"))
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\1\2", 42), (b"PK\5\6", 12)):
        at = data.index(mark) + place
        data[at : at + 4] = b"\xff\xff\xff\x7f"
    path.write_bytes(data)
    return path


def notebook(folder: Path, *cells: str, **values: object) -> Path:
    """Write the notebook `ada.ipynb` into a folder and return its path.

    Args:
        folder: the folder for the notebook.
        cells: the texts of the code cells.
        values: top-level entries of the notebook, instead of the usual ones.
    """
    path = folder / "ada.ipynb"
    kind = {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": []}
    sources = [{**kind, "source": cell} for cell in cells]
    document = {"cells": sources, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    path.write_text(json.dumps({**document, **values}))
    return path


def notebook_that_gives_orders(folder: Path, places: dict) -> Path:
    """A notebook with shell commands, magics, forged results and a signature.

    Rows: 13, 68
    Grade: sync_target
    Asserts: S R L
    Says: not implemented yet
    """
    code = WROTE.format(trace=f"{places['temporary']}/trace")
    (folder / "evil.py").write_text(code)
    starter = (Path(places["root"]) / "starter" / "dqn.py").read_text()
    return notebook(
        folder,
        f"!echo BREACH >&2; touch {places['temporary']}/trace\n%run evil.py",
        f"%%bash\necho BREACH > {places['out']}/report.json",
        f"%%writefile {places['root']}/conftest.py\n{code}",
        f"x = !echo BREACH\nx = %run evil.py\n{starter}",
        "%load_ext evil",
        metadata={
            "kernelspec": {"name": "evil", "display_name": "<script>", "argv": ["sh"]},
            "signature": "sha256:0",
            "otter": {"tests": ["all passed"]},
        },
    )


def notebook_that_points_elsewhere(folder: Path, places: dict) -> Path:
    """A notebook whose errors claim to come from the grader or from no cell.

    Rows: 37, 63
    Grade: sync_target
    Asserts: S R
    Says: cell 1, line 2 was left out: SystemError
    """
    code = "exec(compile('\\n' * {line} + 'raise SystemError(text)', {file!r}, 'exec'))"
    words = "grader/cli.py, line 1; dqn.py, line 99999999; dqn.py:0; ::error::"
    lines = [f"text = {words!r}", "try:"]
    lines += [
        "    " + code.format(line=0, file="grader/cli.py"),
        "finally:",
    ]
    lines += ["    " + code.format(line=10**6, file="dqn.py")]
    return notebook(folder, "\n".join(lines))


def notebook_without_end(folder: Path, places: dict) -> Path:
    """A notebook with as much nesting and as many pieces as its size allows.

    Rows: 28, 46, 64
    Grade: sync_target
    Asserts: S R T
    Says: too many pieces
    """
    path = notebook(folder, "x = 1")
    path.write_text('{"cells": [{"a":' * 60_000 + "[{}," * 3_000_000)
    return path


def notebook_of_other_types(folder: Path, places: dict) -> Path:
    """A notebook whose values have wrong types, and whose keys come twice.

    Rows: 28, 64
    Grade: sync_target
    Asserts: S R
    Says: cannot be read as a notebook|no text
    """
    path = folder / "\x1b[2J::error::.ipynb"
    path.write_text(
        '{"nbformat": 4, "nbformat": NaN, "cells": {"cell_type": "code"}, '
        '"metadata": ["\\ud800"], "worksheets": 1e999, "nbformat_minor": true}'
    )
    return path


ATTACKS = [
    table_of_recorded_answers,
    program_of_the_reference,
    *(link_to_a_secret, link_to_the_solution, links_in_a_ring, endless_device),
    *(pipe_without_a_writer, socket_file, folder_for_a_file, giant_file, long_line),
    *(deep_nesting, constant_folding, spoofed_coding, no_utf8, hidden_directions),
    *(orders_in_its_name, no_text_in_its_name, orders_in_a_files_name, neighbours),
    *(compiled_neighbours, source_without_a_file),
    *(archive_that_climbs, archive_of_links, archive_bomb, archive_of_twins),
    *(archive_with_neighbours, archive_of_junk, notebook_that_gives_orders),
    *(notebook_that_points_elsewhere, notebook_without_end, notebook_of_other_types),
]
