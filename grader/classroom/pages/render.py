"""Fill a template; every value becomes plain text, also that of a hostile hand-in."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from grader.escape import printable
from grader.report.model import plain_number

TEMPLATES = Path(__file__).resolve().parent / "templates"
CSS = (TEMPLATES / "page.css").read_text(encoding="utf-8")
SORT = (TEMPLATES / "sort.js").read_text(encoding="utf-8")


def without_controls(value: Any) -> Any:
    """Return text without control characters, and anything else as it is.

    Markup has been through here already, piece by piece.
    """
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value)
    return value


def percent(share: float) -> str:
    """Return a share from 0 to 1 as whole percent."""
    return f"{share:.0%}"


ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    finalize=without_controls,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
ENVIRONMENT.filters |= {"number": plain_number, "percent": percent}


def render(template: str, script: str = "", **values: Any) -> str:
    """Return a whole page.

    Args:
        template: the name of a file that extends `page.html`.
        script: the one script that may run in the page.
        values: for the template.
    """
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = f" script-src 'sha256-{hashed}';" if script else ""
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:;{allowed}"
    return ENVIRONMENT.get_template(template).render(
        css=Markup(CSS), script=Markup(script), policy=policy, **values
    )
