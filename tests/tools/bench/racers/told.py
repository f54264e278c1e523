"""How a racer tells the driver what it reached. Imports nothing that takes time."""

import json


def say(
    rule: str, env_steps: int, mean_return: float, training: float, off: float = 0.0
) -> None:
    """One line for the driver, which looks at its clock when it arrives.

    Args:
        rule: "likewise" or "whole", see `race.py`.
        env_steps: in the environment.
        mean_return: of the test episodes.
        training: seconds, test included, imports and compilation not.
        off: seconds to be taken off the driver's clock.
    """
    told = {
        "rule": rule,
        "env_steps": env_steps,
        "mean_return": mean_return,
        "training": training,
        "off": off,
    }
    print(json.dumps(told), flush=True)
