"""The HTML pages about a class load nothing, are readable, and run only our script."""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from grader.classroom.entries import Entry
from grader.classroom.layouts import HandIn, Owner
from grader.classroom.pages import overview, student
from grader.classroom.pages.render import CSS
from grader.classroom.similar.clusters import Cluster, Findings
from grader.contract.outcomes import CALLS_EXPORTED, NOT_IMPLEMENTED, Outcome
from grader.report.model import Check, Exercise, Report

EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&\x1b[2J"
MAZE = {"shortest": 4.5, "random_walk": 26.0, "runs": 1}
VOID = {"meta", "link", "img", "line", "rect", "polyline"}


def id_of(number: int) -> str:
    """Return an id of 64 hex digits: the number as 8 hex digits, then zeros."""
    return f"{number:08x}".ljust(64, "0")


def entry(number: int, score: float, outcome: Outcome = Outcome.FAILED) -> Entry:
    """Return the entry of a hand-in with hostile text in all of its messages.

    The hand-in has one exercise with two checks; the first one passes.

    Args:
        number: number that the id begins with.
        score: points out of 20.
        outcome: outcome of the second check.
    """
    checks = [
        Check("first", "first", Outcome.PASSED, score, score),
        Check("second", EVIL, outcome, 0, 20 - score, EVIL, "td-half", f"See. {EVIL}"),
    ]
    curve = [[2048, 20.0], [4096, 460.0 if score == 20 else 30.0]]
    report = Report(
        seed=EVIL,
        sandbox="bwrap",
        device="cpu",
        submission={"name": EVIL, "sha256": "0" * 64},
        exercises=[Exercise("td_loss", checks)],
        learning={
            "maze": {**MAZE, "mean_return": -5.0, "curve": [[512, -5.0]]},
            "cartpole": {"curve": curve, "mean_return": curve[-1][1], "runs": 1},
        },
    )
    owners = (Owner(f"Jane Doe {EVIL}", {"login": "jane"}),)
    return Entry(id_of(number), HandIn(Path("x"), "jane", owners), report)


@pytest.fixture
def entries() -> list[Entry]:
    """Return the entries of four hand-ins; the first one was not graded."""
    failed = HandIn(Path("x"), "bo", (Owner("Bo Lee", {}),), late=True)
    return [
        Entry("f" * 64, failed, None, EVIL),
        entry(1, 20),
        entry(2, 5),
        entry(3, 0, Outcome.TIMEOUT),
    ]


@pytest.fixture
def every(entries) -> list[str]:
    """Return three class pages, and a page for each hand-in that was graded, as texts.

    The first class page shows no names.
    """
    findings = Findings(
        clusters=[Cluster((id_of(1), id_of(2)), 0.93)],
        median=0.141,
        in_strings=[(id_of(1), f"keeps code {EVIL}")],
        not_compared=[(id_of(3), f"too much {EVIL}")],
        too_short=["f" * 64],
    )
    return [
        overview.page(entries, findings, names=False),
        overview.page(entries, findings, names=True),
        overview.page(entries[:1], Findings(), names=True),
        *(student.page(entry) for entry in entries[1:]),
    ]


class Reader(HTMLParser):
    """A parser that records tags and fails if tags are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []

    def handle_starttag(self, tag, attrs):  # noqa: D102
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):  # noqa: D102
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):  # noqa: D102
        assert self.open.pop() == tag


def read(page: str) -> list[tuple[str, dict]]:
    """Return each tag of a page with its attributes; fail if a tag is not closed."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader.tags


def test_nobodys_text_is_more_than_text(every):
    """Text of a hand-in brings no tag, no attribute and no control character."""
    for page in every:
        tags = read(page)
        assert not [tag for tag, _ in tags if tag == "img"]
        assert not [a for _, attrs in tags for a in attrs if a.startswith("on")]
        assert len([tag for tag, _ in tags if tag == "script"]) <= 1
        assert "\x1b" not in page


def test_nothing_is_loaded_and_only_our_script_may_run(every):
    """A page loads nothing, and its security policy allows only our own script."""
    for page in every:
        tags = read(page)
        links = {attrs["href"] for tag, attrs in tags if tag == "a"}
        inside = {f"#{attrs['id']}" for _, attrs in tags if "id" in attrs}
        for link in links - inside:
            assert re.fullmatch(r"students/[0-9a-f]{64}\.html", link)
        assert not [attrs for _, attrs in tags if "src" in attrs]
        assert "url(" not in CSS
        (policy,) = [a["content"] for t, a in tags if t == "meta" and "http-equiv" in a]
        assert policy.startswith("default-src 'none'")
        for script in re.findall(r"<script>(.*?)</script>", page, re.S):
            digest = base64.b64encode(hashlib.sha256(script.encode()).digest())
            assert f"script-src 'sha256-{digest.decode()}'" in policy


def test_names_are_there_only_when_asked_for(every):
    """The class page shows the names of students only with `names=True`."""
    assert "Jane" not in every[0]
    assert "Bo Lee" not in every[0]
    assert "jane" not in every[0]
    assert "Jane Doe" in every[1]


def looked_at(page: str) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """Yield each kind of trouble on a class page with the ids of its hand-ins.

    The ids of hand-ins that stand in one line are in one tuple.
    """
    for part in page.split('<div class="kind">')[1:]:
        (kind,) = re.findall(r"<h3 class=\"\w+\">(.*): \d+</h3>", part)
        lines = part.partition("</ul>")[0].split("<li>")[1:]
        yield kind, [tuple(re.findall(r"<code>(\w+)</code>", line)) for line in lines]


def test_what_went_wrong_stands_on_top(every):
    """Hand-ins that were not graded or ran out of time are listed above the scores."""
    top = every[0].partition("<h2>Scores</h2>")[0]
    assert [*looked_at(top)] == [
        ("Not graded", [("ffffffff",)]),
        ("Out of time", [("00000003",)]),
        ("Nearly the same", [("00000001", "00000002")]),
        ("Unusual code", [("00000001",)]),
    ]
    assert "00000003</code></a></span> <span>td_loss (1)</span>" in top


def test_what_does_not_run_stands_on_top(entries):
    """The page lists hand-ins that do not run above those that ran out of time.

    With `names=True` it shows the reasons. Otherwise it hides them, because a reason
    can contain a name.
    """
    for n, problem in ((1, f"not read: {EVIL}"), (2, "not imported: no module jane")):
        report = entries[n].report
        report.submission |= {"problem": problem, "notes": ["A cell was left out."]}
    for names in (False, True):
        page = overview.page(entries, Findings(), names=names)
        read(page)
        top = page.partition("<h2>Scores</h2>")[0]
        assert [*looked_at(top)] == [
            ("Not read", [("00000001",)]),
            ("Not imported", [("00000002",)]),
            ("Not graded", [("ffffffff",)]),
            ("Out of time", [("00000003",)]),
        ]
        assert ("no module jane" in top) is names
        assert "<dt>Graded</dt><dd>2</dd>" in top
        assert "Every hand-in was graded" not in page
    page = student.page(entries[1])
    read(page)
    top = page.partition("<main>")[0]
    assert "<h2>not read: &#34;" in top
    assert "A cell was left out." in top
    assert "<dt>Score</dt><dd>none</dd>" in page


def test_only_what_was_graded_is_called_so(entries):
    """The page says "Every hand-in was graded" if all entries were graded.

    It says that no code looks alike only of the code that was compared. Files that
    were left out are counted; their names are shown only with `names=True`.
    """
    page = overview.page(entries[1:3], Findings(), names=False)
    assert "and no code looks alike or unusual.</p>" in page
    for findings in Findings(too_short=["x"]), Findings(not_compared=[(id_of(2), "x")]):
        page = overview.page(entries[1:3], findings, names=False)
        assert "looks alike or unusual, as far as it was compared.</p>" in page
    left_out = [("jane.txt", "neither")]
    page = overview.page(entries[1:3], Findings(), names=False, left_out=left_out)
    assert "Left out, as no hand-in: 1." in page
    assert "jane.txt" not in page
    page = overview.page(entries[1:3], Findings(), names=True, left_out=left_out)
    assert "jane.txt (neither)" in page


def test_a_class_of_which_nothing_was_read(entries):
    """The class page is well-formed even if no hand-in has a score."""
    entries[1].report.submission["problem"] = "not read: it is empty"
    read(overview.page(entries[:2], Findings(), names=False))


def test_ids_are_shown_short_where_no_two_are_alike(entries):
    """Only the first digits of ids are shown: at least eight, and enough to differ."""
    entries.append(replace(entries[1], id=id_of(1)[:-1] + "7"))
    page = overview.page(entries, Findings(), names=False)
    links = re.findall(r'href="students/(\w+)\.html"><code>(\w+)</code>', page)
    shown = dict(links)
    assert len({*shown.values()}) == len(shown) == 4
    assert all(id_.startswith(words) for id_, words in links)
    assert "<code>00000002</code>" in overview.page(
        entries[:-1], Findings(), names=False
    )


def test_figures(every):
    """The class page shows the right numbers.

    They are the median, the number of full marks, the rates of passed checks, and the
    count of each mistake.
    """
    page = every[0]
    for words in (
        "<dt>Median</dt><dd>5 / 20</dd>",
        "<dt>Full marks</dt><dd>1</dd>",
        "<dt>Graded</dt><dd>3</dd>",
        "1 of 3 runs on CartPole reach a mean return of 450",
    ):
        assert words in page
    assert "<span>33% passed</span>" in page
    assert re.findall(r'<td class="number">(\d+%)<', page) == ["100%", "0%"]
    (mistake,) = re.findall(r'"number">3<.*?</tr>', page, re.S)
    assert "<code>td-half</code>" in mistake
    assert re.findall(r"<code>(0\w+)</code>", mistake) == [
        "00000001",
        "00000002",
        "00000003",
    ]
    assert "from 0: 1, from 2: 0, from 4: 1" in page
    assert "from 20: 1" in page


def section(page: str, title: str) -> str:
    """Return the text of a section of a page in one line, without tags.

    Args:
        page: the page as HTML.
        title: heading of the section.
    """
    text = page.partition(f"<h2>{title}</h2>")[2].partition("<h2")[0]
    return " ".join(re.sub("<[^>]*>", " ", text).split())


def test_copies_are_clusters_and_no_proof(entries):
    """A cluster of copies is listed once, with all of its hand-ins.

    Above the list, the page says that a flag is no proof.
    """
    ids = tuple(map(id_of, (1, 2, 3)))
    findings = Findings([Cluster(ids, 0.938)], 0.141, too_short=["f" * 64])
    page = overview.page(entries, findings, names=False)
    words = section(page, "Look at these first")
    assert (
        "Nearly the same: 3 No proof, and no points are lost: read the hand-ins, ask "
        "their authors. 00000001 , 00000002 , 00000003 "
        "each shares at least 93% with another one"
    ) in words
    words = section(page, "How code was compared")
    assert "The median of all pairs in this class is 14%." in words
    assert "too little code of their own to be compared: 1." in words


def test_without_copies(entries):
    """If no copies and no unusual code were found, no such kind is listed.

    The section on the comparison then has no median and no list of hand-ins that were
    not compared.
    """
    page = overview.page(entries, Findings(), names=False)
    assert "Nearly the same" not in page
    assert "Unusual code" not in page
    words = section(page, "How code was compared")
    assert "The median" not in words
    assert "to be compared" not in words


def test_what_was_not_compared_is_listed(entries):
    """The page lists hand-ins that were not compared, with the reason."""
    findings = Findings(not_compared=[(id_of(2), "it has too much code")])
    page = overview.page(entries, findings, names=False)
    assert "00000002 it has too much code" in section(page, "How code was compared")


def test_unusual_code_is_listed(entries):
    """The kind "Unusual code" lists code in strings and calls of exported programs.

    Other notes on a hand-in are not listed.
    """
    note = f"{CALLS_EXPORTED}: td_loss"
    entries[2].report.submission["notes"] = ["A cell was left out.", note]
    findings = Findings(in_strings=[(id_of(1), "runs a text as code: line 7")])
    page = overview.page(entries, findings, names=False)
    words = section(page, "Look at these first").partition("Unusual code: 2")[2]
    assert "look at the lines." in words
    assert "00000001 runs a text as code: line 7 00000002 " + note in words
    assert "A cell" not in words


def test_everyone_is_in_the_table(entries):
    """The table has a row for each hand-in: the highest score first, words for none.

    With `names=True`, the rows are in the order of the names. A dash stands for an
    exercise of which nothing was judged, and for nothing else.
    """
    waits = entries[3].report.exercises[0].checks
    waits[:] = [replace(waits[1], outcome=Outcome.SKIPPED, message="waits")]
    page = overview.page(entries, Findings(), names=False)
    words = section(page, "Everyone’s points").partition("Score 6 ")[2]
    assert words == (
        "00000001 20 20 00000002 5 5 00000003 0 – ffffffff late not graded"
    )
    entries[1] = replace(
        entries[1], hand_in=HandIn(Path("x"), "zoe", (Owner("Zoe", {}),))
    )
    words = section(overview.page(entries, Findings(), names=True), "Everyone’s points")
    shown = re.findall(r"0000000\d|f{8}", words)
    assert shown == ["00000002", "00000003", "00000001", "ffffffff"]


def keys(page: str) -> list[list[list[str]]]:
    """Return the numbers by which the rows of everyone's points are sorted.

    Rows with a score and rows without one are in separate lists.
    """
    (table,) = re.findall(r'<table class="sortable">(.*?)</table>', page, re.S)
    parts = re.findall(r"<tbody>(.*?)</tbody>", table, re.S)
    rows = [re.findall("<tr>(.*?)</tr>", part, re.S) for part in parts]
    return [[re.findall('data-key="(.*?)"', row) for row in part] for part in rows]


def named(entry: Entry, *names: str) -> Entry:
    """Return an entry with other owners."""
    owners = tuple(Owner(name, {}) for name in names)
    return replace(entry, hand_in=HandIn(Path("x"), "x", owners))


def test_the_table_has_the_numbers_to_sort_by(entries):
    """Each cell has its number: a place by name or id, or points, -1 for a dash.

    Names are in the order of a dictionary, whatever their accents and capitals. Without
    names, the numbers do not give away the order of names. Rows without a score stand
    apart.
    """
    waits = entries[3].report.exercises[0].checks
    waits[:] = [replace(waits[1], outcome=Outcome.SKIPPED, message="waits")]
    entries[1:] = [
        named(entries[1], "Zoe"),
        named(entries[2], "Özil", "Jane"),
        named(entries[3], "abel"),
    ]
    assert keys(overview.page(entries, Findings(), names=False)) == [
        [["0", "20", "20"], ["1", "5", "5"], ["2", "0", "-1"]],
        [["3"]],
    ]
    assert keys(overview.page(entries, Findings(), names=True)) == [
        [["0", "0", "-1"], ["2", "5", "5"], ["3", "20", "20"]],
        [["1"]],
    ]


def test_no_dash_hides_points(entries):
    """An exercise has its points in the table even if the rest of it is not judged."""
    checks = entries[2].report.exercises[0].checks
    for outcome, message in (
        (Outcome.SKIPPED, "waits"),
        (Outcome.FAILED, NOT_IMPLEMENTED),
    ):
        checks[1] = replace(checks[1], outcome=outcome, message=message)
        page = overview.page(entries, Findings(), names=False)
        assert "00000002 5 5 00000003" in section(page, "Everyone’s points")


def report_on(*exercises: tuple[str, list[Check]]) -> str:
    """Return a student's page on exercises, given as pairs of name and checks."""
    shown = entry(2, 5)
    shown.report.exercises = [Exercise(name, checks) for name, checks in exercises]
    page = student.page(shown)
    read(page)
    return page


PASSED = Check("p", "Is right", Outcome.PASSED, 2, 2)
READING = "Your code computes   y = r\nWhat is asked        y = r + v\na  r\n0  1"
WRONG = Check("w", "Is `r`", Outcome.FAILED, 0, 2, "1, not 2\nr = 3", reading=READING)
AGAIN = replace(WRONG, name="a", description="Is r again")
WAITING = Check("s", "Waits", Outcome.SKIPPED, 0, 1, "waits for the above")


def test_failures_come_first():
    """Exercises with a mistake are first on the page, then those that wait.

    The outline has the exercises in order, each with its mark and points.
    """
    page = report_on(
        ("update_Q_TD0", [PASSED]), ("q_network", [WAITING]), ("td_loss", [WRONG])
    )
    outline, _, rest = page.partition("</nav>")
    found = re.findall(r'label="([\w ]+)">(.)<.*?<code>(\w+)<.*?s">([\d /]+)<', outline)
    assert found == [
        ("passed", "✓", "update_Q_TD0", "2 / 2"),
        ("not judged", "–", "q_network", "0 / 1"),
        ("wrong", "✗", "td_loss", "0 / 2"),
    ]
    sections = re.findall(r'<section id="(\w+)"', rest)
    assert sections[:3] == ["td_loss", "q_network", "update_Q_TD0"]
    assert "waits for the above</p>" in rest


def test_the_first_mistake_is_told_in_full():
    """Of an exercise, the first mistake is unfolded; what passed or waits is folded.

    A check with the same message as another one says so.
    """
    other = replace(WRONG, name="o", message="4, not 5", reading=None)
    page = report_on(("td_loss", [PASSED, WRONG, AGAIN, other, WAITING]))
    assert page.count("<details open>") == 1
    first = page.partition("<details open>")[2].partition("</details>")[0]
    assert "Is <code>r</code>" in first
    assert "<pre>1, not 2\nr = 3</pre>" in first
    formulas = re.findall(r'"row">(.*?)</th><td><code>(.*?)</code>', first)
    assert formulas == [("Your code computes", "y = r"), ("What is asked", "y = r + v")]
    assert ">a  r\n0  1</pre>" in first
    assert page.count("1, not 2") == 1
    assert page.count("for the same reason as above") == 1
    folded = re.findall(r'<details class="folded">(.*?)</details>', page, re.S)
    assert ["Waits" in one for one in folded] == [True, False]
    assert ["Is right" in one for one in folded] == [False, True]


def test_only_the_marks_on_the_page_are_explained():
    """The legend has the marks of all checks on the page, and no others."""
    words = re.findall(
        r'class="legend">(.*?)</p>', report_on(("td_loss", [PASSED, WAITING]))
    )
    assert "✓" in words[0]
    assert "not judged: it waits for another check" in words[0]
    assert "✗" not in words[0]


def test_an_import_that_failed_is_one_banner():
    """Of a hand-in that was not imported, the page has the reason and no check."""
    failed = entry(2, 0)
    failed.report.submission["problem"] = "not imported: no module x; line 1"
    for check in failed.report.exercises[0].checks:
        check.outcome, check.message = Outcome.ERROR, "no module x\nline 1"
    page = student.page(failed)
    read(page)
    assert "<h2>not imported: no module x</h2>\n<pre>line 1</pre>" in page
    assert "second" not in page
    assert page.count("no module x") == 1
    assert "every exercise has 0 points" in page


def test_a_student_reads_what_the_code_printed():
    """The page shows the output by exercise, and explains arrays without numbers."""
    shown = entry(2, 5)
    text = "y JitTracer(float32[5])\n"
    shown.report.printed = [
        {"exercise": "import", "text": "hello", "dropped": 0},
        {"exercise": "td_loss", "text": text, "dropped": 7},
    ]
    words = section(student.page(shown), "What your code printed")
    assert words.startswith("When dqn.py was imported hello In td_loss y JitTracer")
    assert "… 7 bytes more were not kept JitTracer(float32[5]) is no mistake" in words


def test_a_student_reads_the_message_and_the_hint_once():
    """The student's page shows a message or hint of several checks only once."""
    page = student.page(entry(2, 5))
    assert page.count("onerror=alert(1)&gt;&amp;�[2J</pre>") == 1
    assert page.count('class="hint"') == 1
    assert "5 / 20" in page


def test_a_student_reads_what_was_learned():
    """The student's page has one line for each task of exercise 9 that was judged.

    Only CartPole has a curve.
    """
    both = entry(2, 5)
    page = section(student.page(both), "What was learned")
    maze = "Maze: 5.0 steps on average; shortest way 4.5, random walk 26.0."
    assert f"{maze} CartPole: mean return 30.0 of 500, 1 training run." in page
    both.report.learning["cartpole"] = {"mean_return": None, "curve": []}
    page = student.page(both)
    read(page)
    assert maze in section(page, "What was learned")
    assert "CartPole" not in page
    assert "<svg" not in page
    both.report.learning["maze"] = {"mean_return": None, "curve": []}
    assert "What was learned" not in student.page(both)


def themes() -> dict[str, dict[str, str]]:
    """Return a dict of colours (#rrggbb by name) for each theme of the pages."""
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.S)
    named = zip(("light", "dark", "print"), blocks, strict=True)
    return {name: dict(re.findall(r"--(\w+): (#\w{6})", b)) for name, b in named}


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (#rrggbb) by WCAG 2, in [0, 1]."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_contrast(theme):
    """All text has a contrast of at least 4.5 to 1, as level AA of WCAG asks."""
    colours = themes()[theme]
    for ground in ("paper", "panel"):
        for ink in ("ink", "soft", "accent", "good", "bad", "warn"):
            pair = sorted(luminance(colours[name]) for name in (ground, ink))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (ground, ink)
