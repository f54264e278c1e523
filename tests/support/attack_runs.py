"""Attacks on the grader: read them, grade them, and judge the result.

An attack is a Python file in `tests/corpus/attacks/`, in the folder of its kind. Its
text is appended to a hand-in: the starter, the solution or a mutant. The docstring of
the file describes the attack:

    One line: the trick.

    Rows: 24, 25                      rows of `attack_catalogue.py`; the first row
                                      decides the kind
    Grade: sync_target                the exercise to grade, or "all"
    On: td-half                       the id of a mutant, or "solution"; without this
                                      line the hand-in is the starter
    Asserts: S R L                    letters of the promises to check, see below
    Says: exited with code 0          regular expression that the run's output must
                                      match: proof that the attack was really tried
    Breaks on process: L: why         letters of promises that fail on this tier
    May break on process: L: why      letters of promises that fail on this tier for
                                      some users, on some machines, or by chance
    Not run on process: why           the attack is not run on this tier because it
                                      could harm the machine

The promises that the grader makes have letters. S: the score is at most the score of
the hand-in without the attack. R: the exit code is 0 and the report is whole and valid.
L: no secret leaked, and the attack did nothing forbidden. T: the grading ends in time
(with short deadlines) and leaves no process. O: a harmless hand-in, graded before and
after all attacks, has the same report both times.

The file may call `tell(found)`, which raises an exception whose message has the text of
`found`. The file may read `PLACES`, a dict of targets: "root" (the repository),
"secret" (a file with a secret), "out" (the folder of the report), "port" (an open port
of this machine), "temporary" (the folder of the grader's temporary files).
"""

import ast
import contextlib
import functools
import inspect
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.contract.exercises import EXERCISES
from grader.contract.outcomes import Outcome
from grader.report.model import NOT_READ
from tests.corpus.mutants import MUTANTS
from tests.support import supervisor
from tests.support.edits import ROOT, SOLUTION
from tests.support.handins import checks_of

TESTS = ROOT / "tests"
FILES = TESTS / "corpus" / "attacks"
TABLE = TESTS / "evidence" / "ATTACKS.md"
PROMISED = TESTS / "evidence" / "TIERS.md"
# The first word of a table cell, and the words before the reason in the summary.
WORDS = {"breaks": "broken, ", "may": "may break, ", "not": "not run, it "}
STARTER = (ROOT / "starter" / "dqn.py").read_text(encoding="utf-8")
SECONDS = 280  # deadline of one grading, long enough for a busy machine
CANARY = "canaryK7Q2MX9Z"
# Texts that must not leak. The canary is the run's seed, and it stands in the grader's
# environment and in a file. The second text is a phrase of the solution.
SECRETS = (CANARY, "every visit to a cell")
BREACH = "BREACH"
TIERS = ("bwrap", "landlock", "process")
# Errors that an attack gets where the sandbox stops its first step.
REFUSED = r"PermissionError|\[Errno 1\]|Operation not permitted"
# Read at import because parsing in several threads at once fails in Python 3.11.
CHECKS = {exercise: checks_of(exercise) for exercise in EXERCISES}
KEYS = {"Rows", "Grade", "On", "Asserts", "Says"}
LETTERS = "SRLTO"

PREAMBLE = """

PLACES = {places}


def tell(found):
    if found:
        raise RuntimeError("".join(("BRE", "ACH ")) + str(found)[-300:])
    raise RuntimeError("tried, and found nothing")


"""


# The letters of the broken promises, by the attack's name and the tier.
Results = dict[tuple[str, str], str]


@dataclass(frozen=True)
class Attack:
    """One attack, as its docstring describes it (see the module's docstring).

    Attributes:
        name: the name of the attack's file or function.
        trick: one line that describes the attack.
        rows: the numbers of the attack's rows in the catalogue.
        exercise: the name of the exercise to grade, or "all".
        twin: the hand-in without the attack: the id of a mutant, "solution", or "" for
            the starter.
        asserts: the letters of the promises to check.
        says: a regular expression that the run's output must match.
        breaks: by tier, the letters of the promises that fail there, and the reason.
        may_break: by tier, the letters of the promises that may fail there, and the
            reason.
        not_run: by tier, the reason why the attack is not run there.
        make: a function that takes an empty folder and `PLACES`. It writes the hand-in
            into the folder and returns the path to grade.
    """

    name: str
    trick: str
    rows: tuple[int, ...]
    exercise: str
    twin: str
    asserts: str
    says: str
    breaks: dict[str, tuple[str, str]]
    may_break: dict[str, tuple[str, str]]
    not_run: dict[str, str]
    make: Callable[[Path, dict], Path]


@dataclass(frozen=True)
class Run:
    """The result of one grading.

    Attributes:
        code: the exit code; None if the grading did not end in time.
        out: the text of standard output.
        err: the text of standard error.
        report: the text of report.json; "" if there is no such file.
        survivors: the command lines of processes that still ran after the grading.
    """

    code: int | None
    out: str
    err: str
    report: str
    survivors: list[str]

    @functools.cached_property
    def document(self) -> dict:
        """The report as a dict; {} if the report is missing or is not strict JSON."""
        try:
            return json.loads(self.report, parse_constant=refuse)
        except ValueError:
            return {}

    @property
    def score(self) -> float:
        """The score in points; 0 without a report."""
        return self.document.get("score") or 0.0

    @property
    def said(self) -> str:
        """The texts that the report and the terminal show, in one text.

        The line with the seed is left out. The seed counts as a secret, and this line
        shows it in every run.
        """
        told = [self.document.get(key) for key in ("submission", "exercises")]
        words = json.dumps(told, ensure_ascii=False)
        lines = [x for x in self.out.splitlines() if not x.startswith("seed ")]
        return "\n".join([words, *lines, self.err])


def refuse(constant: str) -> None:
    """Refuse NaN and infinity, which strict JSON does not have.

    Raises:
        ValueError: always.
    """
    raise ValueError(constant)


# ------------------------------------------------------------------ reading attacks


def attack(name: str, docstring: str, make: Callable[[Path, dict], Path]) -> Attack:
    """Return the attack that a docstring describes.

    Args:
        name: the name of the attack.
        docstring: the attack's docstring, in the form that this module's docstring
            explains.
        make: the function that writes the hand-in, see `Attack`.

    Raises:
        ValueError: the docstring lacks a necessary line, or a key or value is unknown.
    """
    trick, _, rest = inspect.cleandoc(docstring).partition("\n")
    lines = re.sub(r"\n\s{4,}", " ", rest.strip()).splitlines()
    values = {key: value.strip() for key, _, value in (x.partition(":") for x in lines)}
    breaks, may_break, not_run = {}, {}, {}
    for tier in TIERS:
        for kind, of_kind in (("Breaks", breaks), ("May break", may_break)):
            if told := values.pop(f"{kind} on {tier}", ""):
                letters, _, why = told.partition(":")
                of_kind[tier] = (letters.replace(" ", ""), why.strip())
        if why := values.pop(f"Not run on {tier}", ""):
            not_run[tier] = why
    if not {*values} <= KEYS or not {"Rows", "Grade", "Asserts", "Says"} <= {*values}:
        raise ValueError(f"{name}: the docstring has the lines {sorted(values)}")
    asserts = values["Asserts"].replace(" ", "")
    if not {*asserts} <= {*LETTERS} or values["Grade"] not in {*EXERCISES, "all"}:
        raise ValueError(f"{name}: asserts {asserts} of {values['Grade']}")
    return Attack(
        name=name,
        trick=trick.rstrip("."),
        rows=tuple(map(int, values["Rows"].split(","))),
        exercise=values["Grade"],
        twin=values.get("On", ""),
        asserts=asserts,
        says=values["Says"],
        breaks=breaks,
        may_break=may_break,
        not_run=not_run,
        make=make,
    )


def from_file(path: Path) -> Attack:
    """Return the attack that a file of `tests/corpus/attacks/` contains.

    Raises:
        ValueError: the file's docstring lacks a necessary line, or a key or value is
            unknown.
    """
    text = path.read_text(encoding="utf-8")

    def make(folder: Path, places: dict) -> Path:
        preamble = PREAMBLE.format(places=places)
        source = base(found.twin) + preamble + text
        (folder / "dqn.py").write_text(source, encoding="utf-8")
        return folder

    found = attack(path.stem, ast.get_docstring(ast.parse(text)) or "", make)
    return found


def base(twin: str) -> str:
    """Return the text of the hand-in to which an attack is appended.

    Args:
        twin: the id of a mutant, "solution", or "" for the starter.
    """
    if twin in ("", "solution"):
        return SOLUTION if twin else STARTER
    (mutant,) = (m for m in MUTANTS if m.id == twin)
    return mutant.source


# ------------------------------------------------------------------ running attacks


def carried_out(one: Attack, tier: str) -> Run:
    """Make the hand-in of an attack, grade it with the command line, return the result.

    Args:
        one: the attack.
        tier: the name of the tier.
    """
    with place() as (folder, places):
        module = "tests.support.short_deadlines" if "T" in one.asserts else "grader"
        return grade(one.make(folder, places), places, one.exercise, tier, module)


@functools.cache
def twin_score(twin: str, exercise: str, tier: str) -> float:
    """Return the score in points of the hand-in without the attack.

    Args:
        twin: the id of a mutant, "solution", or "" for the starter.
        exercise: the name of an exercise, or "all".
        tier: the name of the tier.
    """
    return clean(base(twin), exercise, tier).score


def clean(source: str, exercise: str, tier: str) -> Run:
    """Grade a harmless hand-in with the command line, and return the result.

    Args:
        source: the text of `dqn.py`.
        exercise: the name of an exercise, or "all".
        tier: the name of the tier.
    """
    with place() as (folder, places):
        (folder / "dqn.py").write_text(source, encoding="utf-8")
        return grade(folder, places, exercise, tier, "tests.support.patient")


@contextlib.contextmanager
def place() -> Iterator[tuple[Path, dict]]:
    """Provide, for a with block, an empty folder for a hand-in and the dict `PLACES`.

    This context manager makes what attacks try to reach: a file with a secret, an open
    port, a folder for the report, and a folder for temporary files. `PLACES` has the
    number of the port, the paths of the file and the folders, and the path of the
    repository. After the block, the folders and the file are deleted and the port is
    closed.
    """
    with (
        tempfile.TemporaryDirectory(
            prefix="attack-", ignore_cleanup_errors=True
        ) as top,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        for name in ("hand-in", "out", "temporary"):
            (Path(top) / name).mkdir()
        (Path(top) / "secret").write_text(CANARY)
        names = ("secret", "out", "temporary")
        places = {name: str(Path(top) / name) for name in names}
        yield (
            Path(top) / "hand-in",
            {"root": str(ROOT), **places, "port": server.getsockname()[1]},
        )


def grade(path: Path, places: dict, exercise: str, tier: str, module: str) -> Run:
    """Grade a hand-in with the command line; `supervisor.py` runs this command.

    Args:
        path: the path of the hand-in.
        places: the dict `PLACES`, from `place`.
        exercise: the name of an exercise, or "all".
        tier: the name of the tier.
        module: the module to run as the grader's command line.
    """
    only = "" if exercise == "all" else exercise
    words = ["grade", os.fspath(path), "--only", only, "--sandbox", tier]
    words += ["--seed", CANARY, "--out", places["out"]]
    supervised = [
        sys.executable,
        "-I",
        "-S",
        str(TESTS / "support" / "supervisor.py"),
        str(SECONDS),
        str(supervisor.GRACE_SECONDS),
    ]
    done = subprocess.run(
        [*supervised, sys.executable, "-m", module, *words],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": places["temporary"], "DQN_SECRET": CANARY},
        capture_output=True,
        check=True,
    )
    report = Path(places["out"]) / "report.json"
    text = report.read_text(encoding="utf-8") if report.exists() else ""
    return Run(report=text, **json.loads(done.stdout))


# ------------------------------------------------------------------ what must hold


def problems(one: Attack, tier: str, run: Run) -> dict[str, list[str]]:
    """Return the promises that a grading has broken, as a dict.

    A key is the letter of a broken promise; the value is a list of texts that say what
    was wrong. The key "said" means: no promise is broken, but the output does not show
    that the attack was tried. The result is {} if nothing is wrong.

    Args:
        one: the attack.
        tier: the name of the tier.
        run: the result of grading the attack's hand-in on this tier.
    """
    found = {
        "S": of_score(one, tier, run),
        "R": of_report(one, tier, run),
        "L": of_secrets(run),
        "T": of_time(run),
    }
    broken = {letter: words for letter, words in found.items() if words}
    if not broken and not re.search(f"{one.says}|{REFUSED}", run.said):
        broken["said"] = [f"{one.says!r} is not in", run.said[:3000]]
    return broken


def broken(one: Attack, found: dict[str, list[str]]) -> str:
    """Return the letters of the promises that an attack asserts and has broken.

    Args:
        one: the attack.
        found: the result of `problems`.
    """
    return "".join(letter for letter in found if letter in one.asserts)


def verdict(one: Attack, tier: str, found: dict[str, list[str]]) -> str:
    """Return the problems that the attack's docstring does not announce, as one text.

    The text is "" if there are no such problems.

    Args:
        one: the attack.
        tier: the name of the tier.
        found: the result of `problems`.
    """
    told = {**one.breaks, **one.may_break}.get(tier, ("", ""))[0]
    return "\n".join(
        f"{letter}: {' / '.join(why)}"
        for letter, why in found.items()
        if letter == "said" or (letter in one.asserts and letter not in told)
    )


def of_score(one: Attack, tier: str, run: Run) -> list[str]:
    """Check promise S: the attack must not raise the score.

    Args:
        one: the attack.
        tier: the name of the tier.
        run: the result of grading the attack's hand-in on this tier.

    Returns:
        A list with one text that has both scores if the promise is broken; otherwise
        [].
    """
    most = twin_score(one.twin, one.exercise, tier)
    return [f"scores {run.score}, without it {most}"] if run.score > most else []


def of_report(one: Attack, tier: str, run: Run) -> list[str]:
    """Return a text for each fault of the exit code or of the report (promise R).

    The exit code must be 0, or 2 if the hand-in could not be read. A valid report has
    all exercises and checks that were asked for. Its score is the sum of the checks'
    scores, and all its text is printable.

    Args:
        one: the attack, which says what exercises were graded.
        tier: the name of the tier.
        run: the result of the grading.
    """
    problem = run.document.get("submission", {}).get("problem") or ""
    if run.code != (2 if problem.startswith(NOT_READ) else 0):
        return [f"exit code {run.code}: {run.err[-2000:]}"]
    if not run.document:
        return ["no report, or no JSON"]
    found = []
    if run.document["sandbox"] != tier:
        found.append(f"graded on {run.document['sandbox']}")
    exercises = run.document["exercises"]
    asked = list(EXERCISES) if one.exercise == "all" else [one.exercise]
    if [exercise["name"] for exercise in exercises] != asked:
        found.append("not all exercises are there")
    for exercise in exercises:
        names = [check["name"] for check in exercise["checks"]]
        if names != CHECKS[exercise["name"]]:
            found.append(f"not all checks of {exercise['name']} are there")
    checks = [check for exercise in exercises for check in exercise["checks"]]
    for check in checks:
        if check["outcome"] not in {*Outcome} - {Outcome.GRADER_ERROR}:
            found.append(f"{check['name']} is {check['outcome']}")
        if not (check["message"] or check["outcome"] == "passed"):
            found.append(f"{check['name']} says nothing")
        if not 0 <= check["score"] <= check["max_score"]:
            found.append(f"{check['name']} pays {check['score']}")
    if sum(check["score"] for check in checks) != run.document["score"]:
        found.append("the score is not the sum")
    strings = [run.out, *strings_of(run.document)]
    for text in strings:
        if not text.replace("\n", "").isprintable():
            found.append(f"not printable: {text[:200]!r}")
    # GitHub's log takes "::" after blanks, and "##[" anywhere, for a command.
    for line in run.out.splitlines():
        if line.lstrip().startswith("::") or "##[" in line:
            found.append(f"a command to CI: {line}")
    return found


def strings_of(value: object) -> list[str]:
    """Return every string value in a JSON document; keys are left out."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    parts = value if isinstance(value, list) else []
    return [text for part in parts for text in strings_of(part)]


def of_secrets(run: Run) -> list[str]:
    """Return the text around each secret that a run's output contains (promise L).

    The word in `BREACH` counts as a secret; attacks put it into the output if they
    succeed.
    """
    return [
        run.said[max(0, run.said.index(word) - 100) :][:300]
        for word in (*SECRETS, BREACH)
        if word in run.said
    ]


def of_time(run: Run) -> list[str]:
    """Return a text for each process left behind, and for a missed deadline.

    Both break promise T.
    """
    found = [f"left: {line[:200]}" for line in run.survivors]
    return found + ([f"has not ended after {SECONDS} s"] if run.code is None else [])


# ------------------------------------------------------------------ the next hand-in


@functools.cache
def first_report(tier: str) -> str:
    """Grade the mutant `td-half`; return its report without durations.

    Call this function before any attack on the tier. A second call returns the same
    text without a new grading.
    """
    return lasting(clean(base("td-half"), "td_loss", tier))


def changed_next(tier: str) -> str:
    """Grade the mutant `td-half` again, and compare the report with `first_report`.

    This checks promise O.

    Returns:
        Both reports in one text if they differ; otherwise "".
    """
    before, after = first_report(tier), lasting(clean(base("td-half"), "td_loss", tier))
    return "" if before == after else f"it was {before}, it is {after}"


def lasting(run: Run) -> str:
    """Return a run's report without durations; the error output if it has none."""
    return re.sub(r'"duration": [\d.]+', "", run.report) or run.err


# ------------------------------------------------------------------ the table


def all_attacks() -> list[Attack]:
    """Return all attacks: first those in files, sorted by name, then the others.

    The others are the functions in `intake_attacks.py`.

    Raises:
        ValueError: a docstring lacks a necessary line, or a key or value is unknown.
    """
    from tests.support import intake_attacks

    paths = sorted(FILES.glob("*/*.py"), key=lambda path: path.name)
    files = [from_file(path) for path in paths]
    made = [attack(f.__name__, f.__doc__ or "", f) for f in intake_attacks.ATTACKS]
    return files + made


def table(
    attacks: list[Attack], results: Results, catalogue: dict[int, tuple[str, str]]
) -> str:
    """Return the text of ATTACKS.md: the results of all attacks, and the catalogue.

    Args:
        attacks: all attacks.
        results: the letters of the broken promises, by the pair (name of the attack,
            name of the tier).
        catalogue: the title and the note of each row, by the number of the row.
    """
    lines = [
        "# Attacks on the grader",
        "",
        "What hand-ins in `tests/corpus/attacks/` and in",
        "`tests/support/intake_attacks.py` try, and whether the grader has withstood",
        "them on each tier of the sandbox, as `make attacks` has measured it. S: no",
        "more points than without the attack; R: a whole, valid report; L: no secret",
        "leaked and nothing forbidden done; T: ends in time, no process left; O: the",
        "next hand-in's report is unchanged. What may break does so by user, machine",
        "or chance.",
        "",
        f"- {len(attacks)} attacks",
    ]
    for tier in TIERS:
        cells = [cell(one, tier, results) for one in attacks]
        counts = [
            f"{sum(text.startswith(kind) for text in cells)} {told}"
            for kind, told in (
                ("holds", "held"),
                ("breaks", "broken"),
                ("may break", "may break"),
                ("not run", "not run"),
            )
        ]
        lines.append(f"- {tier}: {', '.join(counts)}")
    lines += ["", f"| attack | the trick | rows | holds | {' | '.join(TIERS)} |"]
    lines += ["|---|---|---|---|" + "---|" * len(TIERS)]
    for one in attacks:
        rows = ", ".join(map(str, one.rows))
        cells = [one.name, one.trick.replace("|", "\\|"), rows, one.asserts]
        cells += [cell(one, tier, results) for tier in TIERS]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "## The catalogue", "", "| row | what | attacks |", "|---|---|---|"]
    for row, (what, note) in catalogue.items():
        names = [one.name for one in attacks if row in one.rows]
        told = "; ".join(filter(None, [", ".join(names), note]))
        lines.append(f"| {row} | {what} | {told} |")
    return "\n".join(lines) + "\n"


def summary(attacks: list[Attack], results: Results) -> str:
    """Return a summary in plain text, for README.md.

    For each tier the summary says how many attacks the grader withstands. It lists the
    other attacks by the reason that their docstrings give.

    Args:
        attacks: all attacks.
        results: the letters of the broken promises, by the pair (name of the attack,
            name of the tier).
    """
    lines = []
    for tier in TIERS:
        reasons: dict[str, list[str]] = {}
        for one in attacks:
            kind, _, why = cell(one, tier, results).partition(": ")
            if kind != "holds":
                first = kind.partition(" ")[0]
                reasons.setdefault(WORDS[first] + why, []).append(one.name)
        held = len(attacks) - sum(map(len, reasons.values()))
        lines.append(f"{tier}: {held} of {len(attacks)} attacks fail")
        for why, names in sorted(reasons.items()):
            told = f"{why}: {', '.join(names)}"
            lines += textwrap.wrap(
                told, 78, initial_indent="- ", subsequent_indent="  "
            )
    return "\n".join(lines) + "\n"


def cell(one: Attack, tier: str, results: Results) -> str:
    """Return the table cell with the result of an attack on a tier.

    Args:
        one: the attack.
        tier: the name of the tier.
        results: the letters of the broken promises, by the pair (name of the attack,
            name of the tier).
    """
    if tier in one.not_run:
        return f"not run: {one.not_run[tier]}"
    if tier in one.may_break:
        letters, why = one.may_break[tier]
        return f"may break {letters}: {why}"
    if letters := results[one.name, tier]:
        return f"breaks {letters}: {one.breaks[tier][1]}"
    return "holds"
