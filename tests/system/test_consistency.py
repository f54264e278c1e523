"""In the consistency pass, a part that answers otherwise than before loses points."""

import pytest

LIARS = {
    # Right for the 14 calls of the first two checks, then wrong.
    "sync_target": """
ASKED = []
own_sync_target = sync_target
def sync_target(theta_Q, theta_T, step, period):
    ASKED.append(1)
    return own_sync_target(theta_Q, theta_T, step if len(ASKED) < 15 else 1, period)
""",
    # Right in the first two exported programs, then wrong.
    "update_Q_TD0": """
ASKED = []
own_update = update_Q_TD0
def update_Q_TD0(Q, *others):
    ASKED.append(1)
    return own_update(Q, *others) + (len(ASKED) > 2)
""",
}


@pytest.mark.parametrize("exercise", LIARS)
def test_right_at_first(hand_in, graded, exercise):
    """A part that is right only in its first calls gets 0 points.

    Without the consistency pass, the part would get points.
    """
    path = hand_in(after=LIARS[exercise])
    once, twice = (
        graded(path, exercise, twice=again)["exercises"][0] for again in (False, True)
    )
    assert once["score"] > 0
    assert twice["score"] == 0
    passed = [check["name"] for check in once["checks"] if check["outcome"] == "passed"]
    for check in twice["checks"]:
        if check["name"] in passed:
            assert "answers to identical questions differ" in check["message"]


def test_right_each_time(hand_in, graded, points):
    """The solution keeps full points if the consistency pass is run, too."""
    exercises = ("update_Q_TD0", "replay_buffer", "sync_target")
    report = graded(hand_in(), *exercises, twice=True)
    assert report["score"] == sum(points[name] for name in exercises)
