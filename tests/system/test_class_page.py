"""The script of the class page sorts the table of everyone's points in a browser."""

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from grader.classroom.entries import Entry
from grader.classroom.layouts import HandIn, Owner
from grader.classroom.pages import overview
from grader.classroom.similar.clusters import Findings
from grader.contract.outcomes import Outcome
from grader.report.model import Check, Exercise, Report
from tests.support.patient import SECONDS

# Clicks on the heads of columns; the page then has nothing but what was seen.
CLICKS = """
const seen = [];
for (const column of [0, 0, 1, 1, 2, 2, 0]) {
  document.querySelectorAll(".sortable th button")[column].click();
  const texts = (cells) => [...cells].map((cell) => cell.textContent.at(-1)).join("");
  const sorted = [...document.querySelectorAll("[aria-sort]")];
  seen.push([
    texts(document.querySelectorAll(".sortable tbody th span")),
    sorted.map((head) => [head.cellIndex, head.getAttribute("aria-sort")]),
  ]);
}
document.body.textContent = JSON.stringify(seen);
"""


def entry(name: str, score: float | None, outcome: Outcome = Outcome.FAILED) -> Entry:
    """Return the entry of a hand-in; its id runs against the order of the names.

    Args:
        name: the owner's name, a letter.
        score: the points in its exercise, out of 20; None if it was not graded.
        outcome: how the exercise's only check ended.
    """
    hand_in = HandIn(Path("x"), name, (Owner(name),))
    id_ = f"{255 - ord(name):02x}" * 32
    if score is None:
        return Entry(id_, hand_in, None, "no memory")
    exercises = [Exercise("td_loss", [Check("c", "c", outcome, score, 20, "no")])]
    return Entry(id_, hand_in, Report("", "", "", {}, exercises))


def test_sorting(tmp_path):
    """A click on a column's head sorts by it, and a second one in the other direction.

    The head says the direction. Rows with the same points keep their order. A dash is
    less than 0 points, 9 points are less than 12, and a row without a score stays last.
    """
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("there is no chromium")
    entries = [
        entry("A", 9),
        entry("B", 0, Outcome.SKIPPED),
        entry("C", 12),
        entry("D", None),
        entry("E", 9),
        entry("F", 0),
    ]
    page = overview.page(entries, Findings(), names=True)
    hashed = base64.b64encode(hashlib.sha256(CLICKS.encode()).digest()).decode()
    page = page.replace("script-src ", f"script-src 'sha256-{hashed}' ")
    page = page.replace("</html>", f"<script>{CLICKS}</script></html>")
    # No file, because a browser in a snap reads none of /tmp.
    address = "data:text/html;base64," + base64.b64encode(page.encode()).decode()
    words = ["--headless", "--no-sandbox", f"--user-data-dir={tmp_path}", "--dump-dom"]
    done = subprocess.run(
        [browser, *words, address], capture_output=True, check=True, timeout=SECONDS
    )
    seen = done.stdout.decode().partition("<body>")[2].partition("</body>")[0]
    assert json.loads(seen) == [
        ["FECBAD", [[0, "descending"]]],
        ["ABCEFD", [[0, "ascending"]]],
        ["BFAECD", [[1, "ascending"]]],
        ["CAEBFD", [[1, "descending"]]],
        ["BFAECD", [[2, "ascending"]]],
        ["CAEFBD", [[2, "descending"]]],
        ["ABCEFD", [[0, "ascending"]]],
    ]
