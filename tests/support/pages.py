"""Read the pages of the documentation, and compare the program output shown there."""

import re

from grader.contract.exercises import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def text_of(name: str) -> str:
    """Return the text of the page with this file name."""
    (page,) = [page for page in PAGES if page.name == name]
    return page.read_text(encoding="utf-8")


def shown(name: str, title: str) -> str:
    """Return the content of the code block that follows `<!-- title -->` on a page.

    Args:
        name: the page's file name.
        title: the text of the comment.
    """
    block = re.search(rf"<!-- {title} -->\n```\w*\n(.*?)```", text_of(name), re.S)
    assert block is not None
    return block[1]


def essence(text: str) -> list[str]:
    """Return the lines of a program's output that do not change from run to run.

    Empty lines, and lines with the seed, the report's path or a duration, are left out.
    Numbers with at least four decimals are rounded to four digits.
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
