"""Text of a hand-in is changed so that no other program takes it for a command.

Such programs are terminals, browsers, spreadsheets, Markdown parsers and CI logs.
"""

import csv
import html.parser
import io
import json
import re
import unicodedata

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings
from markdown_it import MarkdownIt

from grader import escape

quick = settings(database=None, deadline=None)  # machines can be busy

# Strings that mean more than text to a terminal, browser, spreadsheet or CI log.
SNIPPETS = [
    *("::error::no", "  ::add-mask::5", "##[error]", "##vso[task.setvariable]", "##["),
    *("\x1b[2J", "\x9b1m", "\r", "\0", "\t", "\u202e", "\u2066", "\u200b", "\ufeff"),
    *("\ud800", "\udfff", "\n", "\n\n", "\u2028", "\x85", "a\u0301\u0301\u0301\u0301"),
    *("<script>", "<!--", "&lt;", "&#60;", "'", '"', "]]>", "</p>", "<br>", "<b>"),
    *("`", "```", "~~~", "**", "_a_", "# a", "- a", "1. a", "> a", "|", "\\", "\\|"),
    *("[a](b)", "![a](b)", "https://a.b", "www.a.b", "@ada", "#12", "a@b.de", "    a"),
    *("=1+1", "+1", "-1", "@SUM(A1)", "＝1", "%0A", "%", ":", ",", "---", "==="),
]
hostile = st.lists(
    st.one_of(
        st.sampled_from(SNIPPETS),
        st.text(st.characters(exclude_categories=()), max_size=8),
    ),
    max_size=12,
).map("".join)
LINES = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def harmless(text: str) -> bool:
    """Return whether a text is printable and holds no command to a CI log."""
    lines_stay = LINES.split(text) == text.split("\n")
    commands = re.search(r"##\w*\[", text)
    controls = not text.replace("\n", "").isprintable()
    return lines_stay and not (controls or commands or has_piles(text))


def has_piles(text: str) -> bool:
    """Return whether a letter has more than `MAX_MARKS` combining marks."""
    marks = "".join(
        "m" if unicodedata.category(c) in ("Mn", "Me") else "." for c in text
    )
    return "m" * (escape.MAX_MARKS + 1) in marks


@quick
@given(hostile, st.integers(0, 60))
def test_plain(text, limit):
    """`plain` removes control characters and CI commands, and cuts off a long text."""
    kept = escape.plain(text, limit)
    assert harmless(kept)
    assert len(kept.replace("## ", "##")) <= limit
    if harmless(text):
        assert kept == text[:limit]


@quick
@given(hostile, st.integers(0, 60))
def test_one_line(text, limit):
    """`one_line` returns the same as `plain`, with blanks in place of newlines."""
    assert escape.one_line(text, limit) == escape.plain(text, limit).replace("\n", " ")
    assert escape.one_line("a\nb", 3) == "a b"


@quick
@given(st.one_of(st.none(), st.integers(), st.lists(st.binary())))
def test_plain_of_no_text(value):
    """If its argument is not a string, `plain` returns the `repr` of the argument."""
    assert escape.plain(value, 1000) == repr(value)


@quick
@given(hostile)
@example("a" + "\u0301" * 50)
def test_terminal(text):
    """The result of `terminal` has no CI command and no letter with too many marks."""
    kept = escape.terminal(text)
    assert harmless(kept)
    for line in kept.split("\n"):
        assert not line.strip().startswith("::")
    assert escape.terminal(kept) == kept


def test_terminal_leaves_text_alone():
    """`terminal` does not change accented letters, other scripts and symbols."""
    text = "η = −α · (r + γ max Q)\n  Việt, n\u0303\u0301, 日本語 a::b ## [x] 🙂"
    assert escape.terminal(text) == text


pieces = st.lists(st.one_of(hostile, st.sampled_from([":", "::", " ", "\x1b[2m"])))


@quick
@given(pieces, st.booleans())
@example(["a\n", " ", ":", ":error::"], False)
@example(["\x1b[2m::error::\x1b[0m\n"], False)
def test_log(texts, whole):
    """No line that is written to a `Log` is a CI command, even if written in pieces."""
    stream = io.StringIO()
    log = escape.Log(stream)
    for text in ["".join(texts)] if whole else texts:
        assert log.write(text) == len(text)
    kept = stream.getvalue()
    for line in kept.splitlines():
        assert not re.sub(r"\x1b\[[\d;]*m", "", line).strip().startswith("::")
    assert kept.replace("· ", "").replace("## ", "##") == "".join(texts).replace(
        "· ", ""
    ).replace("## ", "##")
    if whole:
        assert not re.search(r"##\w*\[", kept)
    assert not log.isatty()


MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
ALLOWED = {"<br>": "\n", "<span>": "", "</span>": ""}


def read_inline(token) -> str:
    """Return the text of one inline token of the Markdown parser.

    Fail if the token holds markup.
    """
    text = ""
    for child in token.children:
        if child.type == "html_inline":
            text += ALLOWED[child.content]
        else:
            assert child.type in ("text", "text_special"), child
            text += child.content
    return text


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, each without blanks at its start and end."""
    return [line.strip() for line in text.split("\n")]


@quick
@given(hostile)
def test_markdown(text):
    """A Markdown parser reads an escaped text as plain text, in a table or a line."""
    table = MARKDOWN.parse(f"| a | b |\n|---|---|\n| {escape.markdown(text)} | end |\n")
    cells = [token for token in table if token.type == "inline"]
    assert [cell.content for cell in cells[:2]] == ["a", "b"]
    assert cells[3].content == "end"
    line = MARKDOWN.parse(f"Said: {escape.markdown(text)}\n\nend\n")
    assert [token.type for token in line[:3]] == [
        *("paragraph_open", "inline", "paragraph_close")
    ]
    wanted = lines_of(escape.printable(text))
    assert lines_of(read_inline(cells[2])) == wanted
    assert lines_of(read_inline(line[1]).removeprefix("Said:")) == wanted


@quick
@given(hostile)
def test_markdown_mentions_nobody(text):
    """A text rendered as Markdown holds no mention (@ada) and no issue (#12)."""
    pieces = re.split(r"</?span>", MARKDOWN.renderInline(escape.markdown(text)))
    assert not any(re.search(r"[@#]\w", re.sub("&#?\\w+;", "", p)) for p in pieces)


@quick
@given(hostile)
@example("```\n\n# a\n````")
def test_markdown_block(text):
    """`markdown_block` makes a code block that holds the whole text and then ends."""
    tokens = MARKDOWN.parse(f"{escape.markdown_block(text)}\nend\n")
    assert tokens[0].type == "fence"
    assert tokens[0].content == escape.printable(text) + "\n"
    assert [t.content for t in tokens if t.type == "inline"] == ["end"]


class Reader(html.parser.HTMLParser):
    """A parser that records the tags and the text that a browser would find.

    Attributes:
        seen: pairs of a tag and its attributes, in order; also comments.
        text: the text between tags.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen: list = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        """Add the tag, with its attributes, to `seen`."""
        self.seen.append((tag, attrs))

    def handle_data(self, data):
        """Add text between tags to `text`."""
        self.text += data

    def handle_comment(self, data):
        """Add a comment to `seen`; our pages have no comments."""
        self.seen.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


@quick
@given(hostile)
def test_html(text):
    """An escaped text inside a <p> tag of a page adds no tag and no attribute."""
    kept = escape.html(text)
    for quote in "\"'":
        reader = Reader()
        reader.feed(f"<p title={quote}{kept}{quote}>{kept}</p>")
        reader.close()
        assert reader.seen == [("p", [("title", reader.text)])]
        assert reader.text == escape.printable(text)


@quick
@given(hostile)
def test_csv_cell(text):
    """Any text becomes one CSV cell of one line, which is no spreadsheet formula."""
    file = io.StringIO()
    csv.writer(file).writerow([escape.csv_cell(text), "end"])
    assert len(file.getvalue().splitlines()) == 1
    ((cell, end),) = csv.reader(io.StringIO(file.getvalue()))
    assert end == "end"
    assert not re.match(r"\s*[=+\-@\t\r＝＋－＠]", cell)
    assert harmless(cell) or "##" in cell
    if harmless(text) and not re.match(r"\s*[=+\-@＝＋－＠]", text):
        assert cell == text.replace("\n", " ")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", " =1"])
def test_csv_formula(text):
    """A spreadsheet formula gets an apostrophe at its start, so that it stays text."""
    assert escape.csv_cell(text).startswith("'")


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), hostile),
    lambda inner: st.lists(inner) | st.dictionaries(hostile, inner),
    max_leaves=8,
)


def refuse(constant: str) -> None:
    """Fail, because strict JSON has no NaN and no infinity."""
    raise AssertionError(constant)


@quick
@given(anything)
@example([float("nan"), {"a": float("inf")}, (float("-inf"), "\ud800")])
def test_json_text(value):
    """Any value becomes strict JSON whose text can be encoded in UTF-8."""
    document = json.loads(escape.json_text(value), parse_constant=refuse)
    json.dumps(document, ensure_ascii=False, allow_nan=False).encode("utf-8")


@quick
@given(st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_json_text_changes_nothing_else(text, number):
    """If JSON can express a value, reading the result of `json_text` returns it.

    The strings in the value may hold control characters.
    """
    value = {text: [text, number, None, True, {"a": 1}]}
    assert json.loads(escape.json_text(value, indent=1)) == value
