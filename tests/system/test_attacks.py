"""The grader withstands attacks: `make attacks` carries out all, two are here."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest

from grader.sandbox import tiers
from tests.support.attack_runs import (
    CANARY,
    TESTS,
    TIERS,
    Attack,
    Run,
    all_attacks,
    attack,
    broken,
    carried_out,
    changed_next,
    first_report,
    problems,
    verdict,
)
from tests.support.handins import checks_of

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="attacks on Linux' processes; CI runs them"
)

ATTACKS = all_attacks()
EVERY = 32  # `make attacks` runs all of them; here it is one of so many, in turn
SOME = [
    pytest.param(one, tier, id=f"{one.name}-{tier}")
    for one in ATTACKS[::EVERY]
    for tier in TIERS
    if tier not in one.not_run
]


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest) -> Iterator[dict[tuple[str, str], Future]]:
    """The gradings of all attacks that are to be tested, in the background."""
    asked = [
        (params["one"], params["tier"])
        for item in request.session.items
        if item.module is request.module
        and "one" in (params := getattr(getattr(item, "callspec", None), "params", {}))
        and not (params["tier"] == "bwrap" and tiers.why_no_bwrap())
    ]
    for tier in {tier for _, tier in asked}:
        first_report(tier)
    with ThreadPoolExecutor(2) as pool:
        yield {(a.name, tier): pool.submit(carried_out, a, tier) for a, tier in asked}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(("one", "tier"), SOME)
def test_attack(one: Attack, tier: str, runs: dict, request) -> None:
    """What its docstring says holds."""
    if tier == "bwrap":
        request.getfixturevalue("bwrap")
    found = problems(one, tier, runs[one.name, tier].result())
    assert not verdict(one, tier, found)


@pytest.mark.parametrize("tier", TIERS)
def test_next_report_is_unchanged(tier: str, runs: dict, request) -> None:
    """After all these, an honest hand-in gets the report that it got before."""
    if tier == "bwrap":
        request.getfixturevalue("bwrap")
    for future in runs.values():
        future.result()
    assert not changed_next(tier)


# ----------------------------------------------------------- what is looked for is seen

EXAMPLE = attack(
    "example",
    "A trick.\n\nRows: 1\nGrade: sync_target\nAsserts: S R L T\nSays: tried",
    lambda folder, places: folder,
)
NAMES = checks_of("sync_target")
CHECK = {"outcome": "failed", "score": 0, "max_score": 1, "message": "wrong"}
GOOD = {
    "sandbox": "process",
    "score": 0,
    "exercises": [
        {"name": "sync_target", "checks": [{**CHECK, "name": name} for name in NAMES]}
    ],
}


def run_with(
    code: int | None = 0, out: str = "", left: tuple = (), **check: object
) -> Run:
    """What a grading leaves whose first check has other values."""
    document = json.loads(json.dumps(GOOD))
    document["exercises"][0]["checks"][0] |= {"message": "tried", **check}
    document["score"] = check.get("score", 0)
    return Run(code, out, "", json.dumps(document), list(left))


BAD = {
    "S": [run_with(score=1)],
    "R": [
        *(run_with(code=2), replace(run_with(), report=""), run_with(name="other")),
        *(run_with(outcome="grader_error"), run_with(message=""), run_with(score=2)),
        *(run_with(message="tried\x1b[2J"), run_with(message="tried \ud800")),
        *(run_with(out="a\n  ::error::\n"), run_with(out="a ##[error]")),
        replace(run_with(), report='{"exercises": NaN}'),
    ],
    "L": [run_with(message=f"tried {CANARY}"), run_with(out="BREACH")],
    "T": [run_with(code=None), run_with(left=("sleep 9",))],
    "said": [run_with(message="NameError")],
}


@pytest.mark.parametrize(
    ("letter", "run"), [(letter, run) for letter, runs in BAD.items() for run in runs]
)
def test_what_does_not_hold_is_found(letter: str, run: Run, monkeypatch) -> None:
    """A grading that an attack has got the better of is told from others."""
    monkeypatch.setattr("tests.support.attack_runs.twin_score", lambda *_: 0.0)
    assert not problems(EXAMPLE, "process", run_with())
    found = problems(EXAMPLE, "process", run)
    assert letter in found
    assert (letter in broken(EXAMPLE, found)) == (letter != "said")
    assert verdict(EXAMPLE, "process", found)
    for kind in ("breaks", "may_break"):
        told = replace(EXAMPLE, **{kind: {"process": ("L", "why")}})
        assert bool(verdict(told, "process", found)) == (letter != "L")
        assert bool(verdict(told, "bwrap", found))
        assert not verdict(told, "process", {})  # it may hold


# ---------------------------------------------------- what is written is measured


def test_survivors_are_found_and_ended() -> None:
    """A process that has left its session is listed, and gone afterwards."""
    code = "import os\nif os.fork() == 0:\n    os.setsid()\n    "
    code += "os.fork() or os.execlp('sleep', 'sleep', '6' + '0' * 8)\nprint('ended')"
    supervisor = [
        sys.executable,
        "-I",
        "-S",
        str(TESTS / "support" / "supervisor.py"),
        "60",
    ]
    done = subprocess.run(
        [*supervisor, sys.executable, "-c", code], capture_output=True, check=True
    )
    told = json.loads(done.stdout)
    assert told["code"] == 0
    assert told["survivors"] == ["sleep 600000000"]
