"""What the README shows is what its commands print."""

import os
import re
import subprocess
import sys
from pathlib import Path

from edits import edited

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_shows_the_real_output_of_make_grade(tmp_path):
    """The block under `make grade` is what grading the starter prints."""
    block = re.search(r"<!-- make grade -->\n```\n(.*?)```", README, re.S)
    assert block is not None
    printed = subprocess.run(
        [sys.executable, "-m", "grader", "grade", str(ROOT / "starter")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert essence(printed) == essence(block[1])


def test_readme_shows_a_real_mistake(tmp_path):
    """The block under "a mistake" is what that mistake's report says."""
    block = re.search(r"<!-- a mistake -->\n```\n(.*?)```", README, re.S)
    assert block is not None
    wrong = edited("td_loss", ("not_terminated * gamma *", "gamma *"))
    (tmp_path / "dqn.py").write_text(wrong)
    printed = subprocess.run(
        [sys.executable, "-m", "grader", "grade", "dqn.py", "--only", "td_loss"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert essence(block[1])
    assert set(essence(block[1])) <= set(essence(printed))


def essence(text: str) -> list[str]:
    """The lines that do not change from run to run, numbers to four digits."""
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
