"""Report a racer's result to `peers.py`.

This module imports almost nothing, so that importing it takes no time.
"""

import json


def say(
    rule: str, env_steps: int, mean_return: float, training: float, off: float = 0.0
) -> None:
    """Print a result as one line of JSON, which `peers.py` reads.

    `peers.py` measures the seconds from the start of the process until the line
    arrives.

    Args:
        rule: "likewise" or "whole", see `race.py`.
        env_steps: the number of environment steps.
        mean_return: the mean return of the test episodes.
        training: the seconds of training and test, without imports and compilation.
        off: the seconds that `peers.py` subtracts from the time that it has measured.
    """
    told = {
        "rule": rule,
        "env_steps": env_steps,
        "mean_return": mean_return,
        "training": training,
        "off": off,
    }
    print(json.dumps(told), flush=True)
