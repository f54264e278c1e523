"""Attacks on the grader: what one is, how it is carried out, and what must hold.

An attack is a file of `tests/corpus/attacks/`, in the folder of its kind: Python that
is put after the text of a hand-in with nothing in it (the starter) or a mistake in it
(a mutant). Its docstring says what it is:

    One line: the trick.

    Rows: 24, 25                      of `attack_catalogue.py`; the first is of its kind
    Grade: sync_target                the exercise to grade, or "all"
    On: td-half                       a mutant's id, or "solution"; else the starter
    Asserts: S R L                    what must hold, see below
    Says: exited with code 0          a pattern, found in a message of the report: the
                                      attack has been carried out, and that came of it
    Breaks on process: L: why         what does not hold on that tier
    May break on process: L: why      what holds there or not, by user, machine, chance
    Not run on process: why           what would harm the machine that tests it

S: the score is not above that of the same hand-in without the attack. R: exit code 0
and a whole, valid report. L: no secret leaked and nothing forbidden was done. T: it
ends in time (deadlines are short then), and no process is left. O: the next hand-in's
report is the same as before; it is graded once, after all attacks.

The file may use `tell(found)`, which raises what it found, and `PLACES`: "root" (the
repository), "secret" (a file), "out" (the folder of the report), "port" (on this
machine), "temporary" (where the grader's folders are).
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
from tests.support.edits import ROOT, SOLUTION
from tests.support.handins import checks_of

TESTS = ROOT / "tests"
FILES = TESTS / "corpus" / "attacks"
TABLE = TESTS / "evidence" / "ATTACKS.md"
PROMISED = TESTS / "evidence" / "TIERS.md"
# By the first word of a cell of the table, how a reason begins in the summary.
WORDS = {"breaks": "broken, ", "may": "may break, ", "not": "not run, it "}
STARTER = (ROOT / "starter" / "dqn.py").read_text(encoding="utf-8")
SECONDS = 280  # for one grading, on a busy machine
CANARY = "canaryK7Q2MX9Z"
# Each would be a leak: the canary is the run's seed and stands in the grader's
# environment and in a file; the other is a sentence of the solution.
SECRETS = (CANARY, "every visit to a cell")
BREACH = "BREACH"
TIERS = ("bwrap", "landlock", "process")
# What an attack meets that the sandbox does not let begin.
REFUSED = r"PermissionError|\[Errno 1\]|Operation not permitted"
# Read here, and not by threads: parsing in several at once fails in Python 3.11.
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


# The letters of what has not held, by attack and tier.
Results = dict[tuple[str, str], str]


@dataclass(frozen=True)
class Attack:
    """One attack; see above.

    Attributes:
        name: its file's or function's name.
        trick: in a line.
        rows: of the catalogue.
        exercise: to grade, or "all".
        twin: the id of the mutant that it is put on, "solution", or "" for the starter.
        asserts: the letters of what must hold.
        says: a pattern that a message must match.
        breaks: for a tier, the letters that do not hold there and why.
        may_break: for a tier, the letters that hold there or not, and why.
        not_run: for a tier, why the attack is not carried out there.
        make: writes the hand-in into a folder and returns its path.
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
    """What a grading left behind.

    Attributes:
        code: its exit code, None where it did not end.
        out: what it printed.
        err: what it printed to standard error.
        report: report.json as it is, or "".
        survivors: the command lines of processes that were left.
    """

    code: int | None
    out: str
    err: str
    report: str
    survivors: list[str]

    @functools.cached_property
    def document(self) -> dict:
        """The report; an empty one where there is none, or it is no JSON."""
        try:
            return json.loads(self.report, parse_constant=refuse)
        except ValueError:
            return {}

    @property
    def score(self) -> float:
        """The points, 0 without a report."""
        return self.document.get("score") or 0.0

    @property
    def said(self) -> str:
        """Return what the report says, and the terminal without the seed."""
        told = [self.document.get(key) for key in ("submission", "exercises")]
        words = json.dumps(told, ensure_ascii=False)
        lines = [x for x in self.out.splitlines() if not x.startswith("seed ")]
        return "\n".join([words, *lines, self.err])


def refuse(constant: str) -> None:
    """NaN and its like are no JSON.

    Raises:
        ValueError: always.
    """
    raise ValueError(constant)


# ------------------------------------------------------------------ reading them


def attack(name: str, docstring: str, make: Callable[[Path, dict], Path]) -> Attack:
    """Return an attack by its docstring.

    Raises:
        ValueError: it lacks a line or has one of a key that there is not.
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
    """Return the attack that a file of `tests/corpus/attacks/` holds."""
    text = path.read_text(encoding="utf-8")

    def make(folder: Path, places: dict) -> Path:
        preamble = PREAMBLE.format(places=places)
        source = base(found.twin) + preamble + text
        (folder / "dqn.py").write_text(source, encoding="utf-8")
        return folder

    found = attack(path.stem, ast.get_docstring(ast.parse(text)) or "", make)
    return found


def base(twin: str) -> str:
    """Return the text of the hand-in without the attack."""
    if twin in ("", "solution"):
        return SOLUTION if twin else STARTER
    (mutant,) = (m for m in MUTANTS if m.id == twin)
    return mutant.source


# ------------------------------------------------------------------ carrying them out


def carried_out(one: Attack, tier: str) -> Run:
    """Grade the hand-in with the attack in it, from the command line."""
    with place() as (folder, places):
        short = "T" in one.asserts
        return grade(one.make(folder, places), places, one.exercise, tier, short)


@functools.cache
def twin_score(twin: str, exercise: str, tier: str) -> float:
    """Return the score of a hand-in without an attack."""
    return clean(base(twin), exercise, tier).score


def clean(source: str, exercise: str, tier: str) -> Run:
    """Grade a hand-in that does no harm."""
    with place() as (folder, places):
        (folder / "dqn.py").write_text(source, encoding="utf-8")
        return grade(folder, places, exercise, tier, short=False)


@contextlib.contextmanager
def place() -> Iterator[tuple[Path, dict]]:
    """Make a folder for a hand-in, and things around it that are worth an attack."""
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


def grade(path: Path, places: dict, exercise: str, tier: str, short: bool) -> Run:
    """Run the grader's command line, and end what it leaves behind."""
    grader = ["-m", "tests.support.short_deadlines" if short else "grader"]
    only = "" if exercise == "all" else exercise
    words = ["grade", os.fspath(path), "--only", only, "--sandbox", tier]
    words += ["--seed", CANARY, "--out", places["out"]]
    supervisor = [
        sys.executable,
        "-I",
        "-S",
        str(TESTS / "support" / "supervisor.py"),
        str(SECONDS),
    ]
    done = subprocess.run(
        [*supervisor, sys.executable, *grader, *words],
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
    """Return what does not hold, by letter; "said": it was not carried out as meant."""
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
    """Return the letters of what should hold and does not."""
    return "".join(letter for letter in found if letter in one.asserts)


def verdict(one: Attack, tier: str, found: dict[str, list[str]]) -> str:
    """Return what an attack gets and its docstring does not tell of; "" if nothing."""
    told = {**one.breaks, **one.may_break}.get(tier, ("", ""))[0]
    return "\n".join(
        f"{letter}: {' / '.join(why)}"
        for letter, why in found.items()
        if letter == "said" or (letter in one.asserts and letter not in told)
    )


def of_score(one: Attack, tier: str, run: Run) -> list[str]:
    """S: no points more than without the attack."""
    most = twin_score(one.twin, one.exercise, tier)
    return [f"scores {run.score}, without it {most}"] if run.score > most else []


def of_report(one: Attack, tier: str, run: Run) -> list[str]:
    """R: exit code 0 and a whole, valid report, which no text in it can deface.

    Where the hand-in could not be read, the exit code is 2, and the report says so.
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
        # The commands of GitHub's log: after blanks, or anywhere in a line.
    for line in run.out.splitlines():
        if line.lstrip().startswith("::") or "##[" in line:
            found.append(f"a command to CI: {line}")
    return found


def strings_of(value: object) -> list[str]:
    """Every string in a document, keys left aside."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    parts = value if isinstance(value, list) else []
    return [text for part in parts for text in strings_of(part)]


def of_secrets(run: Run) -> list[str]:
    """L: no secret in what comes out, and no word that something forbidden was done."""
    return [
        run.said[max(0, run.said.index(word) - 100) :][:300]
        for word in (*SECRETS, BREACH)
        if word in run.said
    ]


def of_time(run: Run) -> list[str]:
    """T: it has ended, and nothing is left of it."""
    found = [f"left: {line[:200]}" for line in run.survivors]
    return found + ([f"has not ended after {SECONDS} s"] if run.code is None else [])


# ------------------------------------------------------------------ the next hand-in


@functools.cache
def first_report(tier: str) -> str:
    """Return the report of a hand-in with a mistake, before all attacks."""
    return lasting(clean(base("td-half"), "td_loss", tier))


def changed_next(tier: str) -> str:
    """O: what has changed in that report since, in words; "" if nothing."""
    before, after = first_report(tier), lasting(clean(base("td-half"), "td_loss", tier))
    return "" if before == after else f"it was {before}, it is {after}"


def lasting(run: Run) -> str:
    """Return what of a report must not change from run to run: all but durations."""
    return re.sub(r'"duration": [\d.]+', "", run.report) or run.err


# ------------------------------------------------------------------ the table


def all_attacks() -> list[Attack]:
    """Return the files' attacks by name, then those on the taking in."""
    from tests.support import intake_attacks

    paths = sorted(FILES.glob("*/*.py"), key=lambda path: path.name)
    files = [from_file(path) for path in paths]
    made = [attack(f.__name__, f.__doc__ or "", f) for f in intake_attacks.ATTACKS]
    return files + made


def table(
    attacks: list[Attack], results: Results, catalogue: dict[int, tuple[str, str]]
) -> str:
    """Return what has come of the attacks by tier, and the catalogue, as Markdown.

    Args:
        attacks: all of them.
        results: of all of them on all tiers on which they are run.
        catalogue: what each row is, and what is to be said of it.
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
    """How many have failed on each tier, and by reason which have not: plain lines."""
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
    """Return what has come of an attack on a tier."""
    if tier in one.not_run:
        return f"not run: {one.not_run[tier]}"
    if tier in one.may_break:
        letters, why = one.may_break[tier]
        return f"may break {letters}: {why}"
    if letters := results[one.name, tier]:
        return f"breaks {letters}: {one.breaks[tier][1]}"
    return "holds"
