"""The registry: the exercises, their check files, and the parts written in each.

Whatever else depends on a part is keyed by its name here: how it is asked
(`inside/parts.py`), by which answers a mistake is recognised (`diagnosis/probes.py`),
what can be measured (`diagnosis/measurements.py`).
"""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STARTER = ROOT / "starter" / "dqn.py"
SOLUTION = ROOT / "solution" / "dqn.py"
CHECKS = ROOT / "grader" / "checks"
LEARNING = "learning"  # the exercise in which nothing is written


@dataclass(frozen=True)
class Part:
    """A function or class of `dqn.py` that a check can ask.

    Attributes:
        name: in `dqn.py`.
        exercise: that it belongs to.
        keyword: that its definition begins with, "def" or "class".
        given: the starter has it; no student writes it.
        called: it is asked by calls. All other parts are exported as programs.
        asked_as: what a `Case` calls it, where that is not its name.
        also: other questions that a `Case` can ask of it.
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
        """Return the names by which a `Case` asks it."""
        return (self.asked_as or self.name, *self.also)


# An exercise without a row here has one function, of its own name.
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
    """Return the exercises by number, with their files `test_<number>_<name>.py`."""
    named = (path.stem.split("_", 2) for path in folder.glob("test_*.py"))
    ordered = sorted((int(number), name) for _, number, name in named)
    return {name: f"test_{number}_{name}.py" for number, name in ordered}


def parts_of(exercises: dict[str, str]) -> tuple[Part, ...]:
    """Return the parts of all exercises, in their order."""
    return tuple(
        part
        for exercise in exercises
        if exercise != LEARNING
        for part in [row for row in ROWS if row.exercise == exercise]
        or [Part(exercise, exercise)]
    )


EXERCISES = exercises_in(CHECKS)
PARTS = {part.name: part for part in parts_of(EXERCISES)}
WRITTEN = tuple(part for part in PARTS.values() if not part.given)
FUNCTIONS = tuple(part.name for part in WRITTEN if part.keyword == "def")
# The questions that are answered by calls and not by programs.
CALLS = tuple(q for part in PARTS.values() if part.called for q in part.questions)
