"""The causes of failed learning are found from the numbers of a training run."""

import importlib.util
import math

import numpy as np
import pytest

from grader.diagnosis import learning_failures, learning_rules, learning_run
from tests.support.edits import ROOT

# The steps at which the numbers below were read off real training runs.
STEPS = [256, 1024, 4096, 8192, 16384, 32768, 49920]
ALL = dict.fromkeys(learning_failures.LEARN, True)
LOW = [9] * 24

# The numbers of a right hand-in, from a run without luck.
RIGHT = {
    "loss": [0.07, 0.2, 0.5, 1.1, 0.4, 0.5, 0.4],
    "largest_loss": [1.1, 0.97, 2.3, 8.3, 8.2, 5.1, 4.0],
    "greedy": [0.57, 0.55, 0.73, 0.99, 0.98, 1, 0.98],
    "q": [1.06, 3.85, 14.6, 28.2, 45.1, 54.5, 64.3],
    "largest_q": [1.18, 4.12, 16.8, 33.2, 60.2, 89.6, 93.8],
    "q_at_end": [1.06, 2.6, 2.83, 4.38, 3.12, 2.03, 1.77],
    "same_best": [0.9, 0.52, 0.52, 0.52, 0.82, 0.74, 0.55],
    "moved": [0.13, 0.64, 2.75, 5.3, 8.9, 12.8, 13],
    "synced": [1] * 7,
}


def run_of(curve: list, mean_return: float, problem: str = "", **columns: list):
    """Return a training run.

    Args:
        curve: the mean return at every 2048th step.
        mean_return: the mean return at the end.
        problem: the reason why the run was stopped; "" if it was not.
        columns: the numbers at `STEPS`, for each column that differs from `RIGHT`; the
            numbers between are interpolated.
    """
    blocks = np.arange(256, STEPS[-1] + 1, 256)
    columns = {
        name: np.interp(blocks, STEPS, np.array(numbers, float))
        for name, numbers in {**RIGHT, **columns}.items()
    }
    columns["env_step"] = blocks
    points = [(2048.0 * (i + 1), float(mean)) for i, mean in enumerate(curve)]
    points = np.array(points).reshape(-1, 2)
    return learning_run.Watched(columns, points, mean_return, problem)


def shortened(run: learning_run.Watched, blocks: int) -> learning_run.Watched:
    """Return the run as if learning was stopped after some blocks of updates."""
    columns = {name: column[:blocks] for name, column in run.columns.items()}
    return learning_run.Watched(columns, run.curve[: blocks // 8], 0.0, "stopped")


NAN = [math.nan] * 7
TINY = [0.07, 0.05, 0.06, 0.05, 0.05, 0.05, 0.05]
# By the mistake that caused the numbers: the run, the words that the message has to
# hold, and the exercises that the message has to name.
CAUSES = {
    "td-no-mask": (
        run_of(
            LOW,
            9.3,
            loss=[0.06, 0.04, 0.08, 0.5, 111, 2.6e5, 2e7],
            largest_loss=[1.1, 1, 1.9, 12.8, 2.4e3, 4.9e6, 3e8],
            q=[1.07, 4.1, 18, 57, 679, 4.1e4, 6.9e5],
            largest_q=[1.2, 4.7, 25, 88, 1130, 5.7e4, 8.1e5],
            q_at_end=[1.1, 4.2, 20, 68, 922, 5.2e4, 7.7e5],
        ),
        ["ends the episode, Q(s, a) is its reward, 1", "8.1e5", "¬d is missing"],
        ["td_loss"],
    ),
    "td-no-mask, that settles": (
        run_of(
            LOW,
            9.3,
            q=[1.1, 4.1, 18, 57, 95, 99, 100],
            largest_q=[1.2, 4.7, 25, 88, 101, 102, 104],
            q_at_end=[1.1, 4.2, 20, 68, 94, 98, 99],
        ),
        ["yours was 98", "1/(1−γ) = 100", "¬d is missing"],
        ["td_loss"],
    ),
    "td-mask-inverted": (
        run_of(
            LOW,
            9.5,
            q=[1, 1.1, 7.5, 343, 2e4, 2e4, 1.3e5],
            largest_q=[1.1, 2.6, 152, 5640, 2.2e5, 3e5, 1.9e6],
            q_at_end=[1, 1.6, 53, 2890, 8.3e4, 8.4e4, 5e5],
        ),
        ["ends the episode", "the wrong way round"],
        ["td_loss"],
    ),
    "td-states-swapped": (
        run_of(
            LOW,
            9.5,
            q=[1.1, 3.9, 18, 105, 7890, 7.4e4, 6.6e4],
            largest_q=[1.2, 4.2, 23, 223, 1.2e4, 7.9e4, 9e4],
            q_at_end=[1.1, 2.9, 12.7, 73, 3270, 5.6e4, 5.5e4],
        ),
        ["deadly triad", "worth more than 1/(1−γ) = 100"],
        ["td_loss", "sync_target"],
    ),
    "up-theta-swapped": (
        run_of(
            LOW,
            9.3,
            loss=[2e3, 1.1e8, 1.9e9, 1.6e8, 2.5e7, 3e6, 9e6],
            q=[115, 3.6e4, 1.6e5, 3.7e4, 2.1e4, 1040, -3980],
            largest_q=[252, 7e4, 2.1e5, 6.4e4, 2.7e4, 6110, 8890],
            q_at_end=[180, 3.7e4, 1.5e5, 4e4, 2e4, -3870, -4890],
        ),
        ["252 by step 256", "rise by 1 from sync to sync", "θ_Q for θ_T"],
        ["td_loss", "td_update"],
    ),
    "td-negative": (
        run_of(
            LOW,
            9.3,
            loss=[-2e4, -4.7e8, -6e12, -4e14, -1e16, -4e15, -3e17],
            q=[-412, -5e4, -3e6, -3e7, -2e8, -6e7, -4e8],
            largest_q=[1030, 2e5, 2e7, 1e8, 5e8, 4e8, 4e9],
            q_at_end=[-611, -7e4, -9e6, -6e7, -4e8, -8e4, -7e8],
        ),
        ["The loss was −20000 by step 256", "a sign"],
        ["td_loss"],
    ),
    "up-returns-old": (
        run_of(LOW, 9.3, moved=[0] * 7, q=TINY, largest_q=TINY, q_at_end=TINY),
        ["θ_Q did not move", "td_update returns the θ_Q that it was given"],
        ["td_update", "td_loss"],
    ),
    "sync-never": (
        run_of(
            [60, 43, 50, 56, 59, 48, 45, 53, 66, 72, 52, 47, 49, 44, 47, 73, 46, 61],
            91.8,
            q=[1.07] * 7,
            largest_q=[1.2] * 7,
            q_at_end=[1.03] * 7,
            synced=[0] * 7,
        ),
        ["sync_target answered θ_Q 0 of 194 times", "stayed about 1.07"],
        ["sync_target"],
    ),
    "argmin": (
        run_of(
            [166, 159, 203, 151, 124, 115, 125, 226, 143, 67, 12, 10, 9, 9, 9, 9],
            9.5,
            greedy=[0.52, 0.46, 0.3, 0.02, 0.02, 0.01, 0.02],
            largest_q=[1.2, 4.3, 17, 32, 61, 221, 1.1e6],
        ),
        ["With ε = 0.04, 2% of the actions were arg max Q", "arg min"],
        ["epsilon_greedy"],
    ),
    "never-greedy": (
        run_of(
            [188, 128, 151, 268, 142, 108, 233, 163, 85, 81, 100, 104, 107, 60, 78, 88],
            93.8,
            greedy=[0.52, 0.53, 0.63, 0.45, 0.61, 0.5, 0.54],
            largest_q=[1.2, 4.4, 18, 35, 72, 144, 375],
        ),
        ["of the actions were arg max Q; 98% should be", "explores whatever ε is"],
        ["epsilon_greedy"],
    ),
    "never-random": (
        run_of(LOW, 9.3, greedy=[1] * 7, q=[1, 3.1, 4.9, 5.6, 5.1, 4.6, 4.5]),
        ["With ε near 1, 100% of the actions", "never explores"],
        ["epsilon_greedy"],
    ),
    "drops-terminal": (
        run_of(LOW, 9.3, q_at_end=NAN),
        ["never returned a transition that ends an episode", "the last step"],
        ["replay_buffer"],
    ),
    "td-argmax": (
        run_of(
            [9, 14, 24, 73, 74, 69, 9, 9, 10, 19, 21, 35, 12, 15, 9, 13, 35, 9, 13, 19],
            39.5,
            q=[1.9, 1.4, 1.5, 1.8, 1.4, 1.4, 1.3],
            largest_q=[2.1, 2.7, 2.3, 2.1, 2.1, 2.2, 2.1],
            q_at_end=[1.4, 1.5, 1.4, 1.3, 1.1, 1.1, 1.1],
        ),
        ["max Q stayed about 1.3", "an index for the value"],
        ["td_loss", "q_network"],
    ),
    "td-paren-lost": (
        run_of(
            [11, 9, 9, 9, 12, 22, 9, 9, 12, 10, 30, 13, 88, 49, 99, 22, 48, 10, 82, 9],
            99.2,
            q=[0.94, 0.7, 0.6, 0.5, 0.52, 0.52, 0.54],
            largest_q=[1.07, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1],
            q_at_end=[0.94, 0.8, 0.8, 0.76, 0.76, 0.76, 0.76],
        ),
        ["max Q stayed about 0.53", "a sign"],
        ["td_loss", "q_network"],
    ),
    "td-B1-B": (
        run_of(
            LOW,
            9.5,
            q=[1.06, 3.6, 11.3, 14.2, 10.1, 9.3, 9.4],
            largest_q=[1.2, 3.7, 11.4, 14.4, 10.2, 9.4, 9.5],
            q_at_end=[1.06, 3.6, 11.2, 14.1, 10, 9.2, 9.3],
        ),
        ["Q is nearly the same in all states", "[B] and [B, 1]"],
        ["td_loss", "q_network"],
    ),
    "part-of-state": (
        run_of(
            [156, 171, 221, 199, 205, 290, 230, 360, 232, 443, 50, 139, 361, 351, 158],
            196.8,
            q=[1.06, 3.8, 14, 30, 55, 68, 71.7],
            q_at_end=[1.06, 3.6, 12, 27, 50, 63, 66.7],
        ),
        ["Q is nearly the same in all states", "a part of the state left out"],
        ["td_loss", "q_network"],
    ),
    "td-s-for-next": (
        run_of([11, 46, *LOW[2:]], 9.3),
        ["more steps, but the greedy policy lasts 9", "of the same transition"],
        ["td_loss", "replay_buffer"],
    ),
    "up-opt-reinit": (
        run_of(
            [238, 175, 139, 242, 200, 143, 240, 389, 349, 215, 253, 195, 110, 124, 116],
            120.5,
            largest_q=[1.1, 4, 16, 32, 45, 84, 184],
        ),
        ["reached 389 at step 16384 and lost it again: 120 in the end"],
        ["td_update", "sync_target", "replay_buffer"],
    ),
    "slower than expected": (
        run_of(
            [9, 12, 18, 22, 25, 31, 40, 52, 60, 75, 90, 120],
            140.0,
            q=[0.3, 1, 5, 12, 20, 28, 35],
        ),
        ["The return rises, from 15 to 86", "budget of 49920 steps ended first"],
        ["td_update", "replay_buffer", "td_loss"],
    ),
    "a constant action": (
        run_of(LOW, 9.3, q=[1, 3, 6, 9, 9.2, 9.3, 9.3], same_best=[1] * 7),
        ["stayed about 9, as of a constant action", "in 100% of the states"],
        ["td_loss", "replay_buffer", "q_network"],
    ),
    "random behaviour": (
        run_of([22, 21, 24, 20, 23] * 4, 22.4, q=[1, 3, 6, 12, 18, 19, 19]),
        ["stayed about 22, as of random actions"],
        ["td_loss", "replay_buffer", "q_network"],
    ),
    "NaN at once": (
        run_of([], 0.0, "the Q values became NaN", loss=NAN, largest_loss=NAN),
        ["NaN or infinite by step 256, at once", "a division by 0"],
        ["td_loss", "td_update"],
    ),
    "NaN in the midst": (
        run_of([9] * 3, 0.0, "the Q values became NaN", moved=[1, 1, 2, *NAN[:4]]),
        ["NaN or infinite by step 4352; no loss was above", "a division by 0"],
        ["td_loss", "td_update"],
    ),
    "NaN after growth": (
        run_of(
            [9] * 3,
            0.0,
            "the Q values became NaN",
            largest_loss=[2e3, 1e18, 1e30, *NAN[:4]],
            largest_q=[252, 1e9, 1e15, *NAN[:4]],
        ),
        ["252 by step 256", "rise by 1 from sync to sync"],
        ["td_loss", "td_update"],
    ),
}


@pytest.mark.parametrize(("run", "words", "exercises"), CAUSES.values(), ids=CAUSES)
def test_cause(run, words, exercises):
    """The message holds the cause, its numbers, and the exercises to look at."""
    text = learning_failures.explanation(run, {})
    for word in words:
        assert word in text
    found = [name for name in ALL if f"ONLY={name}`" in text]
    assert sorted(found) == sorted(exercises)


def test_causes_are_told_apart():
    """Mistakes have different messages, except for mistakes that look alike."""
    usual = {
        id: learning_failures.explanation(run, {}).split("\n")[1]
        for id, (run, _, _) in CAUSES.items()
    }
    alike = [
        {"td-no-mask", "td-no-mask, that settles", "td-mask-inverted"},
        {"NaN at once", "NaN in the midst"},
        {"up-theta-swapped", "NaN after growth"},
        {"td-argmax", "td-paren-lost"},
        {"td-B1-B", "part-of-state"},
    ]
    assert len(set(usual.values())) == len(usual) - sum(len(ids) - 1 for ids in alike)


def test_right_work_gets_no_message():
    """A run with the numbers of right work has no message."""
    curve = [214, 168, 167, 180, 267, 140, 118, 108, 155, 132, 148, 146, 111, 174]
    assert learning_failures.explanation(run_of(curve, 180.0), {}) == ""


@pytest.mark.parametrize("blocks", [1, 2, 3, 12])
def test_a_run_that_was_stopped(blocks):
    """A right run that was stopped early has no message."""
    assert learning_failures.explanation(shortened(run_of(LOW, 0.0), blocks), {}) == ""


@pytest.mark.parametrize(
    ("problem", "exercise"),
    [
        ("sample returned a transition that is not in the buffer", "replay_buffer"),
        ("sync_target returned neither theta_Q nor theta_T", "sync_target"),
        (
            "td_update does not make the optimizer's step on its loss: 4 of 4",
            "td_update",
        ),
    ],
)
def test_what_stopped_learning_leads_somewhere(problem, exercise):
    """If learning was stopped at once, the message names the part that is the cause."""
    run = learning_run.Watched(
        shortened(run_of(LOW, 0.0), 0).columns, LOW, 0.0, problem
    )
    assert f"`make grade ONLY={exercise}`" in learning_failures.explanation(run, {})


def test_checks_above_are_named():
    """The message names exercises that lost points: the cause's, or else any others."""
    run = CAUSES["up-theta-swapped"][0]
    last = [
        learning_failures.explanation(run, {**ALL, **dict.fromkeys(lost, False)}).split(
            "\n"
        )[-1]
        for lost in (["td_update"], ["td_loss", "td_update"], ["q_network"])
    ]
    begin = "lost points above: begin there."
    assert last[0] == f"td_update {begin}"
    assert last[1] == f"td_loss and td_update {begin}"
    assert last[2] == f"q_network {begin}"
    assert "above" not in learning_failures.explanation(run, ALL)


def test_the_loop_is_as_presumed():
    """The constants of the diagnosis are the settings of the training loop."""
    spec = importlib.util.spec_from_file_location("train", ROOT / "starter/train.py")
    train = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(train)
    assert train.SETTINGS.gamma == learning_run.GAMMA
    assert train.SETTINGS.epsilon_end == learning_rules.EPSILON
    assert train.SETTINGS.epsilon_steps <= learning_rules.EXPLORED
    assert train.SETTINGS.block_updates == train.SETTINGS.period  # one sync a block
