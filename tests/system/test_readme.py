"""The output, the commands and the links in the README and the docs are right."""

import json
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support.edits import ROOT, edited
from tests.support.pages import PAGES, essence, shown, text_of

FENCED = re.compile(r"^ *```\w*\n(.*?)^ *```$", re.S | re.M)
NAMES = [page.name for page in PAGES]


def commands_of(name: str) -> list[list[str]]:
    """Return the arguments of each `make` command in the code on a page.

    Args:
        name: name of the page's file.
    """
    text = text_of(name)
    lines = [line for block in FENCED.findall(text) for line in block.splitlines()]
    spans = re.findall(r"`([^`]+)`", FENCED.sub("", text))
    code = [" ".join(words.split()) for words in (*lines, *spans)]
    return [shlex.split(one)[1:] for one in code if re.match(r"make\b", one)]


def run(*words: str, cwd: Path) -> str:
    """Run the grader with these arguments in a folder; return its output."""
    return subprocess.run(
        [sys.executable, "-m", "tests.support.patient", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_students_see_a_real_mistake(tmp_path):
    """The block "a mistake" on the students' page agrees with what `grade` prints."""
    wrong = edited("td_loss", ("not_terminated * gamma *", "gamma *"))
    (tmp_path / "dqn.py").write_text(wrong)
    printed = run("grade", "dqn.py", "--only", "td_loss", cwd=tmp_path)
    block = essence(shown("students.md", "a mistake"))
    assert block
    assert set(block) <= set(essence(printed))


def test_ci_sees_the_real_report(tmp_path):
    """The report that the CI page shows agrees with a real report.

    The command on this page that converts a report works.
    """
    out = ("--out", str(tmp_path))
    run("grade", str(ROOT / "solution"), "--only", "sync_target", *out, cwd=tmp_path)
    real = json.loads((tmp_path / "report.json").read_text())
    block = json.loads(shown("ci.md", "report"))
    assert list(block) == list(real)
    (exercise,), (real_exercise,) = block["exercises"], real["exercises"]
    assert list(exercise) == list(real_exercise)
    (check,), real_check = exercise["checks"], real_exercise["checks"][0]
    for one in (check, real_check):
        assert one.pop("duration") > 0
    assert check == real_check
    for name in ("score", "max_score", "seed", "device", "learning"):
        assert block[name] == real[name]
    converted = re.search(r"python -m grader (convert \S+ --to \w+)`", text_of("ci.md"))
    (tmp_path / "results").mkdir()
    (tmp_path / "report.json").rename(tmp_path / "results" / "report.json")
    assert run(*converted[1].split(), cwd=tmp_path)


# ---------------------------------------------------------------- commands and links


@cache
def dry_run(*words: str) -> subprocess.CompletedProcess:
    """Return the result of `make --dry-run` with these arguments."""
    return subprocess.run(
        ["make", "--dry-run", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", NAMES)
def test_commands_exist(name):
    """Each `make` command on a page has a known target.

    Each option of the command has an effect.
    """
    for words in commands_of(name):
        done = dry_run(*words)
        assert done.returncode == 0, f"make {words}: {done.stderr}"
        takes = names_in(done.stdout)
        for option in {word.partition("=")[0] for word in words if "=" in word}:
            others = dry_run(*(w for w in words if not w.startswith(f"{option}=")))
            does = option in takes or others.stdout != done.stdout
            assert does, f"make {words}: {option} does nothing"


ONE_LINERS = re.findall(r"^\| `(.+?)` \| `uv (.+?)` \|$", text_of("handout.md"), re.M)


@pytest.mark.parametrize(("made", "line"), ONE_LINERS, ids=lambda words: words)
def test_commands_without_make(made, line):
    """A command without make starts the program that make starts.

    Each of its options is the one that make passes the variable's value to.
    """
    target, *given = shlex.split(made)
    words = shlex.split(line)
    done = dry_run(target, *given)
    program = words[words.index("python") + 1 :]
    called = " ".join(program[:3] if program[0] == "-m" else program[:1])
    assert f" {called} " in f"{done.stdout} ".replace("\n", " ")
    options = [word for word in program if word.startswith("--")]
    # The submission is a word of its own.
    names = {word.partition("=")[0] for word in given} - {"SUBMISSION"}
    for name, option in zip(sorted(names), sorted(options), strict=True):
        assert re.search(rf'{option}="\$\{{?{name}\b', done.stdout)
    for value in (word.partition("=")[2] for word in given):
        assert value in program or value == "1"


def test_commands_without_make_are_all():
    """Each target that `make help` lists for students has a command without make."""
    staff = re.compile(r"## staff|^(?:help|gpu|clean):")
    lines = (ROOT / "Makefile").read_text().splitlines()
    listed = [line for line in lines if "## " in line and not staff.search(line)]
    targets = {line.partition(":")[0] for line in listed if re.match(r"[a-z]", line)}
    assert targets <= {made.split()[0] for made, _ in ONE_LINERS}
    assert len(targets) > 3


def names_in(recipe: str) -> set[str]:
    """Return the names of all variables that a recipe, or a module that it runs, reads.

    Args:
        recipe: the commands that `make --dry-run` prints.
    """
    found = re.findall(r"\$\{?([A-Z]+)", recipe)
    for module in re.findall(r"-m (tests[.\w]+)", recipe):
        text = source_of(module)
        for package, names in re.findall(r"^from (tests\S+) import (.+)$", text, re.M):
            text += source_of(package)
            text += "".join(
                source_of(f"{package}.{x.strip()}") for x in names.split(",")
            )
        found += re.findall(r'"([A-Z]+)"', text)
    return {*found}


def source_of(module: str) -> str:
    """Return the text of a module, by its dotted name; "" if there is no such file."""
    path = (ROOT / module.replace(".", "/")).with_suffix(".py")
    return path.read_text(encoding="utf-8") if path.is_file() else ""


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name):
    """Each file that a page links to exists."""
    (page,) = [page for page in PAGES if page.name == name]
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text_of(name)):
        assert (page.parent / target).exists(), target


def test_readme_tells_what_the_attacks_come_to():
    """The README gives the same numbers of failed attacks as the table ATTACKS.md."""
    table = (ROOT / "tests" / "evidence" / "ATTACKS.md").read_text(encoding="utf-8")
    held = re.findall(r"^- (\w+): (\d+) held", table, re.M)
    count = re.search(r"^- (\d+) attacks$", table, re.M)[1]
    told = shown("README.md", "make attacks")
    lines = re.findall(r"^(\w+): (\d+) of (\d+) attacks fail$", told, re.M)
    assert lines == [(tier, number, count) for tier, number in held] != []


def test_readme_can_be_read_at_a_glance():
    """The README has less than 110 lines of at most 80 characters."""
    lines = text_of("README.md").splitlines()
    assert len(lines) < 110
    assert max(map(len, lines)) <= 80


def test_ci_page_names_what_this_repository_does():
    """Each command that the CI page names is in the workflow or in `.ci/run`."""
    steps = (ROOT / ".github" / "workflows" / "test.yml").read_text()
    steps += (ROOT / ".ci" / "run").read_text()
    page = " ".join(text_of("ci.md").split())
    machines = ("sysctl kernel.apparmor_restrict_unprivileged_userns=0", "bubblewrap")
    for command in (*machines, *(f"make {target}" for target in ci_targets())):
        assert command in steps
        assert command in page


def test_ci_runs_the_readmes_commands_in_order():
    """`.ci/run` runs the commands of the README's "Two commands", then two more."""
    section = text_of("README.md").partition("## Two commands")[2].partition("## ")[0]
    told = re.findall(r"^`make (\w+)`", section, re.M)
    assert told == ["grade", "test"]
    assert ci_targets() == [*told, "prove", "attacks"]


def ci_targets() -> list[str]:
    """Return the arguments of each `make` command in `.ci/run`, in order."""
    return re.findall(r"^make (.+)$", (ROOT / ".ci" / "run").read_text(), re.M)


def test_every_target_is_on_a_page():
    """Each target that `make help` lists is named on a page."""
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True)
    targets = re.findall(r"^make ([a-z-]+)", listed.stdout, re.M)
    named = {word for name in NAMES for words in commands_of(name) for word in words}
    assert len(targets) > 10
    assert set(targets) - named == set()
