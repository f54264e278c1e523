"""The archives of `make release`, unpacked and run as each platform would run them."""

import ast
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml

from grader.contract.exercises import EXERCISES
from grader.contract.limits import LIMITS
from grader.report.formats import classroom50
from grader.sandbox.tiers import ISOLATING, why_not
from tests.support.clone import fake_uv, make_clone
from tests.support.edits import ROOT, SOLUTION
from tests.support.grading import replaced, require
from tests.tools import release
from tests.tools.release import PLATFORMS
from tests.unit.report.test_formats import CLASSROOM50, GRADESCOPE, RUNNER

STARTER = (ROOT / "starter" / "dqn.py").read_text(encoding="utf-8")
STUDENTS = release.for_students()
PACKAGE = release.archive(STUDENTS, release.NAME)
SHA256 = hashlib.sha256(PACKAGE).hexdigest()
MAKE = shutil.which("make")
NEWEST = ROOT / ".github" / "workflows" / "newest.yml"


@pytest.fixture
def place() -> Iterator[Path]:
    """Yield an empty folder that every user may enter, like /autograder."""
    folder = Path(tempfile.mkdtemp(prefix="dqn-release-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def uv(tmp_path, monkeypatch) -> None:
    """Put a fake `uv` first in PATH, which links `.venv` to the tests' environment."""
    monkeypatch.setenv("PATH", fake_uv(tmp_path / "bin"))


def body_of(name: str) -> str:
    """Return the body of a function of the solution, as text."""
    (node,) = [n for n in ast.parse(SOLUTION).body if getattr(n, "name", "") == name]
    return "\n".join(map(ast.unparse, node.body))


def unpack(archive: bytes, folder: Path) -> None:
    """Unpack a zip archive into a folder, with the stored file permissions."""
    zipped = zipfile.ZipFile(io.BytesIO(archive))
    zipped.extractall(folder)
    for entry in zipped.infolist():
        (folder / entry.filename).chmod(entry.external_attr >> 16 & 0o777)


def call(*words: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run a command and return its result with its output as text.

    Args:
        words: the command and its arguments.
        cwd: folder in which the command runs.
        environment: further environment variables. The tests' own variables are passed
            on, too, except for those of make.
    """
    ours = {key: value for key, value in os.environ.items() if "MAKE" not in key}
    return subprocess.run(
        list(map(str, words)),
        cwd=cwd,
        env={**ours, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def hand_in_at(folder: Path, **bodies: str) -> None:
    """Write a hand-in: the starter, in which `sync_target` has the solution's body.

    Args:
        folder: folder of the hand-in.
        bodies: bodies of further functions, by the function's name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = replaced(STARTER, {"sync_target": body_of("sync_target"), **bodies})
    (folder / "dqn.py").write_text(text, encoding="utf-8")


def require_sandbox() -> None:
    """Skip the test if no isolating tier works on this machine.

    Official runs need an isolating tier.
    """
    if all(map(why_not, ISOLATING)):
        require("landlock")


# ---------------------------------------------------------------- archives


def test_bytes_depend_on_files_only():
    """The bytes of an archive depend only on the names and contents of its files.

    Order, times and permissions of the files have no effect; nothing is compressed.
    """
    again = release.archive(dict(reversed(STUDENTS.items())), release.NAME)
    assert again == PACKAGE
    for entry in zipfile.ZipFile(io.BytesIO(PACKAGE)).infolist():
        assert entry.date_time == (1980, 1, 1, 0, 0, 0)
        assert entry.compress_type == zipfile.ZIP_STORED
        assert entry.external_attr >> 16 == 0o100644
        assert entry.filename.startswith("dqn-homework/")


def test_make_release(place):
    """`make release` writes three archives and prints their hashes.

    A second call writes the same bytes.
    """
    for name in ("first", "second"):
        words = (sys.executable, "-m", release.__name__, place / name)
        done = call(*words, cwd=ROOT, URL="https://example.org/v1/")
        assert done.returncode == 0, done.stderr
    files = {path.name: path.read_bytes() for path in (place / "first").iterdir()}
    assert files == {p.name: p.read_bytes() for p in (place / "second").iterdir()}
    (students,) = [name for name in files if re.fullmatch(r"dqn-homework-\d.*", name)]
    assert files[students] == PACKAGE
    assert sorted(name.split("-")[2] for name in files if name != students) == [
        "github",
        "gradescope",
    ]
    for data in files.values():
        assert hashlib.sha256(data).hexdigest() in done.stdout
    assert f"https://example.org/v1/{students}" in done.stdout


@pytest.fixture
def clone(place) -> Path:
    """Return a new git repository with all files that `make release` packs."""
    return make_clone(place)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (None, None),
        ("grader/checks/test_10_double_q_target.py", "`git add` it"),
        ("grader/reference/more.npz", "`git add` it"),
        ("solution/helper.py", "`git add` it"),
        ("tests/tools/platforms/gradescope/other.sh", "`git add` it"),
        ("grader/contract/seeds.py", "`git rm` it"),
        ("docs/handout.html", "`git rm` it"),
        ("grader/classroom/notes.py", None),
        ("tests/notes.py", None),
        ("starter/__pycache__/dqn.pyc", None),
    ],
)
def test_release_leaves_nothing_out(clone, monkeypatch, change, named):
    """If a file is missing, or if git does not track a file, nothing is released.

    The error lists each such file and says what to do.
    """
    # The user's own ignore file must not hide a file.
    (clone / "ignored").write_text("test_10*\n*.npz\n")
    call("git", "config", "core.excludesFile", clone / "ignored", cwd=clone)
    if change and (clone / change).exists():
        (clone / change).unlink()
    elif change:
        (clone / change).parent.mkdir(exist_ok=True)
        (clone / change).write_text("new\n")
    done = call(sys.executable, "-m", release.__name__, cwd=clone)
    assert "Traceback" not in done.stderr
    assert done.returncode == (2 if named else 0), done.stderr
    assert (clone / "dist").exists() == (not named)
    if named:
        assert re.search(f"^  {change}: .*{named}", done.stderr, re.M)


def test_release_outside_of_a_repository(clone):
    """Outside of a git repository, `make release` fails with one error line."""
    shutil.rmtree(clone / ".git")
    done = call(sys.executable, "-m", release.__name__, cwd=clone)
    assert done.returncode == 2
    assert done.stderr == "error: this needs git, and a clone of the repository\n"


def test_official_runs_draw_their_seed():
    """No script or workflow of a release sets a seed."""
    paths = [path for path in PLATFORMS.rglob("*") if path.is_file()]
    assert "run_autograder" in {path.name for path in paths}
    for path in paths:
        assert not re.search(r"\bseed\b", path.read_text(), re.I), path


def test_students_get_no_answers():
    """The students' package has no solution, no tests, and no line of the solution."""
    tops = {name.split("/")[0] for name in STUDENTS}
    assert tops == {*release.GRADER, "docs", "README.md"}
    assert not [name for name in STUDENTS if "classroom/" in name]
    given = {line.strip() for line in STARTER.splitlines()}
    secret = {line.strip() for line in SOLUTION.splitlines()} - given
    secret = {line for line in secret if len(line) > 40}
    assert len(secret) > 20
    for name, data in STUDENTS.items():
        if not name.endswith((".npz", ".png")):
            lines = {line.strip() for line in data.decode().splitlines()}
            assert not lines & secret, name


def test_links_lead_somewhere():
    """Each file that the students' README and handout link to is in the package."""
    for name in ("README.md", "docs/handout.md"):
        for link in re.findall(r"\]\(([^)#]+)", STUDENTS[name].decode()):
            if "://" not in link:
                assert os.path.normpath(f"{name}/../{link}") in STUDENTS, link


# ---------------------------------------------------------------- scripts


@pytest.fixture
def workflows(place) -> list[Path]:
    """Return all workflows: those of this repository, and those of a release."""
    files = release.for_github("https://github.com/me/dqn/releases/download/v1", "")
    for name in [name for name in files if name.endswith(".yml")]:
        path = place / name
        path.parent.mkdir(parents=True)
        path.write_bytes(files[name])
    found = [*NEWEST.parent.iterdir(), *place.rglob("*.yml")]
    assert len(found) == 4
    return found


def test_workflows_are_safe(workflows):
    """Zizmor finds nothing: pinned actions, few rights, no template injection."""
    zizmor = Path(sys.executable).with_name("zizmor")
    options = ("--offline", "--no-progress", "--strict-collection", "--no-ignores")
    done = call(zizmor, *options, *workflows, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_shell_scripts_are_clean(workflows, place):
    """Shellcheck finds nothing in the scripts and in the workflows' `run:` steps."""
    scripts = [ROOT / ".ci" / "run", *(PLATFORMS / "gradescope").iterdir()]
    for path in workflows:
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            for step in job.get("steps", []):
                if "run" in step:
                    scripts.append(place / f"step{len(scripts)}")
                    scripts[-1].write_text(f"#!/bin/bash -e\n{step['run']}\n")
    assert len(scripts) > 14
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = call(shellcheck, *scripts, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


# ---------------------------------------------------------------- students


def test_students_makefile(place):
    """`make help` in the students' package lists only the students' targets."""
    unpack(PACKAGE, place)
    done = call("make", "help", cwd=place / release.NAME)
    offered = [line.split()[1] for line in done.stdout.splitlines()]
    assert " ".join(offered) == "help grade doctor train ablate watch gpu clean"


@pytest.mark.usefixtures("uv")
def test_student_grades(place):
    """`make grade` in the students' package needs no solution."""
    unpack(PACKAGE, place)
    home = place / release.NAME
    hand_in_at(home / "starter")
    done = call("make", "grade", "ONLY=sync_target", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "Score 5 / 5" in done.stdout


# ---------------------------------------------------------------- Gradescope


@pytest.fixture
def autograder(place) -> Path:
    """Return the folder of an autograder on Gradescope, after its setup script."""
    unpack(release.archive(release.for_gradescope()), place / "source")
    shutil.copy(place / "source" / "run_autograder", place)
    (place / "source" / ".venv").symlink_to(sys.prefix)
    (place / "results").mkdir()
    (place / "submission_metadata.json").write_text("{}")
    return place


def result_of(autograder: Path) -> dict:
    """Run `run_autograder`; return the content of results.json.

    Fail if the file does not match its schema, or if there is another result file.
    """
    done = call(autograder / "run_autograder", cwd=Path("/"))
    (path,) = (autograder / "results").iterdir()
    assert path.name == "results.json", done.stderr
    document = json.loads(path.read_text())
    jsonschema.validate(document, GRADESCOPE)
    return document


SPY = """
from pathlib import Path
try:
    text = Path({path!r}).read_text()
except OSError as error:
    raise RuntimeError(f"NOT READ {{error.errno}}")
raise RuntimeError("READ")
"""


def test_gradescope_grades(autograder):
    """On Gradescope a hand-in gets its points and cannot read the solution."""
    require_sandbox()
    path = str(autograder / "source" / "solution" / "dqn.py")
    hand_in_at(autograder / "submission", td_loss=SPY.format(path=path))
    document = result_of(autograder)
    assert document["extra_data"]["graded"], document["output"]
    assert document["score"] == 5
    told = " ".join(test["output"] for test in document["tests"])
    assert "NOT READ" in told
    assert sum(test["max_score"] for test in document["tests"]) == 100


def test_gradescope_says_what_is_wrong_with_a_hand_in(autograder):
    """On Gradescope an unreadable hand-in has 0 points, and the reason comes first."""
    (autograder / "submission").mkdir()
    (autograder / "submission" / "dqn.py.txt").write_text("x = 1\n")
    document = result_of(autograder)
    assert (document["score"], document["extra_data"]["graded"]) == (0, True)
    first = document["output"].splitlines()[0]
    assert first.startswith("not read: there is no dqn.py in the folder 'submission'")
    assert first.endswith("but dqn.py.txt: rename it to dqn.py")
    assert [test["name"].partition(": ")[0] for test in document["tests"]] == [
        *EXERCISES
    ]


def test_gradescope_waits_longer_than_a_hand_in_may_take():
    """The limit of Gradescope's script is at least 45 s longer than a whole run."""
    script = (PLATFORMS / "gradescope" / "run_autograder").read_text()
    limit = float(re.search(r"^LIMIT=(\d+)", script, re.MULTILINE)[1])
    assert (
        LIMITS.run_seconds + 45 <= limit < 600
    )  # Gradescope's own limit is ten minutes


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("run_autograder", "LIMIT=540", "LIMIT=0.2"),
        ("run_autograder", "mkdir -p results", "export TMPDIR=/no/such/folder"),
        ("source/grader/cli.py", "def main", "raise SystemExit(1)\ndef main"),
        ("source/grader/reference/mistakes.json", "", ""),
        ("source/.venv", "", ""),
    ],
    ids=["time-out", "no folder", "crash", "damaged", "no environment"],
)
def test_gradescope_is_told_in_every_case(autograder, file, old, new):
    """If the grader fails on Gradescope, a valid results.json says "Not graded"."""
    hand_in_at(autograder / "submission")
    path = autograder / file
    if old:
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))
    else:
        path.unlink()
    document = result_of(autograder)
    assert document["extra_data"]["graded"] is False
    assert "Not graded" in document["output"]
    assert document["score"] == 0


# ---------------------------------------------------------------- GitHub


@pytest.fixture
def workflow(place) -> dict:
    """Return the course's GitHub workflow as a dict.

    The workflow downloads the students' package from a local file.
    """
    (place / "package.zip").write_bytes(PACKAGE)
    files = release.for_github(f"file://{place}/package.zip", SHA256)
    return yaml.safe_load(files["course/.github/workflows/grade.yml"])


# What a student may commit to forge a result.
PLACES = (
    *("report.json", "result.json", "results/report.json", "results/junit.xml"),
    *("summary.md", "annotation", "starter/results/report.json", "package.zip"),
    *("starter/dqn.zip", "dqn-homework/Makefile", "dqn-homework/.venv/.synced"),
)
FORGED = dict.fromkeys(PLACES, '{"schema": 1, "score": 100}')


def commit(place: Path, *, forged: dict[str, str | None], **bodies: str) -> None:
    """Make a student's repository and check it out as the workflow does.

    Args:
        place: folder for temporary files; the checkout is in `work/hand-in`.
        forged: texts of further files by path; None removes the file.
        bodies: bodies of functions, see `hand_in_at`.
    """
    student = place / "student"
    hand_in_at(student / "starter", **bodies)
    for name, text in forged.items():
        path = student / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    workflow = yaml.safe_load((PLATFORMS / "github" / "grade.yml").read_text())
    given = workflow["jobs"]["grade"]["steps"][0]["with"]
    assert given["sparse-checkout-cone-mode"] is False
    pattern = given["sparse-checkout"].replace("${{ inputs.folder }}", "starter")
    target = place / "work" / given["path"]
    author = ("-c", "user.name=student", "-c", "user.email=student@example.org")
    for words in (
        ("init", "--quiet", student),
        ("-C", student, "add", "--force", "."),
        ("-C", student, *author, "commit", "--quiet", "--message=done"),
        ("clone", "--quiet", "--no-checkout", student, target),
        ("-C", target, "sparse-checkout", "set", "--no-cone", pattern),
        ("-C", target, "checkout", "--quiet"),
    ):
        done = call("git", *words, cwd=place)
        assert done.returncode == 0, done.stderr


def run_steps(job: dict, place: Path) -> dict[str, subprocess.CompletedProcess]:
    """Run the shell commands of a job's steps, as GitHub does.

    After a failed step, only steps with an `if` are run.

    Args:
        job: the job of a workflow.
        place: folder for temporary files, with a folder `work` to run in.

    Returns:
        The result of each step that was run, by the step's name.
    """
    environment = {
        "RUNNER_TEMP": str(place / "temp"),
        "GITHUB_STEP_SUMMARY": str(place / "summary.md"),
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "me/dqn",
        "GITHUB_RUN_ID": "7",
    }
    for name, value in job.get("env", {}).items():
        environment[name] = value.replace("${{ inputs.folder }}", "starter")
    (place / "temp").mkdir()
    done: dict[str, subprocess.CompletedProcess] = {}
    for step in job["steps"]:
        failed = any(run.returncode for run in done.values())
        if "run" in step and (not failed or "if" in step):
            assert step.get("if") in (None, "always()", "${{ !cancelled() }}")
            assert "${{" not in step["run"], "what others wrote would become shell"
            words = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
            script = (*words, step["run"])
            done[step["name"]] = call(*script, cwd=place / "work", **environment)
    return done


def test_workflow_has_few_rights(workflow):
    """The workflows may only read the repository, and they use no secrets."""
    url = "https://github.com/me/dqn/releases/download/v1"
    files = release.for_github(url, "")
    homework = yaml.safe_load(files["students/.github/workflows/homework.yml"])
    for each in (workflow, homework):
        assert each["permissions"] == {}
        assert each["jobs"]["grade"]["permissions"] == {"contents": "read"}
        assert "secrets" not in str(each)
        assert "pull_request_target" not in str(each)
    checkout = workflow["jobs"]["grade"]["steps"][0]["with"]
    assert checkout["persist-credentials"] is False
    assert checkout["sparse-checkout"].endswith("/dqn.py")
    grade = "me/dqn/.github/workflows/grade.yml@" + 40 * "0"
    assert homework["jobs"]["grade"]["uses"] == grade


@pytest.mark.usefixtures("uv")
def test_workflow_grades(workflow, place):
    """The workflow's steps write a summary and a report.

    While the hand-in is graded, GitHub does not obey workflow commands in the log. So
    the hand-in cannot give commands by printing them. Results in the student's
    repository do not count.
    """
    require_sandbox()
    commit(place, forged=FORGED, td_loss='print("::error::pwned"); assert False, "oh"')
    done = run_steps(workflow["jobs"]["grade"], place)
    failed = [run.stderr for run in done.values() if run.returncode]
    assert not failed
    summary = (place / "summary.md").read_text()
    assert summary.startswith("## Score 5 / 100\n")
    td_loss = summary.partition("### 6 `td_loss`")[2].partition("###")[0]
    assert "AssertionError: oh" in td_loss
    assert summary.endswith("so only the run of the staff counts.\n")
    results = place / "temp" / "results"
    assert json.loads((results / "report.json").read_text())["score"] == 5
    cases = ET.parse(results / "junit.xml").findall(".//testcase")
    assert len(cases) > 9
    assert {path.name for path in results.iterdir()} == {"report.json", "junit.xml"}
    orders = re.findall(r"^::(.*)::", done["Grade"].stdout, re.M)
    assert len(orders) == 2
    assert done["Grade"].stdout.startswith(f"::stop-commands::{orders[1]}\n")
    assert "::" not in done["Summary"].stdout


@pytest.mark.usefixtures("uv")
@pytest.mark.parametrize(
    ("name", "why"),
    [
        (
            "notes.txt",
            "No points::not read: there is no dqn.py in the folder 'starter'",
        ),
        ("starter/dqn.py/dqn.py", "No points::not read: "),
        ("starter/dqn.py", "No points::not read: "),
    ],
    ids=["nothing", "folder", "no text"],
)
def test_workflow_says_that_nothing_was_read(workflow, place, name, why):
    """Without a readable dqn.py the job fails, with an annotation that says why.

    Results in the student's repository do not count.
    """
    commit(place, forged={**FORGED, "starter/dqn.py": None, name: "\0::error::%0A"})
    done = run_steps(workflow["jobs"]["grade"], place)
    assert [step for step, run in done.items() if run.returncode] == [
        "Grade",
        "Summary",
    ]
    (annotation,) = done["Summary"].stdout.splitlines()
    assert annotation.startswith(f"::error title={why}")
    summary = (place / "summary.md").read_text()
    assert "## Score 0 / 100" in summary
    assert summary.startswith("```text\nnot read: ")
    errors = ET.parse(place / "temp" / "results" / "junit.xml").findall(".//error")
    assert len(errors) == 1


@pytest.mark.usefixtures("uv")
@pytest.mark.parametrize("code", [1, -15, -9])
def test_workflow_says_that_it_was_cut_off(workflow, place, code, monkeypatch):
    """A job that is cancelled or runs out of time fails, and says "Not graded".

    GitHub then still runs steps with `if: always()`. Results in the student's
    repository do not count.
    """
    commit(place, forged=FORGED)
    (place / "bin").mkdir()
    fake = f"kill {code} $PPID" if code < 0 else f"exit {code}"
    make = f'#!/bin/sh\ncase "$*" in *grade*) {fake} ;; *) exec {MAKE} "$@" ;; esac\n'
    (place / "bin" / "make").write_text(make)
    (place / "bin" / "make").chmod(0o755)
    monkeypatch.setenv("PATH", f"{place / 'bin'}:{os.environ['PATH']}")
    done = run_steps(workflow["jobs"]["grade"], place)
    assert done["Grade"].returncode == code
    assert done["Summary"].returncode == 1
    assert done["Summary"].stdout.startswith("::error title=Not graded::Not graded: ")
    assert (place / "summary.md").read_text().startswith("## No score\n")
    junit = (place / "temp" / "results" / "junit.xml").read_text()
    assert "Not graded" in junit


@pytest.mark.usefixtures("uv")
def test_workflow_takes_no_other_grader(workflow, place):
    """If the package has a wrong hash, the workflow stops before it grades anything."""
    (place / "package.zip").write_bytes(PACKAGE + b"x")
    hand_in_at(place / "work" / "hand-in" / "starter")
    done = run_steps(workflow["jobs"]["grade"], place)
    assert done["Fetch the grader"].returncode != 0
    assert "Grade" not in done
    assert "## No score" in (place / "summary.md").read_text()


FAKE_MAKE = """#!/bin/sh
case $1 in
  reference) echo "Verdict: $VERDICT" ;;
  calibrate) echo "| solution | 200 |" > tests/evidence/CALIBRATION.md ;;
  prove) exit $PROOF ;;
esac
"""


@pytest.mark.parametrize(
    ("verdict", "proof", "failing"),
    [
        ("identical", 0, []),
        ("within tolerance (0.0001)", 0, []),
        ("changed: td_loss one_ends", 0, ["Reference"]),
        ("identical", 1, ["Proof"]),
    ],
)
def test_newest_versions(place, monkeypatch, verdict, proof, failing):
    """In the monthly job, a step fails if it finds a changed answer or a failed proof.

    The other steps are run all the same. The verdict of `make reference` and the exit
    code of `make prove` are faked.
    """
    for name, text in (("make", FAKE_MAKE), ("sudo", "#!/bin/sh\n")):
        (place / name).write_text(text)
        (place / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    monkeypatch.setenv("VERDICT", verdict)
    monkeypatch.setenv("PROOF", str(proof))
    runs = place / "work" / "tests" / "evidence" / "calibration" / "runs.jsonl"
    runs.parent.mkdir(parents=True)
    runs.touch()
    job = yaml.safe_load(NEWEST.read_text())["jobs"]["try"]
    done = run_steps(job, place)
    assert [name for name, run in done.items() if run.returncode] == failing
    assert {"Reference", "Proof", "Calibration", "Summary"} <= set(done)
    summary = (place / "summary.md").read_text()
    assert summary.startswith(
        "https://github.com/me/dqn/actions/runs/7 tried the newest"
    )
    assert "call make upgrade" in summary
    assert f"Verdict: {verdict}" in summary
    assert "| solution | 200 |" in summary


def test_who_may_open_issues():
    """In the monthly workflow, only the job `tell` may write, and only issues.

    This job runs no code of the repository.
    """
    workflow = yaml.safe_load(NEWEST.read_text())
    assert workflow["permissions"] == {}
    assert workflow["defaults"]["run"]["shell"] == "bash"
    jobs = workflow["jobs"]
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "try": {"contents": "read"},
        "tell": {"issues": "write"},
    }
    steps = jobs["tell"]["steps"]
    assert [step["uses"].split("@")[0] for step in steps if "uses" in step] == [
        "actions/download-artifact"
    ]


FAKE_GH = """#!/bin/sh
[ "$2" = list ] && echo "$OPEN_ISSUE"
echo "$2 $3" >> "$CALLS"
"""


@pytest.mark.parametrize(
    ("issue", "last"), [("", "create --title"), ("7", "comment 7")]
)
def test_one_fault_has_one_issue(place, monkeypatch, issue, last):
    """The monthly job opens an issue; if its issue is open already, it comments."""
    (place / "gh").write_text(FAKE_GH)
    (place / "gh").chmod(0o755)
    (place / "work").mkdir()
    for name, value in {
        "PATH": f"{place}:{os.environ['PATH']}",
        "OPEN_ISSUE": issue,
        "CALLS": str(place / "calls"),
    }.items():
        monkeypatch.setenv(name, value)
    done = run_steps(yaml.safe_load(NEWEST.read_text())["jobs"]["tell"], place)
    assert done["Issue"].returncode == 0, done["Issue"].stderr
    assert (place / "calls").read_text().splitlines() == ["list --search", last]


@pytest.mark.usefixtures("uv")
def test_workflow_tells_that_it_was_not_set_up(workflow, place):
    """If the Python environment cannot be set up, the summary says "No score"."""
    (place / "bin").mkdir(exist_ok=True)
    (place / "package.zip").write_bytes(
        release.archive({"Makefile": b".venv/.synced:\n\tfalse\n"}, release.NAME)
    )
    step = workflow["jobs"]["grade"]["steps"]
    sha256 = hashlib.sha256((place / "package.zip").read_bytes()).hexdigest()
    workflow["jobs"]["grade"]["env"]["SHA256"] = sha256
    assert [each["name"] for each in step if each.get("if")]
    hand_in_at(place / "work" / "hand-in" / "starter")
    done = run_steps(workflow["jobs"]["grade"], place)
    assert done["Set it up"].returncode != 0
    assert done["Summary"].returncode != 0
    assert "## No score" in (place / "summary.md").read_text()


@pytest.fixture
def checkout(place) -> Path:
    """Return a student's repository on Classroom 50 that holds a forged result.

    `autograder.py` and the package are in the folder `bundle` beside the repository.
    """
    bundle, checkout = place / "bundle", place / "checkout"
    bundle.mkdir()
    (bundle / f"{release.NAME}-1.0.zip").write_bytes(PACKAGE)
    files = release.for_github("", "")
    (bundle / "autograder.py").write_bytes(files["classroom50/autograder.py"])
    hand_in_at(checkout)
    (checkout / "result.json").write_text('{"score": 100, "max-score": 100}')
    (checkout / "release-body.md").symlink_to("nowhere")
    return checkout


def classroom50_result(
    checkout: Path, **environment: str
) -> tuple[subprocess.CompletedProcess, dict]:
    """Run the autograder; return the finished process and the content of result.json.

    Fail if result.json does not match its schema, or if other files were left.
    """
    words = (sys.executable, checkout.parent / "bundle" / "autograder.py")
    done = call(*words, cwd=checkout, **{**RUNNER, **environment})
    assert "Traceback" not in done.stderr
    document = json.loads((checkout / "result.json").read_text())
    jsonschema.validate(document, CLASSROOM50)
    written = {"result.json", "release-body.md"}
    assert {path.name for path in checkout.iterdir()} - written == {"dqn.py"}
    return done, document


@pytest.mark.usefixtures("uv")
@pytest.mark.parametrize("there", [True, False])
def test_classroom50(checkout, there):
    """`autograder.py` writes a valid result.json, whether or not a sandbox works."""
    require_sandbox()
    done, document = classroom50_result(
        checkout, **({} if there else {"SANDBOX": "none"})
    )
    assert (done.returncode == 0) == there, done.stderr
    assert (document["score"], document["max-score"]) == (5 * there, 100)
    assert len(document["tests"]) == (9 if there else 1)
    body = (checkout / "release-body.md").read_text()
    assert body.startswith("## Score 5 / 100\n" if there else "## No score\n")


@pytest.mark.usefixtures("uv")
def test_classroom50_says_what_was_not_read(checkout):
    """A hand-in that cannot be read gets a result with the reason.

    The exit code has to be 0: after another one, Classroom 50 drops the result.
    """
    (checkout / "dqn.py").write_text("x = 1\n\0")
    done, document = classroom50_result(checkout)
    assert done.returncode == 0
    assert (document["score"], document["max-score"]) == (0, 100)
    reason = document["tests"][0]["test-name"]
    assert reason.startswith("not read: dqn.py")
    assert reason in (checkout / "release-body.md").read_text()


@pytest.mark.parametrize("handed_in", ["file", "link", "folder", "nothing"])
@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("uv", "#!/bin/sh\nexit 1\n"),
        ("uv", "#!/bin/sh\nmkdir -p .venv/bin\n"),
        ("make", "#!/bin/sh\nexit 2\n"),
        ("timeout", "#!/bin/sh\nkill -9 $PPID\n"),
        ("timeout", "#!/bin/sh\nkill -2 $PPID\n"),
        ("nothing", ""),
        ("package", "no archive"),
        ("package", ""),
    ],
)
def test_classroom50_is_told_in_every_case(
    checkout, place, monkeypatch, handed_in, program, text
):
    """After any failure, result.json says "not graded".

    A result.json that the hand-in has forged is not kept.
    """
    result, other = checkout / "result.json", place / "other.json"
    other.write_text('{"score": 100}')
    if handed_in != "file":
        result.unlink()
    if handed_in == "link":
        result.symlink_to(other)
    if handed_in == "folder":
        result.mkdir()
        (result / "result.json").touch()
    if program == "package":
        (path,) = (place / "bundle").glob("*.zip")
        path.write_text(text)
        if not text:
            path.unlink()
    elif program == "nothing":
        monkeypatch.setenv("PATH", str(place))
    else:
        path = place / "bin" / program
        path.parent.mkdir()
        path.write_text(text)
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")
    done, document = classroom50_result(checkout)
    assert done.returncode != 0
    assert (document["score"], document["max-score"]) == (0, 100)
    wanted = json.loads(classroom50.render(None, RUNNER))
    assert {**document, "datetime": ""} == {**wanted, "datetime": ""}
    assert not result.is_symlink()
    assert not (checkout / "release-body.md").exists()
    assert other.read_text() == '{"score": 100}'
