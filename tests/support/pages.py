"""The pages of the documentation, and the program output that the pages show."""

import re

from grader.contract.exercises import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def text_of(name: str) -> str:
    """Return the text of the page with this file name."""
    (page,) = [page for page in PAGES if page.name == name]
    return page.read_text(encoding="utf-8")


def shown(name: str, title: str) -> str:
    """Return the code block of a page that follows the comment `<!-- title -->`."""
    block = re.search(rf"<!-- {title} -->\n```\w*\n(.*?)```", text_of(name), re.S)
    assert block is not None
    return block[1]


def essence(text: str) -> list[str]:
    """Return the lines of an output that do not change from run to run.

    Empty lines, and lines with the seed, the report's path or a duration, are left out.
    Long decimal numbers are rounded to four digits.
    """
    text = re.sub(r"\d+\.\d{4,}", lambda number: f"{float(number[0]):.4g}", text)
    lines = [line.rstrip() for line in text.splitlines()]
    changing = ("seed ", "Report:")
    return [
        line
        for line in lines
        if line
        and not line.startswith(changing)
        and not re.match(r" *\d+\.\d s ", line)
    ]
