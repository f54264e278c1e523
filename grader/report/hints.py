"""Choose what is shown of a check's message, reading and hints: the levels of HINT.

Level 1 shows the message and says where to look. Level 2 also says what is wrong, and
level 3 also shows an example in numbers. report.json always has everything.
"""

import re

from grader.contract.outcomes import Outcome
from grader.report.model import Check

LEVELS = ("1", "2", "3")
WHERE, WHAT, NUMBERS = 1, 2, 3  # the levels as numbers

# The sections of the lecture, each with words that stand on its slides.
SLIDES = {
    "Admin": "predicted value, empirical value, ¬d = not terminated",
    "Deep Learning Review": "eqx.partition, L_square, opt_state",
    "Deep Q Learning": "Monte Carlo objective, temporal difference objective",
    "Experience Replay": "replay buffer, dataset from the buffer",
    "Target Networks": "older parameters, theta_T = theta_Q.copy()",
    "Deep Q Networks": "all Q at once, epsilon_greedy, td_update",
}
# Where to look if a check's hint names no section.
SECTIONS = {
    "update_Q_TD0": ("Admin",),
    "monte_carlo": ("Deep Q Learning",),
    "q_network": ("Deep Learning Review", "Deep Q Networks"),
    "epsilon_greedy": ("Deep Q Networks",),
    "replay_buffer": ("Experience Replay",),
    "td_loss": ("Deep Q Learning", "Target Networks"),
    "td_update": ("Deep Learning Review",),
    "sync_target": ("Target Networks",),
    "learning": ("Deep Q Networks",),
}
# Beginnings of those lines below an exception that state facts. All other lines explain
# the exception.
FACTS = ("did you mean", "asked with")
LABELLED = re.compile(r"(Your code computes|What is asked| {20}) ")


def message_lines(check: Check, level: int) -> list[str]:
    """Return the lines of a check's message that a level shows.

    Level 1 leaves out the sentence that explains an exception. It keeps lines with
    facts, such as "did you mean" with a similar name.
    """
    lines = check.message.splitlines()
    if level > WHERE or check.outcome != Outcome.ERROR:
        return lines
    return lines[:2] + [line for line in lines[2:] if line.startswith(FACTS)]


def formulas(check: Check) -> list[tuple[str, str]]:
    """Return the formulas in a check's reading, as pairs of label and text.

    The labels say which formula the part computes, and which is asked. Each line of a
    formula is a pair; from its second line on, the label is "". The list is empty
    without a reading.
    """
    lines = (check.reading or "").splitlines()
    return [(x[:21].rstrip(), x[21:]) for x in lines if LABELLED.match(x)]


def table(check: Check) -> list[str]:
    """Return the lines of the table of numbers in a check's reading; [] without one."""
    lines = (check.reading or "").splitlines()
    return [line for line in lines if not LABELLED.match(line)]


def hint_lines(check: Check, exercise: str, level: int) -> list[str]:
    """Return the lines of a check's hint that a level shows.

    Levels 2 and 3 show all lines of the hint. Level 1 shows instead which sections of
    the slides to read: those that the hint names, or if it names none, those on the
    exercise. If the check ended with an exception, level 1 shows nothing: the message
    already names the line of the code that raised it.

    Args:
        check: a check that has not passed.
        exercise: the name of the check's exercise.
        level: 1, 2 or 3.
    """
    hint = check.hint or ""
    if level > WHERE:
        return hint.splitlines()
    if check.outcome == Outcome.ERROR:
        return []
    named = [section for section in SLIDES if section in hint]
    sections = named or SECTIONS.get(exercise, ())
    return [f"slides: {section} (look for: {SLIDES[section]})" for section in sections]
