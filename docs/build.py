"""Write the handout and the notebook; tables and equations are taken from the code.

The program fills the blocks of `handout.md` that begin with `<!-- generated: name -->`,
converts the page to `handout.html`, converts `starter/dqn.py` to `starter/dqn.ipynb`,
and draws the pictures. The formulas are those of `formulas.py`.
"""

import ast
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markdown_it import MarkdownIt  # installed as a dependency of rich
from markupsafe import Markup

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import formulas
import loop
import maze

from grader.contract.exercises import CHECKS, EXERCISES
from grader.contract.learning import FULL, HALF
from grader.contract.limits import LIMITS
from grader.report.exercise import WORDS
from grader.report.model import plain_number
from grader.report.symbols import MARKS

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PAGES = Environment(
    loader=FileSystemLoader(DOCS),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.S)
BANNER = re.compile(r"^# Exercise (\d+) · (.+) · (\d+) points$", re.M)
STARTER = ROOT / "starter" / "dqn.py"
PICTURES = {"loop": loop.picture, "maze": maze.picture}
PICTURE = re.compile(r'<p><img src="images/(\w+).svg"[^>]*></p>')


@dataclass(frozen=True)
class Part:
    """A function or class that students write.

    Attributes:
        name: the part's name.
        call: the function's call; for a class, the calls of its methods, one a line.
        equation: the equation in the docstring, or "".
        slides: the section of the slides that the docstring names, or "".
    """

    name: str
    call: str
    equation: str
    slides: str


@dataclass(frozen=True)
class Exercise:
    """An exercise, read from the starter and the checks.

    Attributes:
        number: the exercise's number in the contract.
        name: the exercise's name, as in `ONLY=name`.
        parts: the parts that students write; empty for learning.
        checks: for each check, its points and its description.
    """

    number: int
    name: str
    parts: list[Part]
    checks: list[tuple[float, str]]

    @property
    def points(self) -> float:
        """The points that all checks pay together."""
        return sum(points for points, _ in self.checks)


def exercises() -> list[Exercise]:
    """Return all exercises, in the order of the contract."""
    sections = BANNER.split(STARTER.read_text(encoding="utf-8"))[1:]
    bodies = [*zip(*[iter(sections)] * 4, strict=True)]
    return [
        Exercise(number, name, parts_in(body), checks_in(CHECKS / file))
        for (number, (name, file)), (_, _, _, body) in zip(
            enumerate(EXERCISES.items(), 1), bodies, strict=True
        )
    ]


def parts_in(code: str) -> list[Part]:
    """Return the parts in a section of the starter.

    Args:
        code: the Python code of the section.
    """
    return [
        part_of(node)
        for node in ast.parse(code).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]


def part_of(node: ast.FunctionDef | ast.ClassDef) -> Part:
    """Return the part that a function or class defines.

    Equation and slides are read from the docstring, before the word "Rules:".
    """
    before, _, _ = (ast.get_docstring(node) or "").partition("Rules:")
    slides = re.search(r"\([Ss]lides: (.*?)\.?\)(?=[.\s]|$)", before, re.S)
    # An indented block of the docstring is an equation.
    equation = [
        re.sub(r"\s*\(slides: .*\)$", "", line[4:])
        for block in before.split("\n\n")
        if block.startswith("    ")
        for line in block.splitlines()
    ]
    return Part(
        name=node.name,
        call="\n".join(calls_of(node)),
        equation="\n".join(equation),
        slides=" ".join(slides[1].split()) if slides else "",
    )


def calls_of(node: ast.FunctionDef | ast.ClassDef) -> list[str]:
    """Return a function's call, as "f(a, b)"; for a class, those of its methods."""
    if isinstance(node, ast.ClassDef):
        methods = [f for f in node.body if isinstance(f, ast.FunctionDef)]
        calls = [call for f in methods for call in calls_of(f)]
        shown = [f".{call}" for call in calls if not call.startswith("__")]
        return [calls[0].replace("__init__", node.name), *shown]
    names = [a.arg for a in node.args.args if a.arg != "self"]
    return [f"{node.name}({', '.join(names)})"]


def checks_in(path: Path) -> list[tuple[float, str]]:
    """Return the points and the description of each check in a file.

    Args:
        path: a file of `grader/checks/`.
    """
    found = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            marks = "\n".join(map(ast.unparse, node.decorator_list))
            points = float(re.search(r"points\(([\d.]+)\)", marks)[1])
            words = (ast.get_docstring(node) or "").splitlines()[0].rstrip(".")
            found.append((points, words))
    return found


# ---------------------------------------------------------------- the blocks


def overview() -> str:
    """Return the table of all exercises, their parts and points."""
    lines = ["| | exercise | to write | points |", "|---:|---|---|---:|"]
    for one in exercises():
        parts = ", ".join(f"`{part.name}`" for part in one.parts) or "nothing"
        points = plain_number(one.points)
        lines.append(f"| {one.number} | `{one.name}` | {parts} | {points} |")
    total = sum(one.points for one in exercises())
    return "\n".join([*lines, f"| | | | **{plain_number(total)}** |"])


def details() -> str:
    """Return a section for each exercise: calls, equations, slides, checks, points."""
    return "\n\n".join(detail(one) for one in exercises())


def detail(one: Exercise) -> str:
    """Return the section for one exercise."""
    lines = [f"### {one.number} · {one.name} · {plain_number(one.points)} points", ""]
    for part in one.parts:
        lines += ["```python", part.call, "```", ""]
        for formula in formulas.FORMULAS.get(part.name, ()):
            lines += ["```math", formula, "```", ""]
        if part.name not in formulas.FORMULAS and part.equation:
            lines += ["```text", part.equation, "```", ""]
        if part.slides:
            lines += [f"Slides: {linked(part.slides)}.", ""]
    if not one.parts:
        words = "Nothing to write: your parts are put to work, as told below."
        lines += [words, ""]
    lines += ["| what is checked | points |", "|---|---:|"]
    lines += [f"| {words} | {plain_number(pays)} |" for pays, words in one.checks]
    return "\n".join(lines)


def linked(sections: str) -> str:
    """Return names of the slides' sections, with links to where the handout has them.

    Args:
        sections: names of sections, separated by ", ".
    """
    names = sections.split(", ")
    return ", ".join(f"[{name}](#{name.lower().replace(' ', '-')})" for name in names)


def marks() -> str:
    """Return the table of the signs in a report and their meanings."""
    usual = {
        "passed": "right",
        "failed": "a wrong answer: what you gave, what is right",
    }
    usual |= {"skipped": "waits for another part or check; no points yet"}
    usual |= {"grader_error": "our fault, not yours: there is no score; tell the staff"}
    lines = ["| sign | meaning |", "|:---:|---|"]
    for outcome, (sign, _) in MARKS.items():
        lines.append(f"| {sign} | {WORDS.get(outcome) or usual[str(outcome)]} |")
    return "\n".join(lines)


def mistake() -> str:
    """Return the example of a report on a mistake, copied from `students.md`."""
    text = (DOCS / "students.md").read_text(encoding="utf-8")
    return re.search(r"<!-- a mistake -->\n(```\n.*?```)", text, re.S)[1]


def thresholds() -> str:
    """Return a paragraph on the mean returns that learning has to reach."""
    words = (
        f"CartPole pays half at a mean return of {HALF:.0f} over 100 fresh episodes "
        f"and all at {FULL:.0f}, if the maze was learned. Learning has luck in it, so "
        f"your agent may train {LIMITS.trainings} times, each time with another seed; "
        "the best run counts."
    )
    return textwrap.fill(words, 80)


def ablate() -> str:
    """Return the section on `make ablate`, copied from `ablate.md`."""
    return (DOCS / "ablate.md").read_text(encoding="utf-8").strip()


BLOCKS: dict[str, Callable[[], str]] = {
    f.__name__: f for f in (overview, details, marks, mistake, thresholds, ablate)
}


def filled(text: str) -> str:
    """Return the text of the handout with new contents in the generated blocks."""
    return BLOCK.sub(lambda m: f"{m[1]}{BLOCKS[m[2]]()}\n{m[3]}", text)


# ---------------------------------------------------------------- HTML


def as_html(text: str) -> str:
    """Return a Markdown text as an HTML page that loads no other file."""
    markdown = MarkdownIt().enable("table")
    markdown.add_render_rule("fence", fence)
    tokens = markdown.parse(text)
    sections = []
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            name = re.sub(r"\W+", "-", inline.content.lower()).strip("-")
            token.attrSet("id", name)
            if token.tag == "h2":
                sections.append((name, inline.content))
    body = markdown.renderer.render(tokens, markdown.options, {})
    body = re.sub(r"<!--.*?-->\n?", "", body)
    body = re.sub(PICTURE, lambda found: picture_in_page(found[1]), body)
    # Wide tables and code get scroll bars of their own, so that the page needs none.
    body = body.replace("<table>", '<div class="wide" tabindex="0"><table>')
    body = body.replace("</table>", "</table></div>")
    body = body.replace("<pre>", '<pre tabindex="0">')
    # The template puts the table of contents between the heading and the body.
    heading, end, body = body.partition("</h1>\n")
    return PAGES.get_template("page.html").render(
        title=re.search(r"^# (.+)$", text, re.M)[1],
        heading=Markup(heading + end),
        sections=sections,
        body=Markup(body),
    )


def fence(renderer, tokens, index: int, options, env) -> str:
    """Return a fenced block as HTML; LaTeX is converted to MathML."""
    token = tokens[index]
    if token.info != "math":
        return renderer.fence(tokens, index, options, env)
    return f'<div class="wide" tabindex="0">{formulas.mathml(token.content)}</div>\n'


def picture_in_page(name: str) -> str:
    """Return a picture as a part of an HTML page.

    Args:
        name: a key of `PICTURES`.
    """
    picture = PICTURES[name]().replace(f"{maze.NAMESPACE} ", "")
    return f'<figure class="wide" tabindex="0">{picture}</figure>'


# ---------------------------------------------------------------- the notebook

# Where the homework may lie: here, above, or in a folder here, as after a download.
PLACES = (
    "starter/notebook.py ../starter/notebook.py "
    "*/starter/notebook.py */*/starter/notebook.py"
)
FETCH = (
    "import io, urllib.request, zipfile; "
    "data = urllib.request.urlopen('{PACKAGE}').read(); "
    "zipfile.ZipFile(io.BytesIO(data)).extractall('homework')"
)
LOST = (
    "error: the homework was not found: write the address that your course gave you "
    "into PACKAGE, or open this notebook in the folder of the homework"
)
# The first cell holds commands for the notebook only; the grader leaves them out.
SETUP = f"""
PACKAGE = ""  # the course fills this in: the address of the student package, a .zip
FOUND = !ls {PLACES} 2>/dev/null
![ "{{FOUND}}" != "[]" ] || [ ! "{{PACKAGE}}" ] || python3 -c "{FETCH}" 2>&1 | tail -1
FOUND = !ls {PLACES} 2>/dev/null
![ "{{FOUND}}" != "[]" ] || echo "{LOST}"
%run "{{FOUND[0]}}"
"""

HOW = """
# Homework 2: deep Q-learning

1. Run the first cell. It finds or fetches the homework, and adds `%grade` and `%train`
   to the notebook. On Windows, this works in WSL or in Colab only.
2. Write a part where its cell raises `NotImplementedError`, and run the cell.
3. `%grade td_loss` below it grades that exercise, `%grade` all of them, and
   `%grade td_loss HINT=3` tells more of a mistake. What is graded are the cells that
   have run since the notebook started, as if you handed them in: a line that fails is
   left out, the rest of its cell counts. `In[5], line 3` is the third line of the cell
   with [5] beside it.
4. `%train` trains your agent on CartPole and shows its learning curve, `%watch` films
   it, and `%train maze` trains it in a maze. The square beside the cell stops them.
5. To hand in: choose Restart and run all (Colab: Runtime → Restart and run all), look
   at the last report, and save the notebook as .ipynb (Colab: File → Download →
   Download .ipynb).
"""


def notebook() -> str:
    """Return the starter as the text of a notebook.

    An exercise has three cells: its title, its code, and `%grade` with its name. If
    there is nothing to write, a text and `%train` stand in the place of the code.
    """
    first, *sections = re.split(r"(?m)^(?=# Exercise )", STARTER.read_text("utf-8"))
    docstring = ast.get_docstring(ast.parse(first)) or ""
    imports = first.partition('"""\n\n')[2]
    _, _, symbols = docstring.partition("\n\n")
    symbols = symbols.partition("\n\n")[2]
    cells = [
        text_cell(HOW),
        code_cell(SETUP),
        text_cell(f"## Symbols and rules\n\n{symbols}"),
        code_cell(imports),
    ]
    for (name, _), section in zip(EXERCISES.items(), sections, strict=True):
        banner, _, code = section.partition("\n")
        cells.append(text_cell(f"## {banner.removeprefix('# ')}"))
        if code.lstrip().startswith("#"):
            text = re.sub(r"(?m)^# ?", "", code)
            text = re.sub(r"make train TASK=", "%train ", text)
            cells += [text_cell(text), code_cell("%train")]
        else:
            cells.append(code_cell(code))
        cells.append(code_cell(f"%grade {name}"))
    cells += [text_cell("## All of it"), code_cell("%grade")]
    document = {
        "cells": [{**cell, "id": f"cell-{i}"} for i, cell in enumerate(cells)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def text_cell(text: str) -> dict:
    """Return a notebook's cell with a Markdown text."""
    lines = inspect.cleandoc(text).splitlines(keepends=True)
    return {"cell_type": "markdown", "metadata": {}, "source": lines}


def code_cell(code: str) -> dict:
    """Return a notebook's cell with Python code that has not run."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": code.strip("\n").splitlines(keepends=True),
    }


def files() -> dict[Path, str]:
    """Return the text of each file to write, by path."""
    handout = filled((DOCS / "handout.md").read_text(encoding="utf-8"))
    pictures = {DOCS / "images" / f"{name}.svg": f() for name, f in PICTURES.items()}
    return {
        **pictures,
        DOCS / "handout.md": handout,
        DOCS / "handout.html": as_html(handout),
        ROOT / "starter" / "dqn.ipynb": notebook(),
    }


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
        print(f"written: {path.relative_to(ROOT)}")
