"""The messages of the checks of exercise 9 follow from the results of learning."""

import numpy as np

from grader.contract import mdps
from grader.contract.learning import FULL, HALF
from grader.contract.outcomes import TimedOut, Waiting, Wrong
from grader.diagnosis.learning_messages import of_cartpole, of_maze, of_tables
from grader.oracle.learning.results import (
    Formula,
    LearnerLate,
    Result,
    Results,
    Tables,
)
from grader.oracle.learning.run import DEVIATES, NEEDS_MAZE

NO_MASK = Formula(
    True,
    "y = r + γ max_a Q(s′,a; θ_T)",
    "y = r + ¬d γ max_a Q(s′,a; θ_T)",
    ("¬d is missing.",),
)


def failed_maze(**more) -> Result:
    """Return the result for a maze whose best training needed 24 steps on average.

    Args:
        more: further fields of the result.
    """
    facts = {"shortest": 4.0, "random_walk": 26.0}
    return Result(mean_return=-24.0, runs=3, facts=facts, **more)


def half(results: Results, above: dict) -> BaseException | None:
    """Judge the check of CartPole that asks for a mean return of 195.

    Args:
        results: the results of learning.
        above: the graded exercises, see `Above` in `learning_failures`.

    Returns:
        The exception of the check, or None if the check passes.
    """
    return of_cartpole(HALF, results, above)


def full(results: Results, above: dict) -> BaseException | None:
    """Judge the check of CartPole that asks for a mean return of 450.

    Args:
        results: the results of learning.
        above: the graded exercises, see `Above` in `learning_failures`.

    Returns:
        The exception of the check, or None if the check passes.
    """
    return of_cartpole(FULL, results, above)


def wrong(judge, results: Results) -> Wrong:
    """Judge a check; return its exception `Wrong`, and fail if the check has none.

    Args:
        judge: function (results, above), such as `full`.
        results: the results of learning.
    """
    error = judge(results, {})
    assert isinstance(error, Wrong)
    return error


def test_a_failed_maze():
    """The message shows the mean number of steps to the exit, and the allowed number.

    For comparison, it shows the steps of the shortest way and of a random walk.
    """
    error = wrong(of_maze, Results(maze=failed_maze()))
    assert str(error) == (
        "after training, the way to the exit took 24.0 steps on average (the best of 3 "
        "training runs); expected at most 6.2, which is 90% of the way from a random "
        "walk (26.0) to the shortest way (4.0)"
    )
    assert error.hint is None


def test_the_limit_of_the_maze_is_the_one_that_is_told():
    """If the message gives a limit of 6.2 steps, 6.2 steps pass and 6.3 steps fail."""
    maze = failed_maze()
    maze.mean_return = -6.2
    assert of_maze(Results(maze=maze), {}) is None
    maze.mean_return = -6.3
    wrong(of_maze, Results(maze=maze))


def test_a_maze_learned_by_a_formula():
    """The hint shows the formula of the hand-in's loss above the right formula."""
    results = Results(maze=failed_maze(), by_formula=True, formula=NO_MASK)
    lines = wrong(of_maze, results).hint.split("\n")
    assert lines[0] == (
        "Q was learned with what your td_loss computes: y = r + γ max_a Q(s′,a; θ_T)"
    )
    assert lines[1] == "What is asked for: y = r + ¬d γ max_a Q(s′,a; θ_T)"
    assert "¬d is missing." in lines


def test_cartpole_waits_for_the_maze():
    """If the maze was not learned, the checks of CartPole are skipped, not failed."""
    results = Results(maze=failed_maze(), cartpole=Result(reason=Waiting(NEEDS_MAZE)))
    for judge in (half, full):
        error = judge(results, {})
        assert isinstance(error, Waiting)
        assert str(error) == NEEDS_MAZE


def test_updates_that_were_not_found():
    """If `td_update` deviates but `td_loss` is right, each check fails as "not judged".

    The hint says that `td_loss` is right on such batches.
    """
    task = Result(reason=Wrong(DEVIATES))
    tables = Tables(reason=task.reason)
    results = Results(tables, task, task, formula=Formula(found=True))
    for judge in (of_tables, of_maze, half):
        error = wrong(judge, results)
        assert str(error) == f"not judged: {DEVIATES}"
        assert error.hint.startswith("On batches like those of the training, your td_")


def test_a_trick_that_was_found_out():
    """If learning stopped because a part cheats, the message says what the part did.

    The hint names the exercise of this part.
    """
    problem = "sample returned a transition that is not in the buffer"
    results = Results(cartpole=Result(problem=problem))
    error = wrong(full, results)
    assert str(error) == f"not judged: {problem}"
    assert error.hint == "To see more: `make grade ONLY=replay_buffer`."
    results = Results(Tables(reason=Wrong(f"chain: {problem}")))
    error = wrong(of_tables, results)
    assert str(error) == f"not judged: chain: {problem}"
    assert error.hint == "To see more: `make grade ONLY=replay_buffer`."


def test_a_table_that_was_not_learned():
    """If a table is wrong although the updates are right, the hint names `sync_target`.

    If the tables were learned by a formula, the hint shows this formula.
    """
    mdp = mdps.KINDS[0](np.random.default_rng(1))
    Q = mdps.value_iteration(mdp)
    right = Results(Tables([(mdp, Q)]))
    assert of_tables(right, {}) is None
    results = Results(Tables([(mdp, 0.9 * Q)]))
    assert wrong(of_tables, results).hint.endswith("ONLY=sync_target`.")
    results.formula, results.by_formula = NO_MASK, True
    assert "¬d is missing." in wrong(of_tables, results).hint


def test_a_low_return_on_cartpole():
    """The message shows the mean return and the expected return.

    If there was only one training, the message does not say how many there were.
    """
    results = Results(cartpole=Result(mean_return=201.5, runs=1))
    assert half(results, {}) is None
    error = wrong(full, results)
    assert str(error) == (
        "mean return 201.5, expected 450 (a random policy has about 22, a constant "
        "action 9)"
    )


def test_a_formula_that_ends_in_nan():
    """If learning by a formula makes θ_Q NaN or infinite, the hint shows the formula.

    The network is not blamed.
    """
    reason = Wrong("chain: theta_Q became NaN or infinite during training")
    results = Results(Tables(reason=reason), by_formula=True, formula=NO_MASK)
    hint = wrong(of_tables, results).hint
    assert hint.startswith("Q was learned with what your td_loss computes")
    assert "q_network" not in hint


def test_a_formula_that_takes_too_long():
    """If learning by a formula takes too long, no part is blamed for the time."""
    task = Result(reason=LearnerLate("most of the time went to epsilon_greedy"))
    assert isinstance(of_maze(Results(maze=task), {}), TimedOut)
    error = of_maze(Results(maze=task, by_formula=True, formula=NO_MASK), {})
    assert isinstance(error, TimedOut)
    assert str(error) == (
        "not judged: learning with what your td_loss computes took too long"
    )
    assert error.hint.startswith("Q was learned with what your td_loss computes")
