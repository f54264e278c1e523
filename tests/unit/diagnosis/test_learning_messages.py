"""What students read if exercise 9 fails, from the results of learning."""

import numpy as np

from grader.contract import mdps
from grader.contract.learning import FULL, HALF
from grader.contract.outcomes import TimedOut, Waiting, Wrong
from grader.diagnosis.learning_messages import of_cartpole, of_maze, of_tables
from grader.oracle.learning.results import Formula, Result, Results, Tables
from grader.oracle.learning.run import DEVIATES, NEEDS_MAZE

NO_MASK = Formula(
    True,
    "y = r + γ max_a Q(s′,a; θ_T)",
    "y = r + ¬d γ max_a Q(s′,a; θ_T)",
    ("¬d is missing.",),
)


def failed_maze(**more) -> Result:
    """Return the result of a maze of which 24 steps were the best."""
    facts = {"shortest": 4.0, "random_walk": 26.0}
    return Result(mean_return=-24.0, runs=3, facts=facts, **more)


def half(results: Results, above: dict) -> BaseException | None:
    """Judge half of CartPole."""
    return of_cartpole(HALF, results, above)


def full(results: Results, above: dict) -> BaseException | None:
    """Judge all of CartPole."""
    return of_cartpole(FULL, results, above)


def wrong(judge, results: Results) -> Wrong:
    """Return the exception that says what is wrong with these results."""
    error = judge(results, {})
    assert isinstance(error, Wrong)
    return error


def test_a_failed_maze():
    """The message has the steps, the allowed steps, and how to judge both."""
    error = wrong(of_maze, Results(maze=failed_maze()))
    assert str(error) == (
        "the way to the exit took 24.0 steps on average (the best of 3 training runs), "
        "expected at most 6.2; the shortest way takes 4.0, a random walk 26.0"
    )
    assert error.hint is None


def test_the_limit_of_the_maze_is_the_one_that_is_told():
    """6.2 steps pass and 6.3 steps fail where at most 6.2 are expected."""
    maze = failed_maze()
    maze.mean_return = -6.2
    assert of_maze(Results(maze=maze), {}) is None
    maze.mean_return = -6.3
    wrong(of_maze, Results(maze=maze))


def test_a_maze_learned_by_a_formula():
    """The hint shows the formula of the hand-in's loss beside the right one."""
    results = Results(maze=failed_maze(), by_formula=True, formula=NO_MASK)
    lines = wrong(of_maze, results).hint.split("\n")
    assert lines[0] == (
        "Learned with what your td_loss computes: y = r + γ max_a Q(s′,a; θ_T)"
    )
    assert lines[1] == "What is asked for: y = r + ¬d γ max_a Q(s′,a; θ_T)"
    assert "¬d is missing." in lines


def test_cartpole_waits_for_the_maze():
    """CartPole is skipped, not failed, where the maze was not learned."""
    results = Results(maze=failed_maze(), cartpole=Result(reason=Waiting(NEEDS_MAZE)))
    for judge in (half, full):
        error = judge(results, {})
        assert isinstance(error, Waiting)
        assert str(error) == NEEDS_MAZE


def test_updates_that_were_not_found():
    """Each check says that nothing was judged, and which exercise to mend."""
    task = Result(reason=Wrong(DEVIATES))
    tables = Tables(reason=task.reason)
    results = Results(tables, task, task, formula=Formula(found=True))
    for judge in (of_tables, of_maze, half):
        error = wrong(judge, results)
        assert str(error) == f"not judged: {DEVIATES}"
        assert error.hint.startswith("Your td_loss is right.")


def test_a_trick_that_was_found_out():
    """The problem is the message, and the hint names the part."""
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
    """Where updates and batches are right, the hint names sync_target."""
    mdp = mdps.KINDS[0](np.random.default_rng(1))
    Q = mdps.value_iteration(mdp)
    right = Results(Tables([(mdp, Q)]))
    assert of_tables(right, {}) is None
    results = Results(Tables([(mdp, 0.9 * Q)]))
    assert wrong(of_tables, results).hint.endswith("ONLY=sync_target`.")
    results.formula, results.by_formula = NO_MASK, True
    assert "¬d is missing." in wrong(of_tables, results).hint


def test_a_low_return_on_cartpole():
    """The message has the return and the threshold, of one run without its number."""
    results = Results(cartpole=Result(mean_return=201.5, runs=1))
    assert half(results, {}) is None
    error = wrong(full, results)
    assert str(error) == (
        "mean return 201.5, expected 450 (a random policy has about 22, a constant "
        "action 9)"
    )


def test_a_formula_that_ends_in_nan():
    """If a formula makes θ_Q infinite, the hint is the formula, not the network."""
    reason = Wrong("chain: theta_Q became NaN or infinite during training")
    results = Results(Tables(reason=reason), by_formula=True, formula=NO_MASK)
    hint = wrong(of_tables, results).hint
    assert hint.startswith("Learned with what your td_loss computes")
    assert "q_network" not in hint


def test_a_formula_that_takes_too_long():
    """A training by a formula is slow by itself, so no part is blamed for it."""
    task = Result(reason=TimedOut("most of the time went to epsilon_greedy"))
    assert isinstance(of_maze(Results(maze=task), {}), TimedOut)
    error = wrong(of_maze, Results(maze=task, by_formula=True, formula=NO_MASK))
    assert str(error) == (
        "not judged: learning with what your td_loss computes took too long"
    )
    assert error.hint.startswith("Learned with what your td_loss computes")
