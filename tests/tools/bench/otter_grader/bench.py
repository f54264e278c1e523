"""Compare the time of our grader and of otter-grader (`make bench OTTER=1`).

Both graders run the same ten of our checks. Otter-grader runs them with `otter run`, as
on Gradescope: in the process that executes the hand-in. Our grader runs them with
helper processes and a sandbox, and adds the consistency pass. Each hand-in is graded
first by our grader and then by otter-grader. A ratio compares the two times for the
same hand-in.
"""

import json
import os
import statistics
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]

from tests.corpus.mutants import MUTANTS
from tests.support.edits import SOLUTION
from tests.tools.bench.otter_grader.ten import TEN
from tests.tools.bench.overhead import timed

PAIRS = int(os.environ.get("PAIRS", "5"))
OTTER = ROOT / ".venv-otter" / "bin" / "otter"
TEST_FILE = """
from otter.test_files import test_case

OK_FORMAT = False
name = "{exercise} {check}"
points = 1


@test_case(points=1)
def check():
    import sys

    sys.path.insert(0, {here!r})
    import ten

    ten.run_one({exercise!r}, {check!r}, "dqn.py")
"""


def main() -> None:
    """Grade a right and a wrong hand-in with both graders; print times and ratios."""
    (wrong,) = (m.source for m in MUTANTS if m.id == "td-no-mask")
    ratios: list[float] = []
    seconds: dict[str, list[float]] = {"ours": [], "otter-grader": []}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_tests(folder / "autograder.zip")
        for pair in range(PAIRS):
            for kind, source in (("right", SOLUTION), ("wrong", wrong)):
                hand_in = folder / "dqn.py"
                hand_in.write_text(source, encoding="utf-8")
                ours, passed = by_ours(hand_in)
                theirs, told = by_otter(hand_in, folder)
                print(
                    f"pair {pair + 1}, {kind}: ours {ours:.1f} s, {passed} of 10 pass; "
                    f"otter-grader {theirs:.1f} s, {told} of 10",
                    flush=True,
                )
                seconds["ours"].append(ours)
                seconds["otter-grader"].append(theirs)
                ratios.append(theirs / ours)
    for name, values in seconds.items():
        rate = 60 / statistics.median(values)
        print(f"{name}: {rate:.1f} hand-ins a minute, one after the other")
    low, high = min(ratios), max(ratios)
    median = statistics.median(ratios)
    print(f"otter-grader / ours: {median:.2f} ({low:.2f} to {high:.2f})")


def write_tests(path: Path) -> None:
    """Write otter-grader's configuration: a zip file with a test file for each check.

    Args:
        path: the path of the zip file.
    """
    settings = {"logo": False, "print_summary": False, "print_score": False}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("otter_config.json", json.dumps(settings))
        for exercise, names in TEN.items():
            for check in names:
                text = TEST_FILE.format(exercise=exercise, check=check, here=str(HERE))
                archive.writestr(f"tests/{exercise}_{check}.py", text)


def by_ours(hand_in: Path) -> tuple[float, int]:
    """Grade with our grader; return the seconds and how many of the ten checks pass.

    Args:
        hand_in: the path of the hand-in's file.
    """
    seconds, printed = timed([sys.executable, str(HERE / "ten.py"), str(hand_in)])
    return seconds, json.loads(printed.splitlines()[-1])["passed"]


def by_otter(hand_in: Path, folder: Path) -> tuple[float, int]:
    """Grade with otter-grader; return the seconds and how many of the ten checks pass.

    Args:
        hand_in: the path of the hand-in's file.
        folder: the folder with autograder.zip; otter-grader also writes its results
            there.
    """
    command = [str(OTTER), "run", "-a", str(folder / "autograder.zip")]
    seconds, _ = timed([*command, "-o", str(folder), str(hand_in)])
    told = json.loads((folder / "results.json").read_text("utf-8"))
    return seconds, sum(test["score"] > 0 for test in told["tests"] if "score" in test)


if __name__ == "__main__":
    main()
