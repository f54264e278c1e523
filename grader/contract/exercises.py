"""The registry of the exercises: their names, numbers, files and parts."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STARTER = ROOT / "starter" / "dqn.py"
SOLUTION = ROOT / "solution" / "dqn.py"
CHECKS = ROOT / "grader" / "checks"

FUNCTIONS = (
    *("update_Q_TD0", "discounted_returns", "mc_loss", "q_network"),
    *("epsilon_greedy", "td_loss", "td_update", "sync_target"),
)
CALLS = ("episode_terminateds", "replay_buffer", "sync_target")  # no programs


def exercises_in(folder: Path) -> dict[str, str]:
    """Return the exercises by number, with their files `test_<number>_<name>.py`."""
    named = (path.stem.split("_", 2) for path in folder.glob("test_*.py"))
    ordered = sorted((int(number), name) for _, number, name in named)
    return {name: f"test_{number}_{name}.py" for number, name in ordered}


EXERCISES = exercises_in(CHECKS)
