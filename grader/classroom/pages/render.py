"""Fill a template with values; escape every text, because a hand-in can be hostile."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from grader.escape import printable
from grader.report.model import plain_number

TEMPLATES = Path(__file__).resolve().parent / "templates"
CSS = (TEMPLATES / "page.css").read_text(encoding="utf-8")
SORT = (TEMPLATES / "sort.js").read_text(encoding="utf-8")


def without_controls(value: Any) -> Any:
    """Return a text without control characters, or any other value unchanged.

    A text of type `Markup` is returned unchanged, too. A template has made it from
    values without control characters.
    """
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value)
    return value


def percent(share: float) -> str:
    """Return a number from 0 to 1 as a whole number of percent: "25%" for 0.25."""
    return f"{share:.0%}"


def with_code(text: str) -> Markup:
    """Return a text as HTML, with the words between two backticks in the code font."""
    parts = printable(text).split("`")
    if len(parts) % 2 == 0:  # a backtick without a second one
        return escape(printable(text))
    return Markup().join(
        Markup("<code>{}</code>").format(part) if i % 2 else escape(part)
        for i, part in enumerate(parts)
    )


ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    finalize=without_controls,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
ENVIRONMENT.filters |= {
    "code": with_code,
    "number": plain_number,
    "percent": percent,
}


def render(template: str, script: str = "", **values: Any) -> str:
    """Return the HTML of a whole page.

    Args:
        template: the file name of a template that extends `page.html`.
        script: the text of the only script that may run in the page; "" for none.
        values: the values for the template, by name.
    """
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = f" script-src 'sha256-{hashed}';" if script else ""
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:;{allowed}"
    return ENVIRONMENT.get_template(template).render(
        css=Markup(CSS), script=Markup(script), policy=policy, **values
    )
