"""Report a racer's result to `peers.py`; a module whose imports take no time."""

import json


def say(
    rule: str, env_steps: int, mean_return: float, training: float, off: float = 0.0
) -> None:
    """Print a result as one line of JSON, which `peers.py` reads.

    `peers.py` measures the time until the line arrives.

    Args:
        rule: "likewise" or "whole", see `race.py`.
        env_steps: number of environment steps.
        mean_return: mean return of the test episodes.
        training: seconds of training and test, without imports and compilation.
        off: seconds that `peers.py` subtracts from the time until the line arrives.
    """
    told = {
        "rule": rule,
        "env_steps": env_steps,
        "mean_return": mean_return,
        "training": training,
        "off": off,
    }
    print(json.dumps(told), flush=True)
