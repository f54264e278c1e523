"""Variables given to make reach the programs as text, and no shell runs the text."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.cli import parse
from grader.contract.outcomes import UsageError
from tests.support.clone import make_clone
from tests.support.edits import ROOT

MAKEFILES = ("Makefile", "tests/staff.mk")
TEXT = "".join((ROOT / name).read_text(encoding="utf-8") for name in MAKEFILES)
TEXT = re.sub(r"^#.*", "", TEXT, flags=re.M)
TARGETS = [
    name
    for names in re.findall(r"^\.PHONY: (.+)", TEXT, re.M)
    for name in names.split()
    if name not in ("help", "clean")
]
OPTIONS = "".join(re.findall(r"^override OPTIONS [:+]= ((?:.*\\\n)*.*)", TEXT, re.M))
OPTIONS = re.findall(r"\b[A-Z]+\b", OPTIONS)
INTERNAL = sorted({*re.findall(r"^(\w+) [:+?]?=", TEXT, re.M)} - {*OPTIONS})
OVERRIDDEN = sorted({*re.findall(r"^override (\w+) ", TEXT, re.M)})
STUB = """#!/bin/sh
{ printf '%s\\0' "$@"; echo; } >> arguments
env -0 > environment
"""
FORMS = [
    "$(shell touch CANARY)",
    "${shell touch CANARY}",
    "$(eval $(shell touch CANARY))",
    "$$(shell touch CANARY)",
    "$(touch CANARY)",
    "$$(touch CANARY)",
    "`touch CANARY`",
    '";touch CANARY;"',
    "';touch CANARY;'",
    "'\"; touch CANARY #",
    ";touch CANARY",
    "x & touch CANARY",
    "x | touch CANARY",
    "x\ntouch CANARY\n",
    ")touch CANARY",
    "--x=$(shell touch CANARY)",
    "-$$(touch CANARY)",
    "\\`touch CANARY\\`\\",
    "* ? [a-z]* $X $$X ${SHELL} # x, y",
]


@pytest.fixture
def home(tmp_path) -> Path:
    """Return a folder that holds the Makefiles and fake programs.

    A fake program writes its arguments to the file `arguments`, and its environment to
    the file `environment`.
    """
    place = tmp_path / "home"
    (place / "tests").mkdir(parents=True)
    for name in (*MAKEFILES, "pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, place / name)
    bench = Path("tests", "tools", "bench")
    shutil.copytree(ROOT / bench, place / bench)
    programs = [
        f"{name}/bin/python" for name in (".venv", ".venv-bench", ".venv-otter")
    ]
    for name in (*programs, "bin/uv", "bin/nice", "bin/rm"):
        program = place / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(STUB)
        program.chmod(0o755)
    for folder, stamps in (
        (".venv", ("", "-watch", "-dev", "-class", "-cluster", "-fuzz")),
        (".venv-bench", ("",)),
        (".venv-otter", ("",)),
    ):
        for stamp in stamps:
            (place / folder / f".synced{stamp}").touch()
    return place


def make(home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess:
    """Run make in the folder `home`, with the fake programs first in PATH.

    Args:
        home: the folder.
        words: arguments of make.
        environment: further environment variables.

    Returns:
        The finished process.
    """
    ours = {key: value for key, value in os.environ.items() if "MAKE" not in key}
    path = f"{home / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["make", *words],
        cwd=home,
        env={**ours, "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_option_is_known():
    """The recipes read only the variables in OPTIONS, and only as shell variables."""
    assert len(OPTIONS) > 25
    assert len(TARGETS) > 15
    used = re.findall(r"(?:\$\$\{?|\$\(value )([A-Z]+)", TEXT)
    told = re.findall(r"\b([A-Z]+)=", "".join(re.findall(r" ## .*", TEXT)))
    assert {*used, *told} - {*OPTIONS} == set()
    assert {*re.findall(r"\$[({]([A-Z_]+)[)}]", TEXT)} & {*OPTIONS} == set()
    assert set(INTERNAL) & {"RUN", "UV", "VENV", "STAMP", "BENCH"}


@pytest.mark.parametrize("where", ["command line", "environment"])
@pytest.mark.parametrize("form", FORMS, ids=ascii)
def test_values_are_text(home, form, where):
    """The value of an option is never run as code and reaches the program unchanged."""
    given = {name: form.replace("CANARY", f"ran-{name}") for name in OPTIONS}
    words = [f"{name}={value}" for name, value in given.items()]
    targets = (*TARGETS, ".uv/bin/uv")
    if where == "command line":
        done = make(home, "--keep-going", *targets, *words)
    else:
        done = make(home, "--keep-going", *targets, **given)
    assert sorted(path.name for path in home.rglob("ran-*")) == [], done.stderr

    told = (home / "environment").read_text().split("\0")
    assert set(words) <= {*told}
    lines = (home / "arguments").read_text().split("\0\n")
    calls = [line.split("\0") for line in lines]
    (grade,) = [call for call in calls if "grade" in call]
    assert grade[-2:] == ["--", given["SUBMISSION"]]
    for option in ("only", "seed", "out", "sandbox", "device", "official"):
        assert f"--{option}={given[option.upper()]}" in grade
    (of_class,) = [call for call in calls if "grader.classroom" in call]
    assert of_class[-2:] == ["--", given["SUBMISSIONS"]]
    options = ("gradebook", "members", "assignment", "unread", "names", "jobs")
    for option in (*options, "cluster", "roster", "regrade", "adjust"):
        assert f"--{option}={given[option.upper()]}" in of_class
    (node,) = [call for call in calls if "grader.classroom.cluster.node" in call]
    assert node[-2:] == ["--", given["CLUSTER"]]
    assert f"--listen={given['LISTEN']}" in node
    (prove,) = [call for call in calls if "tests.tools.prove" in call]
    assert prove[2:] == given["IDS"].split()


@pytest.mark.parametrize("form", FORMS, ids=ascii)
def test_nothing_else_can_be_given(home, form):
    """A variable that is no option is refused, and its value is never run as code."""
    for name in (*INTERNAL, "FOO", "SHELL", "MAKE"):
        value = form.replace("CANARY", f"ran-{name}")
        done = make(home, "grade", f"{name}={value}")
        assert done.returncode == 2, name
        assert f"{name}=… is no variable of this Makefile" in done.stderr
    assert not (home / "arguments").exists()
    for name in OVERRIDDEN:
        make(home, "grade", f"{name}={form.replace('CANARY', f'ran-{name}')}")
    assert sorted(path.name for path in home.rglob("ran-*")) == []


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("only=td_loss", "did you mean ONLY?"),
        ("Submission=x", "did you mean SUBMISSION?"),
        ("submissions=x", "did you mean SUBMISSIONS?"),
        ("ONYL=td_loss", "there are SUBMISSION ONLY SEED"),
    ],
)
def test_misspelt_option(home, word, meant):
    """A misspelt option is refused, and the message suggests the right option."""
    done = make(home, word, "grade")
    assert done.returncode == 2
    name = word.partition("=")[0]
    assert f"{name}=… is no variable of this Makefile: {meant}" in done.stderr
    assert not (home / "arguments").exists()


def test_defaults(home):
    """Without options `make grade` grades the starter, with the usual defaults."""
    assert make(home, "grade", "grade-class").returncode == 0
    lines = (home / "arguments").read_text().split("\0\n")
    grade, of_class = (line.split("\0") for line in lines[:2])
    assert grade[-2:] == ["--", "starter"]
    assert {"--out=", "--device=", "--seed=", "--only="} <= {*grade}
    arguments = parse(grade[2:])
    assert (arguments.out, arguments.device) == ("results", "cpu")
    assert (arguments.hint, arguments.verbose) == ("2", False)
    assert "--out=class-results" in of_class


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("0", False), ("", False), (None, False)]
)
@pytest.mark.parametrize("name", ["OFFICIAL", "INPROCESS", "VERBOSE", "WATCH"])
def test_switches(home, name, value, expected):
    """A switch is on with the value 1, and off with 0, with "" and if not given."""
    words = [] if value is None else [f"{name}={value}"]
    assert make(home, "grade", *words).returncode == 0
    (line,) = (home / "arguments").read_text().split("\0\n")[:1]
    given = parse(line.split("\0")[2:])
    switches = {
        "OFFICIAL": given.official,
        "INPROCESS": given.in_process,
        "VERBOSE": given.verbose,
        "WATCH": given.watch,
    }
    assert switches.pop(name) is expected
    assert not any(switches.values())


def test_switches_of_the_command_line():
    """`--official` and `--in-process` need no value, and a wrong value is refused."""
    given = parse(["grade", "starter", "--official", "--in-process"])
    assert (given.official, given.in_process) == (True, True)
    for option, name in (("--official", "OFFICIAL"), ("--in-process", "INPROCESS")):
        with pytest.raises(UsageError, match=f"^{name}='perhaps' is unknown: use one"):
            parse(["grade", f"{option}=perhaps", "starter"])


def test_students_have_their_own_options(home):
    """Without the file `tests/staff.mk`, the options for the staff are refused."""
    (home / "tests" / "staff.mk").unlink()
    done = make(home, "grade", "SUBMISSIONS=x")
    assert done.returncode == 2
    assert "SUBMISSIONS=… is no variable of this Makefile: there are" in done.stderr
    assert "GRADEBOOK" not in done.stderr


@pytest.mark.parametrize("program", ["bin/uv", None])
def test_read_only_clone(home, bwrap, program):
    """In a read-only folder, make says that the folder is not writable."""
    shutil.rmtree(home / ".venv")
    if program is None:
        (home / "bin" / "uv").unlink()
    path = f"{home / 'bin'}:{os.environ['PATH']}"
    words = [bwrap, "--ro-bind", "/", "/", "--dev", "/dev", "make", "grade"]
    done = subprocess.run(
        words, cwd=home, env={"PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "error: this folder is not writable" in done.stdout
    assert "venv module" not in done.stdout


@pytest.mark.parametrize(
    ("python", "said"),
    [
        ("#!/bin/sh\nexit 1\n", "no Python 3.11 or newer"),
        ("#!/bin/sh\ncase $2 in *venv*) exit 1;; esac\n", "no venv module"),
        (None, "no Python 3.11 or newer"),
    ],
)
def test_no_python_to_set_up_with(home, python, said):
    """If Python or the venv module is missing, one error line names what is missing."""
    if python:
        (home / "python").write_text(python)
        (home / "python").chmod(0o755)
    done = make(home, ".uv/bin/uv", f"PYTHON={home / 'python'}")
    assert done.returncode == 2
    assert done.stdout.startswith("error: ")
    assert said in done.stdout
    assert done.stdout.count("error") == 1


def test_what_make_leaves_is_not_linted(tmp_path):
    """Ruff ignores Python files in the folders that .gitignore lists.

    Commands such as `make grade` write files to these folders.
    """
    make_clone(tmp_path)
    for name in (ROOT / ".gitignore").read_text().split():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "bad.py").write_text("import sys, os\n")
    words = [sys.executable, "-m", "ruff", "check", "--no-cache", "."]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
