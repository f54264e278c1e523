"""The registry: the exercises, their check files, and the parts of each exercise.

Three other modules have tables with the names of parts as keys. `inside/parts.py` says
how a part is executed. `diagnosis/fingerprints.py` has the fixed questions by which a
mistake is recognised. `diagnosis/diagnose.py` says which reader diagnoses a wrong part.
"""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STARTER = ROOT / "starter" / "dqn.py"
SOLUTION = ROOT / "solution" / "dqn.py"
CHECKS = ROOT / "grader" / "checks"
LEARNING = "learning"  # the exercise without a part: students write nothing for it


@dataclass(frozen=True)
class Part:
    """A function or class of `dqn.py` that a check can ask.

    Attributes:
        name: name of the function or class in `dqn.py`.
        exercise: name of the exercise.
        keyword: first word of the definition, "def" or "class".
        given: whether the starter contains the complete part.
        called: True if the part is always called; False if the part is exported
            whenever possible.
        asked_as: the value of `Case.part` in questions to this part; "" if this value
            is the part's name.
        also: further values of `Case.part` in questions to this part.
    """

    name: str
    exercise: str
    keyword: str = "def"
    given: bool = False
    called: bool = False
    asked_as: str = ""
    also: tuple[str, ...] = ()

    @property
    def questions(self) -> tuple[str, ...]:
        """Return all values that `Case.part` can have in questions to this part."""
        return (self.asked_as or self.name, *self.also)


# An exercise without a row here has one part: a function with the exercise's name.
ROWS = (
    Part("episode_terminateds", "update_Q_TD0", given=True, called=True),
    Part("update_Q_TD0", "update_Q_TD0"),
    Part("discounted_returns", "monte_carlo"),
    Part("mc_loss", "monte_carlo"),
    Part("q_network", "q_network", also=("forward",)),
    Part(
        "ReplayBuffer", "replay_buffer", "class", called=True, asked_as="replay_buffer"
    ),
    Part("sync_target", "sync_target", called=True),
)


def exercises_in(folder: Path) -> dict[str, str]:
    """Return the exercises in order, each with the name of its check file.

    The keys of the dict are the exercises' names. The order is that of the numbers in
    the file names.

    Args:
        folder: folder with files named `test_<number>_<exercise>.py`.
    """
    named = (path.stem.split("_", 2) for path in folder.glob("test_*.py"))
    ordered = sorted((int(number), name) for _, number, name in named)
    return {name: f"test_{number}_{name}.py" for number, name in ordered}


def parts_of(exercises: dict[str, str]) -> tuple[Part, ...]:
    """Return the parts of all exercises, in the order of the exercises.

    The table `ROWS` in this module lists parts. An exercise without a row in this table
    has one part, a function with the exercise's name. Only the exercise `learning` has
    no part.

    Args:
        exercises: names of the check files by the exercise's name, from `exercises_in`.
    """
    return tuple(
        part
        for exercise in exercises
        if exercise != LEARNING
        for part in [row for row in ROWS if row.exercise == exercise]
        or [Part(exercise, exercise)]
    )


EXERCISES = exercises_in(CHECKS)
UNITS = [name for name in EXERCISES if name != LEARNING]  # those with parts
PARTS = {part.name: part for part in parts_of(EXERCISES)}
WRITTEN = tuple(part for part in PARTS.values() if not part.given)
FUNCTIONS = tuple(part.name for part in WRITTEN if part.keyword == "def")
# Values of `Case.part` whose cases are answered by calls and not by programs.
CALLS = tuple(q for part in PARTS.values() if part.called for q in part.questions)
# Those of parts that are exported, but need not work under `jax.jit`.
MAY_BE_CALLED = ("update_Q_TD0", "discounted_returns", "mc_loss", "q_network")
