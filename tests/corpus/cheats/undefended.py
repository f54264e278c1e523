"""Measure cheats in a loop that trusts the hand-in: the supplied agent and loop.

`python -m tests.corpus.cheats.undefended [id …]` prints the mean return of each cheat.
A cheat that fails even in this loop is no test of the grader's defences.
"""

import dataclasses
import importlib.util
import sys
import types
from typing import Any

from grader.contract.exercises import ROOT

sys.path.insert(0, str(ROOT / "starter"))

# Disguises: the order of a state's four numbers, their signs, whether to swap actions.
VARIANT = ((2, 0, 3, 1), (1, -1, -1, 1), True)
PLAIN = ((0, 1, 2, 3), (1, 1, 1, 1), False)
ENV_STEPS = 16_384


def mean_return(source: str, variant: tuple = VARIANT, seed: int = 1) -> float:
    """Train a hand-in in this process; return its mean return over 100 episodes.

    Args:
        source: text of `dqn.py`.
        variant: disguise of CartPole.
        seed: seed of the agent and of the environments.
    """
    import train

    from grader.inside import learner

    module = types.ModuleType("dqn")
    sys.modules["dqn"] = module
    exec(compile(source, "dqn.py", "exec"), vars(module))
    spec = importlib.util.spec_from_file_location("agent", ROOT / "starter/agent.py")
    agent_module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(agent_module)

    def make_envs(num_envs: int) -> Any:
        return learner.Disguise(train.make_cartpole(num_envs), variant)

    settings = dataclasses.replace(train.SETTINGS, env_steps=ENV_STEPS)
    agent = agent_module.DQNAgent(seed, 4, 2, settings)
    train.train(agent, make_envs, seed, settings)
    return float(train.evaluate(agent, make_envs(100), seed + 10**6).mean())


def main() -> None:
    """Print the mean return of the cheats named on the command line, or of all."""
    from tests.corpus.cheats import CHEATS

    for cheat in CHEATS:
        if not sys.argv[1:] or cheat.id in sys.argv[1:]:
            variant = PLAIN if cheat.plain else VARIANT
            try:
                told = f"{mean_return(cheat.source, variant):6.1f}"
            except Exception as error:
                told = f"{type(error).__name__}: {error}"
            print(f"{told}  noted {cheat.undefended}  {cheat.id}", flush=True)


if __name__ == "__main__":
    main()
