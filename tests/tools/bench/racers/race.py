"""What the racers share: how a greedy policy is judged, and what is told of it.

Each peer is judged under two rules, in one run. "likewise": its greedy policy plays 100
validation episodes every 2048 steps, as ours does, and it stops when their mean return
is at least 490, for it would be unfair to win by stopping early alone. "whole": it
spends the whole budget that its authors give it and is not judged before the end. So a
run goes on after it could have stopped, and the time spent on judging is taken off
again. Either way 100 other episodes, the test, say what was reached. All of them are
played by the evaluation of `starter/train.py`, in gymnasium's own CartPole-v1.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import train
from told import say

JUDGE_STEPS = train.SETTINGS.validate_steps
EPISODES = train.SETTINGS.validation_episodes


def seed_and_steps(budget: int) -> tuple[int, int]:
    """From the command line: the seed, and the steps to train, the budget if none."""
    seed, *steps = map(int, sys.argv[1:])
    return seed, *(steps or [budget])


class Race:
    """One run of a racer. Made when all is imported and compiled: its clock starts.

    Args:
        seed: of the episodes that judge.
        q_values: Q(s, a) of the policy as it is now, [N,A] for states [N,D].
    """

    def __init__(self, seed: int, q_values: Callable[[np.ndarray], np.ndarray]) -> None:
        self.q_values = q_values
        seeds = np.random.SeedSequence(seed).generate_state(2)
        self.validation_seed, self.test_seed = map(int, seeds)
        self.envs = train.make_cartpole(EPISODES)
        self.stopped = False
        self.judging = 0.0  # seconds
        q_values(np.zeros((EPISODES, 4), np.float32))  # compiles
        self.started = time.perf_counter()

    def judge(self, env_step: int) -> None:
        """Validate; the first time that this would stop ours, tell what was reached."""
        if self.stopped:
            return
        began = time.perf_counter()
        returns = train.evaluate(self, self.envs, self.validation_seed + env_step)
        if returns.mean() >= train.SETTINGS.solved_at:
            self.stopped = True
            self.tell("likewise", env_step, self.test())
        self.judging += time.perf_counter() - began

    def end(self, env_step: int) -> None:
        """Tell what the whole budget reached."""
        mean_return = self.test()
        if not self.stopped:
            self.tell("likewise", env_step, mean_return)
        self.tell("whole", env_step, mean_return, self.judging)

    def test(self) -> float:
        """The mean return of the test episodes."""
        return float(train.evaluate(self, self.envs, self.test_seed).mean())

    def tell(
        self, rule: str, env_step: int, mean_return: float, off: float = 0.0
    ) -> None:
        """Tell the driver; `off` seconds are to be taken off, from these times too."""
        training = time.perf_counter() - self.started - off
        say(rule, env_step, mean_return, training, off)
