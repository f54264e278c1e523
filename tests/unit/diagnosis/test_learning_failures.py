"""The message about a failed training names the cause.

The cause is found in the training's log, which has numbers such as losses and values.
"""

import math
from dataclasses import replace

import numpy as np
import pytest

from grader.diagnosis import learning_failures, learning_run
from grader.oracle.learning.results import Formula
from tests.support.supplied import imported

ALL: dict[str, str | None] = dict.fromkeys(learning_failures.LEARN)
LOW = [-35.0] * 8
# The shares of a training at which the numbers below were read off real training runs.
SHARES = np.linspace(0, 1, 8)
BLOCKS = {"maze": 64, "cartpole": 780}
VALIDATIONS = {"maze": 512, "cartpole": 1024}  # steps between two validations

# The numbers of a right hand-in that needed the whole training.
RIGHT = {
    "maze": {
        "loss": [0.17, 0.11, 0.26, 0.28, 0.28, 0.29, 0.21, 0.13],
        "largest_loss": [0.91, 0.94, 1.07, 0.67, 0.48, 0.54, 0.36, 0.23],
        "greedy": [0.5, 0.57, 0.72, 0.78, 0.86, 0.95, 0.97, 0.99],
        "q": [-1.79, -2.63, -5.08, -4.43, -4.44, -4.57, -4.7, -3.85],
        "largest_q": [2.4, 3.19, 6.14, 6.26, 7.82, 9.26, 11, 10.2],
        "q_at_end": [-1.65, -1.93, -2.66, -1.5, -1.01, -1.06, -0.99, -1.08],
        "same_best": [0.9, 0.55, 0.53, 0.6, 0.64, 0.59, 0.53, 0.64],
        "moved": [0.11, 0.22, 0.47, 0.64, 0.82, 0.91, 1.15, 1.23],
        "synced": [1] * 8,
    },
    "cartpole": {
        "loss": [0.07, 0.2, 0.5, 1.1, 0.4, 0.5, 0.4, 0.4],
        "largest_loss": [1.1, 0.97, 2.3, 8.3, 8.2, 5.1, 4.0, 4.0],
        "greedy": [0.57, 0.98, 0.98, 0.99, 0.98, 1, 0.98, 0.98],
        "q": [1.06, 3.85, 14.6, 28.2, 45.1, 54.5, 64.3, 66],
        "largest_q": [1.18, 4.12, 16.8, 33.2, 60.2, 89.6, 93.8, 94],
        "q_at_end": [1.06, 2.6, 2.83, 4.38, 3.12, 2.03, 1.77, 1.5],
        "same_best": [0.9, 0.52, 0.52, 0.52, 0.82, 0.74, 0.55, 0.6],
        "moved": [0.13, 0.64, 2.75, 5.3, 8.9, 12.8, 13, 13],
        "synced": [1] * 8,
    },
}


def run_of(
    task: str, curve: list, mean_return: float, problem: str = "", **columns: list
) -> learning_run.Watched:
    """Return the log of a training that was not cut short.

    Args:
        task: "maze" or "cartpole".
        curve: the mean return of each validation.
        mean_return: the mean return at the end.
        problem: why the training was stopped; "" if it was not stopped.
        columns: columns of the log that differ from `RIGHT`, by name. A list has 8
            numbers, evenly spread over the training; numbers between them are
            interpolated.
    """
    blocks = np.arange(BLOCKS[task])
    columns = {
        name: np.interp(blocks, SHARES * blocks[-1], np.array(numbers, float))
        for name, numbers in {**RIGHT[task], **columns}.items()
    }
    columns["env_step"] = learning_run.BLOCK_STEPS * (blocks + 1.0)
    points = [(VALIDATIONS[task] * (i + 1.0), mean) for i, mean in enumerate(curve)]
    points = np.array(points, float).reshape(-1, 2)
    return learning_run.Watched(task, columns, points, mean_return, problem)


def maze_run(**columns: list) -> learning_run.Watched:
    """Return the log of a training that has not learned the maze.

    Args:
        columns: columns of the log that differ from `RIGHT`, as for `run_of`.
    """
    return run_of("maze", LOW, -35.0, **columns)


def shortened(run: learning_run.Watched, blocks: int) -> learning_run.Watched:
    """Return the log of a training that stops after some blocks of updates.

    Args:
        run: the log of the whole training.
        blocks: number of blocks that are kept.
    """
    columns = {name: column[:blocks] for name, column in run.columns.items()}
    return replace(run, columns=columns, curve=run.curve[: blocks // 8])


NAN = [math.nan] * 8
FLAT = [9.0] * 48
# By the mistake that caused the numbers: the run, the words that the message has to
# hold, and the exercises that the message has to name.
CAUSES = {
    "sync-never": (
        maze_run(synced=[0] * 8, q=[-0.9] * 8, largest_q=[1.03] * 8),
        ["a multiple of `period` 81 times", "returned θ_Q in 0 of them"],
        ["sync_target"],
    ),
    "every second sync is missed": (
        maze_run(synced=[0.5] * 8),
        ["a multiple of `period` 81 times", "returned θ_Q in 40 of them"],
        ["sync_target"],
    ),
    "never-random": (
        run_of("cartpole", FLAT, 9.3, greedy=[1] * 8, same_best=[1] * 8),
        ["In the first 256 steps", "arg max Q in 100% of the states", "never explores"],
        ["epsilon_greedy"],
    ),
    "argmin": (
        run_of("cartpole", FLAT, 9.5, greedy=[0.5, *[0.02] * 7]),
        ["With ε = 0.04", "arg max Q in 3% of the states; 98% is right", "arg min"],
        ["epsilon_greedy"],
    ),
    "never-greedy": (
        maze_run(greedy=[0.5, 0.53, 0.53, 0.5, 0.52, 0.5, 0.54, 0.5]),
        ["With ε = 0.04", "explores whatever ε is"],
        ["epsilon_greedy"],
    ),
    "NaN in the network": (
        run_of("maze", [], 0.0, "the Q values became NaN", loss=NAN, largest_loss=NAN),
        ["By step 64 the loss, Q or θ_Q was NaN", "a division by 0"],
        ["q_network"],
    ),
    "a network without gradient": (
        maze_run(moved=[0] * 8),
        ["θ_Q did not move", "the gradient of the loss was 0"],
        ["q_network"],
    ),
    "out-tanh": (
        maze_run(q=[-1] * 8, largest_q=[1] * 8, q_at_end=[-1] * 8),
        ["the largest |Q(s, a)| was 1; right values are −1 beside the exit", "tanh"],
        ["q_network"],
    ),
    "out-tanh on CartPole": (
        run_of("cartpole", FLAT, 9.5, q=[1] * 8, largest_q=[1] * 8),
        ["the largest |Q(s, a)| was 1; right values grow above 50", "tanh"],
        ["q_network"],
    ),
    "out-scaled-sigmoid": (
        maze_run(
            q=[269, 266, 275, 271, 266, 255, 249, 245],
            largest_q=[330, 293, 302, 292, 290, 286, 266, 263],
            q_at_end=[69, 19, 18, 14, 14, 13, 12, 10],
        ),
        ["max Q(s, ·) was 248 on average", "no right value is above 0"],
        ["q_network"],
    ),
    "net-zeros": (
        maze_run(
            q=[-0.12, -0.62, -1.12, -1.74, -2.22, -2.82, -3.29, -3.89],
            largest_q=[0.13, 0.63, 1.13, 1.74, 2.23, 2.83, 3.32, 3.9],
            q_at_end=[-0.12, -0.63, -1.12, -1.74, -2.22, -2.83, -3.3, -3.89],
            same_best=[1] * 8,
        ),
        [
            "hardly differs from state to state: −3.39",
            "last step to the exit",
            "−1",
        ],
        ["q_network"],
    ),
    "linear": (
        maze_run(
            q=[-1.7, -5.3, -6.7, -8.8, -9.9, -9.9, -10, -10],
            largest_q=[2.1, 6.9, 8.9, 10.8, 12.7, 13.1, 13.5, 13.6],
            q_at_end=[-1.6, -4.8, -6.1, -8.1, -8.6, -8.8, -8.7, -8.3],
        ),
        [
            "hardly differs from state to state: −10",
            "no activation between the layers",
        ],
        ["q_network"],
    ),
    "a part of the state left out": (
        run_of(
            "cartpole",
            [156, 171, 221, 199, 205, 290, 230, 360] * 6,
            196.8,
            q=[1.06, 3.8, 14, 30, 55, 68, 71.7, 71.7],
            q_at_end=[1.06, 3.6, 12, 27, 50, 63, 66.7, 66.7],
        ),
        ["hardly differs from state to state", "the last step before the fall"],
        ["q_network"],
    ),
    "out-same-for-all": (
        maze_run(
            q=[-1.8, -6.1, -10.1, -12.5, -15.4, -15.8, -16.9, -20.7],
            largest_q=[2.1, 6.9, 12.2, 15.4, 19.8, 23.5, 25.3, 28.7],
            q_at_end=[-1.6, -4.1, -5, -5.7, -5.8, -6, -5.5, -4.9],
            same_best=[1] * 8,
        ),
        ["the same action was best in 100% of the states", "one value for all"],
        ["q_network", "epsilon_greedy"],
    ),
    "a return that is lost": (
        run_of("cartpole", [238, 175, 389, 215, 253, 195, 110, 124], 120.5),
        ["reached 389 at step 3072 and lost it again: 120 in the end"],
        ["sync_target", "epsilon_greedy", "q_network"],
    ),
    "slower than expected": (
        run_of("cartpole", [9, 12, 18, 22, 25, 31, 40, 52, 60, 75, 90, 120], 140.0),
        ["The return rises, from 15 to 86", "budget of 49920 steps ended first"],
        ["q_network", "epsilon_greedy", "sync_target"],
    ),
}


@pytest.mark.parametrize(("run", "words", "exercises"), CAUSES.values(), ids=CAUSES)
def test_cause(run, words, exercises):
    """The message names the cause with its numbers, and the exercises to look at."""
    text = learning_failures.explanation(run, {})
    for word in words:
        assert word in text
    found = [name for name in ALL if f"ONLY={name}`" in text]
    assert sorted(found) == sorted(exercises)


def test_causes_are_told_apart():
    """No two causes have the same explanation, except for causes with similar logs."""
    usual = {
        id: learning_failures.explanation(run, {}).split("\n")[1]
        for id, (run, _, _) in CAUSES.items()
    }
    alike = [
        {"sync-never", "every second sync is missed"},
        {"out-tanh", "out-tanh on CartPole"},
        {"net-zeros", "linear", "a part of the state left out"},
    ]
    assert len(set(usual.values())) == len(usual) - sum(len(ids) - 1 for ids in alike)


def test_tied_values_excuse_any_action():
    """If all Q(s, ·) are equal, each action is an arg max, so exploration is right."""
    greedy = [0.5, 0.53, 0.53, 0.5, 0.52, 0.5, 0.54, 0.5]
    text = learning_failures.explanation(maze_run(greedy=greedy, same_best=[1] * 8), {})
    assert "With ε" not in text


def test_without_a_cause_nothing_is_claimed():
    """If the log of a training shows no cause, the message says so and blames no part.

    If an exercise lost points, the message names this exercise. If all exercises have
    full points, the message says that the network may be too small.
    """
    for run in (maze_run(), run_of("cartpole", [214, 168, 140, 118] * 3, 150.0)):
        text = learning_failures.explanation(run, {})
        assert text.startswith("The numbers of the training do not show which part")
        assert "`make grade` checks each part" in text
        text = learning_failures.explanation(run, {**ALL, "replay_buffer": ""})
        assert text.endswith("replay_buffer lost points above: begin there.")
        assert "the network is too small" in learning_failures.explanation(run, ALL)


# Read off `make train TASK=maze` without ¬d.
NO_MASK = {
    "q": [-1.8, -36, -60, -76, -84, -88.8, -92.2, -94],
    "largest_q": [2.4, 37, 61, 77, 85, 89, 92.4, 94.1],
    "q_at_end": [-1.8, -36, -60, -76, -84, -88.9, -92.2, -94],
    "same_best": [0.9, 0.74, 0.82, 0.9, 0.53, 1, 0.84, 0.62],
}


@pytest.mark.parametrize(("task", "sign"), [("maze", 1), ("cartpole", -1)])
def test_q_of_a_task_that_never_ends(task, sign):
    """Where the updates are unchecked, ¬d is named if Q comes close to ±1/(1−γ).

    In exercise 9 the updates are right or their formula is shown, so ¬d is not named.
    """
    columns = {**NO_MASK}
    for name in ("q", "q_at_end"):
        columns[name] = [sign * value for value in NO_MASK[name]]
    run = run_of(task, LOW, 9.0, **columns)
    unchecked = replace(run, checked=False)
    text = learning_failures.explanation(unchecked, {})
    assert ("for −100 = −1/(1−γ)" if sign > 0 else "for 100 = 1/(1−γ)") in text
    assert ("−92.5 on average" if sign > 0 else "92.4 on average") in text
    assert "Usually ¬d is missing in td_loss" in text
    assert "`make grade ONLY=td_loss` and `make grade ONLY=replay_buffer`" in text
    assert learning_failures.explanation(replace(unchecked, by_formula=True), {})
    assert "¬d" not in learning_failures.explanation(run, {})
    assert "Q hardly differs" in learning_failures.explanation(run, {})


def test_other_large_q_is_not_that_of_a_task_without_end():
    """¬d is not named if Q is smaller, right in last steps, or positive in the maze."""
    for run, _, _ in CAUSES.values():
        text = learning_failures.explanation(replace(run, checked=False), {})
        assert "¬d" not in text
    good = {"q": [95] * 8, "largest_q": [99] * 8, "q_at_end": [2] * 8}
    higher = {"q": [190] * 8, "largest_q": [250] * 8, "q_at_end": [190] * 8}
    for columns in (good, higher):
        run = replace(run_of("cartpole", FLAT, 9.0, **columns), checked=False)
        assert "¬d" not in learning_failures.explanation(run, {})


def test_q_beyond_all_policies():
    """Where the updates are unchecked, an impossible |Q| leads to the labels.

    So it was in `make train` without ¬d; the rule is not for exercise 9.
    """
    grown = [2, 327, 3e4, 2e6, 1e7, 3e7, 6e7, 1e8]
    run = run_of("cartpole", FLAT, 9.4, q=grown, largest_q=grown, q_at_end=grown)
    text = learning_failures.explanation(replace(run, checked=False), {})
    assert "no policy has a |Q| above 100 = 1/(1−γ)" in text
    assert "`make grade ONLY=td_loss` and `make grade ONLY=sync_target`" in text
    assert "no policy" not in learning_failures.explanation(run, {})


@pytest.mark.parametrize("blocks", [1, 2, 3, 12])
def test_a_run_that_was_stopped(blocks):
    """If a part stopped the training, the message names the exercise of this part.

    No other exercise is named.
    """
    run = replace(shortened(maze_run(), blocks), problem="sample returned nothing")
    assert learning_failures.explanation(run, {}) == (
        "To see more: `make grade ONLY=replay_buffer`."
    )


@pytest.mark.parametrize(
    ("problem", "exercise"),
    [
        ("sample returned a transition that is not in the buffer", "replay_buffer"),
        ("sync_target returned neither theta_Q nor theta_T", "sync_target"),
        ("epsilon_greedy chose action 2 of 0 and 1", "epsilon_greedy"),
        ("the Q values became NaN or infinite during training", "q_network"),
        ("the untrained network already solves every task", "q_network"),
    ],
)
def test_what_stopped_learning_leads_somewhere(problem, exercise):
    """If a problem stops training at once, the message names an exercise to check."""
    run = replace(shortened(maze_run(), 0), problem=problem)
    assert f"`make grade ONLY={exercise}`" in learning_failures.explanation(run, {})


def test_checks_above_are_named():
    """Of the exercises that can be the cause, the message names those that lost points.

    If none of them lost points, it names other exercises that lost points.
    """
    run = CAUSES["a return that is lost"][0]
    last = [
        learning_failures.explanation(run, {**ALL, **dict.fromkeys(lost, "")}).split(
            "\n"
        )[-1]
        for lost in (["q_network"], ["sync_target", "q_network"], ["td_loss"])
    ]
    begin = "lost points above: begin there."
    hinted = {**ALL, "sync_target": "It never syncs.", "td_loss": "No mask."}
    assert learning_failures.explanation(run, hinted).split("\n")[-2:] == [
        f"sync_target {begin}",
        "sync_target: It never syncs.",
    ]
    assert last[0] == f"q_network {begin}"
    assert last[1] == f"sync_target and q_network {begin}"
    assert last[2] == f"td_loss {begin}"
    assert "above" not in learning_failures.explanation(run, ALL)


def test_a_formula_explains_the_updates():
    """After learning by a wrong formula, only two causes are named.

    These are wrong exploration and missing syncs. For other causes the explanation is
    "", because the wrong formula itself may be the cause.
    """
    for run, words, exercises in CAUSES.values():
        text = learning_failures.explanation(replace(run, by_formula=True), {})
        if len(exercises) == 1 and exercises[0] != "q_network":
            assert words[0] in text
        else:
            assert text == ""


HALF = Formula(True, "L = ½ mean(δ²)", "L = mean(δ²)", ("No ½.",))


def test_learned_by_a_formula():
    """The message shows the formula by which the tasks were learned, and the right one.

    Hints on the formula's mistakes are shown only if exercise 6 was not graded.
    """
    text = learning_failures.about_updates(HALF, True, {})
    assert text.split("\n") == [
        "Q was learned with what your td_loss computes: L = ½ mean(δ²)",
        "What is asked for: L = mean(δ²)",
        "No ½.",
        "Mend td_loss first: `make grade ONLY=td_loss`.",
    ]
    text = learning_failures.about_updates(HALF, True, {**ALL, "td_loss": ""})
    assert "No ½." not in text
    assert text.endswith("\nMend td_loss first.")


def test_updates_that_no_formula_explains():
    """If no formula explains why the updates deviate, the message names `td_update`.

    It also names `td_loss`, unless the loss is known to be right and has not lost
    points in exercise 6, as `~d` does for integer flags.
    """
    about = learning_failures.about_updates
    assert about(None, False, {}) == ""
    both = "Mend td_loss and td_update first: `make grade ONLY=td_loss` and "
    assert both in about(Formula(), False, {})
    assert both in about(HALF, False, {})
    assert "td_update is wrong as well" in about(HALF, False, {})
    right = about(Formula(found=True), False, {})
    assert right.startswith("On batches like those of the training, your td_loss")
    assert right.endswith("\nMend td_update first: `make grade ONLY=td_update`.")
    in_part = {**ALL, "td_loss": "~ is no not.", "td_update": ""}
    lost = about(Formula(found=True), False, in_part)
    assert lost.endswith("\nMend td_loss and td_update first.\ntd_loss: ~ is no not.")
    lost = about(Formula(), False, {**ALL, "td_update": ""})
    assert lost.endswith("\nMend td_update first.")
    assert "Mend" not in about(Formula(), False, ALL)
    assert "in training the code does something else" in about(Formula(), False, ALL)


def test_the_loop_is_as_presumed():
    """The diagnosis and the settings of the training loop have the same constants."""
    train = imported("train", "starter")
    for settings in (train.SETTINGS, train.MAZE_SETTINGS):
        assert settings.block_steps == learning_run.BLOCK_STEPS
        assert settings.block_updates == learning_run.BLOCK_UPDATES
        assert settings.period == learning_run.PERIOD
        assert settings.epsilon_end == learning_run.EPSILON
        assert settings.epsilon_steps == learning_run.EPSILON_STEPS
