"""The pages of the documentation, and the outputs that they show."""

import re

from grader.contract.exercises import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def text_of(name: str) -> str:
    """Return one page."""
    (page,) = [page for page in PAGES if page.name == name]
    return page.read_text(encoding="utf-8")


def shown(name: str, title: str) -> str:
    """Return a block of a page, by the comment above it."""
    block = re.search(rf"<!-- {title} -->\n```\w*\n(.*?)```", text_of(name), re.S)
    assert block is not None
    return block[1]


def essence(text: str) -> list[str]:
    """Return the lines that are alike in all runs, numbers to four digits."""
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
