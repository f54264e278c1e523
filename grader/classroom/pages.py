"""The pages: one of the class, one for each student. Each is a file by itself.

Nothing is loaded from elsewhere, and a policy in the page forbids it. All text goes
through `escape.html`; the class page calls hand-ins by their ids.
"""

import base64
import hashlib
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.classroom import charts
from grader.classroom.gradebooks import Entry
from grader.classroom.similar import Pair
from grader.contract.exercises import EXERCISES
from grader.contract.outcomes import Outcome
from grader.escape import html
from grader.report.formats.words import about_printed
from grader.report.model import (
    NOT_IMPORTED,
    NOT_READ,
    Check,
    Exercise,
    Report,
    plain_number,
)
from grader.report.terminal import MARKS

HERE = Path(__file__).resolve().parent
CSS = (HERE / "page.css").read_text(encoding="utf-8")
SORT = (HERE / "sort.js").read_text(encoding="utf-8")
COLOURS = {"green": "good", "red": "bad", "dim": "soft", "magenta": "warn"}
SHORT = 8  # digits of an id that are shown, where they tell it from all others
MOST_PAIRS = 100  # who looks at more of them does not look at one
# What a check came to, where the class' staff should have a look.
ODD = {Outcome.TIMEOUT: "out of time", Outcome.KILLED: "the process died"}
# All that staff should look at, the most urgent first, with its colour.
TROUBLES = {
    NOT_READ.removesuffix(": "): "bad",
    NOT_IMPORTED.removesuffix(": "): "bad",
    "not graded": "bad",
    **dict.fromkeys(ODD.values(), "warn"),
}


def page(title: str, body: Iterable[str], script: str = "") -> str:
    """A whole page."""
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = f" script-src 'sha256-{hashed}';" if script else ""
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:;{allowed}"
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<link rel="icon" href="data:,">',
        f"<title>{html(title)}</title>",
        f"<style>\n{CSS}</style>",
        f"<main>\n<h1>{html(title)}</h1>",
        *body,
        "</main>",
        *([f"<script>{script}</script>"] if script else []),
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def figures(told: Sequence[tuple[str, str]]) -> str:
    """A few numbers, large."""
    cells = "".join(
        f"<div><dt>{html(name)}</dt><dd>{html(value)}</dd></div>"
        for name, value in told
    )
    return f'<dl class="figures">{cells}</dl>'


def points(score: float, most: float) -> str:
    """Points earned of points there are."""
    return f"{plain_number(score)} / {plain_number(most)}"


def table(
    heads: Sequence[str], rows: Iterable[str], words: str, *, sortable: bool = False
) -> str:
    """A table that scrolls by itself where it is wider than the page.

    Args:
        heads: of the columns; one that starts with # is of numbers.
        rows: as HTML.
        words: that say what it is.
        sortable: by a click on a column's head.
    """
    cells = "".join(
        f'<th scope="col" class="number">{html(head[1:])}</th>'
        if head.startswith("#")
        else f'<th scope="col">{html(head)}</th>'
        for head in heads
    )
    kind = ' class="sortable"' if sortable else ""
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{html(words)}">'
        f"<table{kind}><thead><tr>{cells}</tr></thead><tbody>\n"
        f"{chr(10).join(rows)}\n</tbody></table></div>"
    )


def row(*cells: str, kind: str = "") -> str:
    """A row of cells that are HTML; one that starts with # is a number's."""
    made = "".join(
        f'<td class="number">{cell[1:]}</td>' if cell[:1] == "#" else f"<td>{cell}</td>"
        for cell in cells
    )
    return f'<tr class="{kind}">{made}</tr>' if kind else f"<tr>{made}</tr>"


def meter(share: float) -> str:
    """A bar; the number stands beside it, so that it need not be read out."""
    width = f"{100 * share:.1f}%"
    return (
        f'<span class="meter" aria-hidden="true"><i style="width:{width}"></i></span>'
    )


# ------------------------------------------------------------------- a student's page


def student(entry: Entry) -> str:
    """The report of one hand-in, for whose it is."""
    report = entry.report
    assert report is not None
    names = ", ".join(owner.name for owner in entry.hand_in.owners)
    score = points(report.score, report.max_score) if entry.graded else "none"
    told = [("Score", score), ("Seed", report.seed)]
    if entry.hand_in.late:
        told.append(("Handed in", "late"))
    body = [f'<p class="soft">{html(names)}</p>']
    if report.problem:
        body.append(f'<p class="look bad">{html(report.problem)}</p>')
    body += [f'<p class="look">{html(note)}</p>' for note in report.notes]
    body.append(figures(told))
    for exercise in [] if report.problem else report.exercises:
        body += exercise_lines(exercise)
    if printed := about_printed(report):
        body += ["<h2>What your code printed</h2>", f"<pre>{html(printed)}</pre>"]
    if run := curve_of(report):
        mean = report.learning["cartpole"]["mean_return"]
        words = (
            f"CartPole: mean return {mean:.1f} of {charts.LARGEST_RETURN} in the end"
        )
        body += ["<h2>Learning curve</h2>", f"<p>{words}.</p>"]
        body.append(charts.curves([run], f"Learning curve. {words}."))
    body.append(
        f'<p class="soft">sandbox {html(report.sandbox)} · reference '
        f"{html(report.mode)} · {html(report.device)} · of dqn.py the SHA-256 begins "
        f"with {html(report.submission['sha256'][:12])}</p>"
    )
    return page("Deep Q-learning: your report", body)


def exercise_lines(exercise: Exercise) -> Iterator[str]:
    """An exercise with all its checks."""
    score = points(exercise.score, exercise.max_score)
    name = f"{exercise.number} {exercise.name}"
    yield (f'<h2 class="exercise"><span>{html(name)}</span><span>{score}</span></h2>')
    yield '<ul class="checks">'
    shown: set[str] = set()
    for check in exercise.checks:
        yield check_line(check, shown)
    yield "</ul>"


def check_line(check: Check, shown: set[str]) -> str:
    """A check, with its message and hint where they are new."""
    mark, style = MARKS[check.outcome]
    words = "passed" if check.outcome == Outcome.PASSED else str(check.outcome)
    parts = [
        f'<li><div class="line"><span class="{COLOURS[style]}" role="img" '
        f'aria-label="{html(words.replace("_", " "))}">{mark}</span>'
        f"<span>{html(check.description)}</span>"
        f"<span>{points(check.score, check.max_score)}</span></div>"
    ]
    if check.outcome != Outcome.PASSED and check.message not in {"", *shown}:
        shown.add(check.message)
        parts.append(f"<pre>{html(check.message)}</pre>")
    if check.hint and check.hint not in shown:
        shown.add(check.hint)
        parts.append(f'<p class="hint">→ {html(check.hint)}</p>')
    return "".join([*parts, "</li>"])


def curve_of(report: Report) -> list[list[float]]:
    """The learning curve, empty where there is none."""
    curve: list[list[float]] = report.learning.get("cartpole", {}).get("curve") or []
    return curve


# -------------------------------------------------------------------- the class' page


@dataclass(frozen=True)
class Done:
    """A hand-in that was graded: its entry, and the report that is there for sure."""

    entry: Entry
    report: Report


def classroom(
    entries: Sequence[Entry],
    pairs: list[Pair] | None,
    *,
    names: bool,
    left_out: Sequence[tuple[str, str]] = (),
) -> str:
    """The page of the whole class.

    Args:
        entries: all hand-ins.
        pairs: of those that are nearly the same; None where nobody looked.
        names: whether to say whose they are.
        left_out: what was taken for no hand-in, and why.
    """
    entries = sorted(entries, key=lambda entry: entry.id)  # says nothing about names
    graded = [Done(e, e.report) for e in entries if e.report and e.graded]
    label = labels(entries, names=names)
    body = [overview(entries, graded), *look_first(entries, label, names=names)]
    if left_out:
        body.append(left_out_words(left_out, names=names))
    if graded:
        shares = [g.report.score / g.report.max_score for g in graded]
        body += ["<h2>Scores</h2>", charts.histogram(shares)]
        body += ["<h2>Exercises and checks</h2>", by_check(graded)]
        body += misconceptions(graded)
        body += learning(graded)
        body += nearly_same(pairs, label)
        told = (
            "<p>The numbers are those of the exercises. Columns can be sorted by.</p>"
        )
        body += ["<h2>Hand-ins</h2>", told, all_of_them(graded, label)]
    return page("Deep Q-learning: the class", body, SORT)


def labels(entries: Iterable[Entry], *, names: bool) -> Callable[[str], str]:
    """How a hand-in with some id is called on the page, as HTML with a link."""
    known = {entry.id: entry for entry in entries}
    length = SHORT
    while len({id_[:length] for id_ in known}) < len(known):
        length += 1

    def label(id_: str) -> str:
        entry = known[id_]
        owners = " & ".join(html(owner.name) for owner in entry.hand_in.owners)
        words = f"<code>{id_[:length]}</code>"
        if entry.report is not None:
            words = f'<a href="students/{id_}.html">{words}</a>'
        return f"{words} <span>{owners}</span>" if names else words

    return label


def overview(entries: Sequence[Entry], graded: Sequence[Done]) -> str:
    """The class in a few numbers."""
    told = [("Hand-ins", str(len(entries))), ("Graded", str(len(graded)))]
    if graded:
        scores = [g.report.score for g in graded]
        most = graded[0].report.max_score
        full = sum(score == most for score in scores)
        told += [
            ("Median", points(statistics.median(scores), most)),
            ("Mean", f"{statistics.mean(scores):.1f}"),
            ("Full marks", str(full)),
        ]
    late = sum(entry.hand_in.late for entry in entries)
    return figures([*told, *([("Late", str(late))] if late else [])])


def look_first(
    entries: Sequence[Entry], label: Callable[[str], str], *, names: bool
) -> Iterator[str]:
    """What a person has to look at: no grade, or less of one than there could be.

    Why a hand-in could not be read or imported may name files, and so people.
    """
    found = [(entry, *trouble) for entry in entries for trouble in troubles(entry)]
    found.sort(key=lambda one: list(TROUBLES).index(one[1]))
    rows = []
    for entry, kind, why in found:
        secret = entry.report is not None and entry.problem and not names
        words = html("its report says why" if secret else why)
        mark = f'<span class="{TROUBLES[kind]}">{kind}</span>'
        rows.append(row(label(entry.id), mark, words))
    yield "<h2>Look at these first</h2>"
    if rows:
        yield (
            '<p class="look">What was not read or not graded has no score, not zero. '
            "What was not graded is tried again by the next run. What ran out of time "
            "did so twice, the second time without the others.</p>"
        )
        yield table(["Hand-in", "What", "Where, why"], rows, "What to look at first")
    else:
        yield "<p>Every hand-in was graded, and nothing ran out of time.</p>"


def troubles(entry: Entry) -> Iterator[tuple[str, str]]:
    """The kinds of a hand-in's trouble, as in `TROUBLES`, each with where or why."""
    if entry.report is None:
        yield "not graded", entry.why_not
    elif entry.problem:
        kind, _, why = entry.problem.partition(": ")
        yield kind, why
    else:
        odd: dict[str, list[str]] = {}
        for exercise in entry.report.exercises:
            for check in exercise.checks:
                if check.outcome in ODD:
                    odd.setdefault(ODD[check.outcome], []).append(exercise.name)
        for kind, where in odd.items():
            yield kind, ", ".join(f"{name} ({n})" for name, n in Counter(where).items())


def left_out_words(left_out: Sequence[tuple[str, str]], *, names: bool) -> str:
    """What was taken for no hand-in; how much, where no names are to be seen."""
    if names:
        told = ", ".join(f"{html(name)} ({html(why)})" for name, why in left_out)
        return f"<p>Left out: {told}.</p>"
    return (
        f"<p>Left out, as no hand-in: {len(left_out)}. The command's output lists "
        "them.</p>"
    )


def by_check(graded: Sequence[Done]) -> str:
    """How many passed, by exercise and check."""
    rows = []
    for name in EXERCISES:
        of_name = [e for g in graded for e in g.report.exercises if e.name == name]
        if not of_name:
            continue
        full = sum(e.score == e.max_score for e in of_name) / len(of_name)
        mean = statistics.mean(e.score for e in of_name)
        heading = f"{of_name[0].number} {html(name)}"
        cells = (heading, f"#{mean:.1f} / {plain_number(of_name[0].max_score)}")
        rows.append(row(*cells, f"#{full:.0%}", meter(full), kind="group"))
        for i, check in enumerate(of_name[0].checks):
            alike = [e.checks[i] for e in of_name if i < len(e.checks)]
            passed = sum(c.outcome == Outcome.PASSED for c in alike) / len(alike)
            mean = statistics.mean(c.score for c in alike)
            rows.append(
                row(
                    html(check.description),
                    f"#{mean:.1f} / {plain_number(check.max_score)}",
                    f"#{passed:.0%}",
                    meter(passed),
                )
            )
    heads = ["Exercise, check", "#Mean points", "#Passed", ""]
    return table(heads, rows, "Pass rates")


def misconceptions(graded: Sequence[Done]) -> Iterator[str]:
    """Mistakes that were recognised, the most frequent first."""
    found: Counter[str] = Counter()
    hints: dict[str, str] = {}
    for one in graded:
        checks = [check for e in one.report.exercises for check in e.checks]
        found.update({check.diagnosis for check in checks if check.diagnosis})
        for check in checks:
            if check.diagnosis and check.hint:
                hints.setdefault(check.diagnosis, check.hint)
    yield "<h2>Misconceptions</h2>"
    if not found:
        yield "<p>None was recognised.</p>"
        return
    rows = [
        row(f"#{n}", f"<code>{html(name)}</code>", html(hints.get(name, "")))
        for name, n in sorted(found.items(), key=lambda item: (-item[1], item[0]))
    ]
    heads = ["#Hand-ins", "Mistake", "What the student reads"]
    yield table(heads, rows, "Misconceptions by frequency")


def learning(graded: Sequence[Done]) -> Iterator[str]:
    """All learning curves."""
    runs = [run for g in graded if (run := curve_of(g.report))]
    if not runs:
        return
    reached = sum(max(mean for _, mean in run) >= charts.FULL for run in runs)
    words = f"{reached} of {len(runs)} runs reach a mean return of {charts.FULL:.0f}"
    yield "<h2>Learning curves</h2>"
    others = "; the others are dashed" if reached < len(runs) else ""
    yield f"<p>{words}{others}.</p>"
    yield charts.curves(runs, f"Learning curves on CartPole. {words}.")


def nearly_same(pairs: list[Pair] | None, label: Callable[[str], str]) -> Iterator[str]:
    """The pairs for a person to look at."""
    yield "<h2>Nearly the same</h2>"
    if pairs is None:
        yield "<p>Not looked for: copydetect is not installed.</p>"
    elif not pairs:
        yield "<p>No two hand-ins are.</p>"
    else:
        yield (
            "<p>The starter's text, names and comments do not count. This is no "
            "judgement: read both, ask both.</p>"
        )
        rows = [
            row(label(pair.one), label(pair.other), f"#{pair.share:.0%}")
            for pair in pairs[:MOST_PAIRS]
        ]
        if len(pairs) > MOST_PAIRS:
            yield f"<p>There are {len(pairs)}; the nearest {MOST_PAIRS} are shown.</p>"
        yield table(
            ["One", "Other", "#Share"], rows, "Hand-ins that are nearly the same"
        )


def all_of_them(graded: Sequence[Done], label: Callable[[str], str]) -> str:
    """Everyone's points."""
    rows = [
        row(
            label(one.entry.id),
            f"#{plain_number(one.report.score)}",
            *(f"#{plain_number(e.score)}" for e in one.report.exercises),
        )
        for one in graded
    ]
    numbers = [f"#{exercise.number}" for exercise in graded[0].report.exercises]
    heads = ["Hand-in", "#Score", *numbers]
    return table(heads, rows, "All hand-ins with their points", sortable=True)
