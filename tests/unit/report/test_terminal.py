"""The terminal shows a report from top to bottom, in the lines that a student needs."""

import io
import re

import pytest
from rich.console import Console

from grader.contract.exercises import EXERCISES
from grader.contract.outcomes import NOT_IMPLEMENTED, Outcome
from grader.report.exercise import print_exercise
from grader.report.layout import print_table
from grader.report.live import Live
from grader.report.model import Check, Exercise, Report
from grader.report.symbols import ERRORS
from grader.report.terminal import next_step, print_report

READING = """\
Your code computes   y = r + γ max_a Q(s′,a; θ_T)
What is asked        y = r + ¬d γ max_a Q(s′,a; θ_T)
γ = 0.7
a      r             Q(s′,·; θ_T)  your y  right y
1  -0.75  -2.12 -0.74  1.34 -1.64   0.185    0.185
0   0.63   1.84 -3.65 -0.78 -6.37   1.916     0.63"""
HINT = "¬d is missing (slides: Admin, homework 1; Target Networks)."
MESSAGE = "td_loss: obtained 60.5, expected 5.9\nwith gamma = 0.7"


def check(name: str, outcome: Outcome = Outcome.PASSED, message: str = "") -> Check:
    """Return the result of a check that pays 2.5 points, with a long description."""
    points = 2.5 if outcome == Outcome.PASSED else 0.0
    description = f"{name}: the target of each transition in θ is of its own kind"
    return Check(name, description, outcome, points, 2.5, message)


def wrong(name: str, message: str = MESSAGE) -> Check:
    """Return the result of a check that failed, with a reading and a hint."""
    failed = check(name, Outcome.FAILED, message)
    failed.reading, failed.hint = READING, HINT
    return failed


def stub(name: str) -> Check:
    """Return the result of a check that found a stub."""
    return check(name, Outcome.FAILED, NOT_IMPLEMENTED)


def report_with(**exercises: list[Check]) -> Report:
    """Return a report on all exercises; those that are not given have passed."""
    return Report(
        seed="1",
        sandbox="bwrap",
        device="cpu",
        submission={"name": "dqn.py"},
        exercises=[
            Exercise(name, exercises.get(name, [check(f"{name} a"), check("b")]))
            for name in EXERCISES
        ],
    )


def text_of(report: Report, width: int = 80, encoding: str = "utf-8", **more) -> str:
    """Return a report as a terminal of this width and encoding shows it."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors=ERRORS)
    print_report(report, Console(file=stream, width=width, highlight=False), [], **more)
    stream.flush()
    return raw.getvalue().decode(encoding)


def exercise_text(exercise: Exercise, **more) -> list[str]:
    """Return the lines of one exercise at a width of 80, without blanks around them."""
    stream = io.StringIO()
    print_exercise(exercise, Console(file=stream, width=80), {*Outcome}, **more)
    return [line.strip() for line in stream.getvalue().splitlines()]


# ---------------------------------------------------------------- a whole run

MIXED = report_with(
    monte_carlo=[stub("stub 1"), stub("stub 2")],
    q_network=[check("fine"), stub("half")],
    td_loss=[
        check("fine"),
        wrong("first"),
        wrong("second", f"2 {MESSAGE}"),
        check("good"),
    ],
    td_update=[wrong("third", "other"), check("fourth", Outcome.SKIPPED, "waits")],
    learning=[check("table", Outcome.SKIPPED, "waits for monte_carlo")],
)


def test_whole_run_tells_the_first_mistake():
    """Passed exercises have a line; the first wrong one is told, others have two lines.

    An exercise that is not written, in whole or in part, is not the first wrong one.
    """
    lines = text_of(MIXED).splitlines()
    assert lines[1] == "✓ passed  ✗ wrong  – not judged"
    left = [re.sub(r"  +[\d.]+ ?/ ?[\d.]+$", "", line) for line in lines[2:]]
    asked = ": the target of each transition in θ is of its own kind"
    expected = [
        "1 update_Q_TD0    ✓",
        "2 monte_carlo  not implemented yet",
        "3 q_network",
        f"  – half{asked}: not",
        "    implemented yet",
        "4 epsilon_greedy  ✓",
        "5 replay_buffer   ✓",
        "6 td_loss",
        f"  ✗ first{asked}",
        *(f"      {line}" for line in MESSAGE.splitlines()),
        "      Your code computes   y = r + γ max_a Q(s′,a; θ_T)",
        "      What is asked        y = r + ¬d γ max_a Q(s′,a; θ_T)",
        "      (HINT=3 shows this in numbers)",
        f"      → {HINT}",
        f"  ✗ second{asked}",
        "  ✓ 2 checks passed",
        "7 td_update",
        f"  ✗ third{asked}",
        "8 sync_target     ✓",
        "9 learning",
        "  – waits for monte_carlo",
        "",
    ]
    assert left[: len(expected)] == expected
    assert next_step(MIXED).startswith("Next: look at td_loss, then `make grade ONLY=")


def test_verbose_shows_all_checks():
    """With VERBOSE=1, each check of each exercise has a line."""
    text = text_of(MIXED, verbose=True)
    for exercise in MIXED.exercises:
        if not exercise.unwritten:
            assert all(f" {each.name}: " in text for each in exercise.checks)
    assert "checks passed" not in text


def test_one_exercise_shows_all_its_checks():
    """In a run with ONLY, each check of the exercise has a line."""
    report = report_with(td_loss=MIXED.exercises[5].checks)
    report.exercises = [report.exercises[5]]
    text = text_of(report)
    assert all(f"{name}: the" in text for name in ("fine", "first", "second", "good"))
    assert text.splitlines()[2] == "  ✓ passed  ✗ wrong"


def test_failed_import_is_one_banner():
    """If the import failed, problem and place are told once, then come the points."""
    words = "importing dqn.py: NameError: 'x'; y\ndqn.py, line 3: x\nis it defined?"
    failed = [check(f"check {i}", Outcome.ERROR, words) for i in range(9)]
    report = report_with(**dict.fromkeys(EXERCISES, failed))
    report.submission["problem"] = (
        "not imported: NameError: 'x'; y; dqn.py, line 3: x; is it defined?"
    )
    lines = text_of(report).splitlines()
    assert lines[1:5] == [
        "not imported: NameError: 'x'; y",
        "      dqn.py, line 3: x",
        "      is it defined?",
        "",
    ]
    assert len(lines) < 16
    report.exercises[0] = Exercise("update_Q_TD0", [check("fine")], older=True)
    assert text_of(report).splitlines()[1:5] == lines[1:5]
    assert re.search(r"6 td_loss +0/22\.5$", text_of(report), re.M)


def after_only(report: Report, name: str, *changed: str) -> Report:
    """Return a report as it is after a run with ONLY.

    Args:
        report: the report on all exercises.
        name: the exercise that was graded.
        changed: exercises that were graded on another text than the present one.
    """
    report.submission["sha256"] = "new"
    for exercise in report.exercises:
        exercise.older = exercise.name != name
        if exercise.older:
            exercise.sha256 = "old" if exercise.name in changed else "new"
    return report


def test_results_of_an_older_text_are_marked():
    """After a run with ONLY, all points are shown; those of an older text are marked.

    Older results of the present text are what a full run would give.
    """
    report = report_with(td_loss=MIXED.exercises[5].checks)
    assert "*" not in text_of(after_only(report, "td_loss"))
    marked = [name for name in EXERCISES if name != "td_loss"]
    text = text_of(after_only(report, "td_loss", "monte_carlo"))
    assert re.findall(r"(\w+) +5/5\*", text) == ["monte_carlo"]
    text = text_of(after_only(report, "td_loss", *marked))
    assert text.count("✓ ") == 1 + 2  # the legend, and checks of td_loss
    assert re.search(r"6 td_loss +5/10$", text, re.M)
    assert len(re.findall(r"5/5\*", text)) == 8
    assert "\n* graded before your file changed" in text
    assert f"Score {8 * 5 + 5} / {8 * 5 + 10}" in text


# ---------------------------------------------------------------- width and symbols


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
@pytest.mark.parametrize("width", [40, 80, 100])
@pytest.mark.parametrize("verbose", [True, False])
def test_points_are_in_one_column(width, encoding, verbose):
    """At every width, no line is too long, and points end at the right edge."""
    text = text_of(MIXED, width, encoding, verbose=verbose, level=3)
    lines = text.partition("Score")[0].splitlines()
    assert max(map(len, lines)) <= width
    rows = [line for line in lines if re.search(r"\d ?/ ?\d[\d.]*$", line)]
    assert len(rows) > 10
    assert {len(line) for line in rows} == {width}


def test_ascii_has_no_question_marks():
    """In ASCII, marks and symbols have substitutes, and no question mark is shown."""
    text = text_of(MIXED, encoding="ascii", verbose=True, level=3)
    assert "?" not in text
    assert "  x first: the target of each transition in theta is" in text
    assert "What is asked        y = r + not d gamma max_a Q(s',a; theta_T)" in text


def test_table_keeps_its_columns():
    """Where a table is too wide, whole columns are left out, never the last two."""
    lines = text_of(MIXED, 40, "ascii", level=3).splitlines()
    (head,) = [i for i, line in enumerate(lines) if line.endswith("right y")]
    assert lines[head - 1 : head + 4] == [
        "      gamma = 0.7",
        "      a      r  your y  right y",
        "      1  -0.75   0.185    0.185",
        "      0   0.63   1.916     0.63",
        "      (no room here for Q(s',.;",
    ]


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (
            50,
            [
                "a  theta  your theta_T  right theta_T",
                "1      2  theta_T       theta_Q",
            ],
        ),
        (
            31,
            [
                "your theta_T  right th...",
                "theta_T       theta_Q",
                "(no room here for theta,",
                "a)",
            ],
        ),
    ],
)
def test_table_in_ascii(width, expected):
    """Where symbols have longer substitutes, the columns are aligned anew."""
    table = ["a  θ  your θ_T  right θ_T", "1  2  θ_T       θ_Q"]
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors=ERRORS)
    print_table(table, Console(file=stream, width=width, highlight=False))
    stream.flush()
    lines = raw.getvalue().decode("ascii").splitlines()
    assert lines == [f"      {line}" for line in expected]


# ---------------------------------------------------------------- one exercise


def test_log_has_a_line_for_each_exercise():
    """If the output is a log, each exercise has one line, printed when it starts.

    The consistency pass adds no line.
    """
    console = Console(file=io.StringIO(), width=80)
    turns = ["update_Q_TD0", "update_Q_TD0", "monte_carlo", "monte_carlo"]
    with Live(console) as live:
        for exercise in [*turns, *reversed(turns)]:
            live.on_check(exercise, "a check")
        live.on_check("known mistakes", "1 of 9")  # as `make reference` does
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [re.sub(r"^ +[0-9.]+ s  ", "", line) for line in lines] == [
        "1 update_Q_TD0",
        "2 monte_carlo",
    ]


def test_log_has_a_line_for_each_training_that_is_waited_for():
    """Once exercise 9 has begun, a log has one line for each training."""
    console = Console(file=io.StringIO(), width=80)
    with Live(console) as live:
        live.on_learning("the maze, seed 1 of 3, 512 steps")
        live.on_check("learning", "a check")
        for words in (
            *("CartPole, seed 1 of 3, 1024 steps", "CartPole, seed 1 of 3, 2048 steps"),
            *(
                "table worlds",
                "the maze, seed 1 of 1",
                "the maze, seed 1 of 1, 9 steps",
            ),
        ):
            live.on_learning(words)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [re.sub(r"^ +[0-9.]+ s  ", "", line) for line in lines] == [
        "9 learning",
        "  learning: CartPole, seed 1 of 3",
        "  learning: table worlds",
        "  learning: the maze, seed 1 of 1",
    ]


def test_levels_of_hints():
    """HINT=1 names slides, HINT=2 the mistake, HINT=3 shows a table of numbers."""
    exercise = Exercise("td_loss", [check("fine"), wrong("first")])
    told = {level: exercise_text(exercise, level=level) for level in (1, 2, 3)}
    assert told[1][3:] == [
        "td_loss: obtained 60.5, expected 5.9",
        "with gamma = 0.7",
        "→ slides: Admin (look for: predicted value, empirical value, ¬d = not",
        "terminated)",
        "→ slides: Target Networks (look for: older parameters, theta_T =",
        "theta_Q.copy())",
    ]
    assert {*told[1][:5]} < {*told[2]}
    assert {*told[2]} - {"(HINT=3 shows this in numbers)"} < {*told[3]}
    assert [any("Your code computes" in x for x in told[n]) for n in told] == [0, 1, 1]
    assert [f"→ {HINT}" in told[n] for n in told] == [False, True, True]
    assert [any("right y" in x for x in told[n]) for n in told] == [False, False, True]


def test_where_to_look_without_a_hint():
    """HINT=1 names the slides on the exercise if the check has no hint."""
    exercise = Exercise("sync_target", [check("a", Outcome.FAILED, "θ_T is wrong")])
    told = exercise_text(exercise, level=1)
    assert told[-2].startswith("→ slides: Target Networks (look for: ")


def test_an_exception_needs_no_slides():
    """HINT=1 shows an exception with its place and a similar name; HINT=2 explains it.

    The slides help little with a typing error.
    """
    place = ["NameError", "dqn.py, line 7: y = rewards", "did you mean `reward`?"]
    for extra, shown in (("did you mean `reward`?", True), ("a sentence", False)):
        message = "\n".join([*place[:2], extra])
        exercise = Exercise("sync_target", [check("a", Outcome.ERROR, message)])
        told = {level: exercise_text(exercise, level=level) for level in (1, 2)}
        assert told[1][-2 - shown :] == [*place[:2], *([extra] if shown else [])]
        assert extra in told[2]
        assert "slides" not in "\n".join(told[1])


def test_every_exception_is_told_once():
    """An exception and its place are told once, with the other check that ends with it.

    Exceptions at one place count as the same if only their numbers differ.
    """
    exercise = Exercise("td_loss")
    for name, message in {
        "first": "td_loss: TypeError: got (3,)\ndqn.py, line 7, in f: x\nhint\nsizes",
        "again": "td_loss: TypeError: got (5,)\ndqn.py, line 7, in f: x\nhint\nmore",
        "other": "td_loss: TypeError: got (3,)\ndqn.py, line 9, in g: y\nhint\nsizes",
        "third": "td_loss: ValueError: no\ndqn.py, line 9, in g: y\nother hint",
    }.items():
        exercise.checks.append(check(name, Outcome.ERROR, message))
    told = exercise_text(exercise, brief=True)
    assert [line for line in told if not line.endswith("0/2.5")][1:] == [
        "your code raised an exception",
        "td_loss: TypeError: got (3,)",
        "dqn.py, line 7, in f: x",
        "hint",
        "sizes",
        f"the same in “{exercise.checks[1].description}”",
        "td_loss: TypeError: got (3,)",
        "dqn.py, line 9, in g: y",
        "td_loss: ValueError: no",
        "dqn.py, line 9, in g: y",
        "other hint",
    ]
    assert len([line for line in told if line.endswith("0/2.5")]) == 3
    whole = exercise_text(exercise)
    assert len([line for line in whole if line.endswith("0/2.5")]) == 4


def test_more_checks_of_one_exception_are_counted():
    """If several other checks end with an exception, their number is told."""
    message = "td_loss: TypeError: no\ndqn.py, line 7, in f: x"
    checks = [check(name, Outcome.ERROR, message) for name in "abc"]
    told = exercise_text(Exercise("td_loss", checks), brief=True)
    assert told[-1] == "the same in 2 more checks"


def test_a_reading_explains_no_exception():
    """A reading and its hint are below the wrong answer, not below the exception."""
    raised = check("raises", Outcome.ERROR, "td_loss: TypeError: no\ndqn.py, line 7")
    raised.reading, raised.hint = READING, HINT
    alone = exercise_text(Exercise("td_loss", [raised]))
    assert f"→ {HINT}" in alone
    both = exercise_text(Exercise("td_loss", [raised, wrong("differs")]))
    places = [
        next(i for i, line in enumerate(both) if words in line)
        for words in ("TypeError", "differs", "Your code computes", HINT)
    ]
    assert places == sorted(places)


def test_hints_are_printed_once():
    """If two checks have the same line in their hints, the line is printed once."""
    exercise = Exercise("learning")
    for name, hint in (("tables", "a\nb"), ("maze", "a\nc")):
        failed = check(name, Outcome.FAILED, f"{name} failed")
        failed.hint = hint
        exercise.checks.append(failed)
    told = exercise_text(exercise)
    assert [line for line in told if "→" in line] == ["→ a", "→ b", "→ c"]


def test_the_next_step_after_learning_is_not_learning():
    """If only exercise 9 has failed, the output says to mend the parts that it names.

    If it waits for a part that is not written, the output says to write this part.
    """
    checks = [Check("maze", "maze", Outcome.FAILED, 0.0, 3.0, "too long")]
    report = Report("1", "bwrap", "cpu", {}, [Exercise("learning", checks)])
    assert next_step(report) == "Next: mend what is named above, then `make grade`."
    checks[0].outcome = Outcome.SKIPPED
    checks[0].message = "not implemented yet: waits for sync_target"
    assert next_step(report) == "Next: write what it waits for, then `make grade`."
    checks[0].message = "not judged: waits for td_update, which fails: TypeError: x"
    assert next_step(report) == "Next: mend what is named above, then `make grade`."
    checks[0].message = "not implemented yet: waits for sync_target"
    lines = exercise_text(*report.exercises)
    assert "not implemented yet: waits for sync_target" in lines


# Of this run comes first, then what is of this text, then what is of an older one.
@pytest.mark.parametrize(
    ("changed", "lacking", "expected"),
    [
        ("q_network", "q_network td_loss learning", "look at td_loss, then {}."),
        ("q_network", "q_network td_update", "look at td_update: {} shows what is"),
        ("q_network", "q_network", "grade q_network again: {}. Your file has changed"),
        ("learning", "learning", "grade learning again: {}. Your file has changed"),
        ("q_network", "", "This exercise is complete; `make grade` checks the whole"),
        ("", "", "Everything passed. The official run asks the same with fresh seeds."),
    ],
)
def test_the_next_step_prefers_the_present_text(changed, lacking, expected):
    """If only an exercise of an older text lacks points, it is to be graded again."""
    report = report_with(**{name: [wrong("first")] for name in lacking.split()})
    told = next_step(after_only(report, "td_loss", *changed.split()))
    name = re.sub(r"(grade|look at) (\w+).*", r"\2", expected)
    expected = expected.format(f"`make grade ONLY={name}`")
    assert told.removeprefix("Next: ").startswith(expected)


def test_the_next_step_has_the_names_of_the_parts():
    """The student can search dqn.py for what is to be written."""
    report = report_with(monte_carlo=[stub("a"), check("b", Outcome.SKIPPED, "waits")])
    words = "write discounted_returns and mc_loss, then `make grade ONLY=monte_carlo`."
    assert next_step(report) == f"Next: {words}"


@pytest.mark.parametrize(
    ("changed", "words"), [([], ""), (["q_network"], " if you have not yet")]
)
def test_an_unwritten_exercise_is_the_next_step(changed, words):
    """A part that was a stub in an older text may be written by now."""
    report = report_with(q_network=[stub("a")])
    told = next_step(after_only(report, "td_loss", *changed))
    assert told == f"Next: write q_network{words}, then `make grade ONLY=q_network`."


# ---------------------------------------------------------------- learning

LEARNED = {
    "maze": {
        **{"mean_return": -40.0, "curve": [[512, -40.0], [1024, -40.0]], "runs": 1},
        **{"shortest": 4.0, "random_walk": 26.5},
    },
    "cartpole": {"mean_return": 500.0, "curve": [[1024, 500.0]], "runs": 1},
}
MAZE_CURVE = "step 512 ▁▁ 1024, shortest 40.0 steps at step 512"
CARTPOLE = ["CartPole: mean return 500.0 of 500, 1 training run"]
CARTPOLE += ["step 1024 █ 1024, highest 500 at step 1024"]


@pytest.mark.parametrize(
    ("level", "hint"),
    [(1, "→ slides: Target Networks ("), (2, "→ Mend td_loss first."), (3, "→ Mend")],
)
def test_a_failure_to_learn_has_its_reason_in_short(level, hint):
    """Also if another exercise is told in full, it is said why nothing was learned."""
    tables = wrong("tables", "the value is wrong\nin numbers")
    tables.hint = (
        "Mend td_loss first.\ntd_loss: ¬d is missing (slides: Target Networks)."
    )
    report = report_with(td_loss=[wrong("a", "1")], learning=[tables, stub("maze")])
    lines = text_of(report, level=level).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("9 learning"))
    assert lines[start + 2].strip() == "the value is wrong"
    assert lines[start + 3].strip().startswith(hint)
    rest = "\n".join(lines[start:])
    assert "in numbers" not in rest
    assert "¬d is missing" not in rest


@pytest.mark.parametrize("brief", [True, False])
def test_what_was_learned_stands_below_its_check(brief):
    """The maze's curve is below its check; its result is told once, in the message."""
    names = ("tables", "cartpole_half", "cartpole_full")
    tables, half, full = map(check, names)
    maze = check("maze", Outcome.FAILED, "the way took 40.0 steps")
    exercise = Exercise("learning", [tables, maze, half, full])
    lines = exercise_text(exercise, brief=brief, learned=LEARNED)
    told = [re.sub(r"(: the|  ).*", "", line) for line in lines[1:]]
    failed = ["✗ maze", "the way took 40.0 steps", MAZE_CURVE]
    passed = ["✓ tables"], ["✓ cartpole_half", "✓ cartpole_full"]
    if brief:
        assert told == [*failed, "✓ 3 checks passed", *CARTPOLE]
    else:
        assert told == [*passed[0], *failed, *passed[1], *CARTPOLE]
