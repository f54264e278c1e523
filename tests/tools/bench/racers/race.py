"""Judge the greedy policies of racers, and report the results.

A racer is a DQN implementation that `peers.py` starts. A DQN of another author is
judged by two rules, in one run:

- "likewise": every 2048 steps the greedy policy plays 100 validation episodes, as in
  our loop. The training counts as finished when their mean return is at least 490. This
  rule is fair to a racer that does not stop early by itself.
- "whole": the training uses its authors' whole budget of steps and is judged only at
  the end. The time of the validations is subtracted.

Under both rules 100 other episodes, the test, give the final mean return. All episodes
are played by `evaluate` of `starter/train.py`, in gymnasium's CartPole-v1.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import tasks
import train
from told import say

JUDGE_STEPS = train.SETTINGS.validate_steps
EPISODES = train.SETTINGS.validation_episodes


def seed_and_steps(budget: int) -> tuple[int, int]:
    """Return the seed and the number of environment steps from the command line.

    Args:
        budget: the number of steps if the command line names none.
    """
    seed, *steps = map(int, sys.argv[1:])
    return seed, *(steps or [budget])


class Race:
    """One run of a racer; the clock starts when the object is made.

    Make the object after imports and compilation.

    Args:
        seed: the seed of the validation and test episodes.
        q_values: a function that takes states [N,D] and returns the policy's Q values
            [N,A].
    """

    def __init__(self, seed: int, q_values: Callable[[np.ndarray], np.ndarray]) -> None:
        self.q_values = q_values
        seeds = np.random.SeedSequence(seed).generate_state(2)
        self.validation_seed, self.test_seed = map(int, seeds)
        self.envs = tasks.make_cartpole(EPISODES)
        self.stopped = False
        self.judging = 0.0  # seconds spent on validation
        q_values(np.zeros((EPISODES, 4), np.float32))  # compiles before the start
        self.started = time.perf_counter()

    def judge(self, env_step: int) -> None:
        """Play the validation episodes; report a result if their mean return is ≥ 490.

        This is the result under the rule "likewise". After this report, further calls
        do nothing.

        Args:
            env_step: the number of environment steps so far.
        """
        if self.stopped:
            return
        began = time.perf_counter()
        returns = train.evaluate(self, self.envs, self.validation_seed + env_step)
        if returns.mean() >= train.SETTINGS.solved_at:
            self.stopped = True
            self.tell("likewise", env_step, self.test())
        self.judging += time.perf_counter() - began

    def end(self, env_step: int) -> None:
        """Report the results at the end of the training.

        The result under the rule "whole" is always reported. The result under the rule
        "likewise" is reported only if `judge` has not done so.

        Args:
            env_step: the number of environment steps of the whole training.
        """
        mean_return = self.test()
        if not self.stopped:
            self.tell("likewise", env_step, mean_return)
        self.tell("whole", env_step, mean_return, self.judging)

    def test(self) -> float:
        """Return the mean return of 100 test episodes."""
        return float(train.evaluate(self, self.envs, self.test_seed).mean())

    def tell(
        self, rule: str, env_step: int, mean_return: float, off: float = 0.0
    ) -> None:
        """Report a result to `peers.py`.

        Args:
            rule: "likewise" or "whole".
            env_step: the number of environment steps.
            mean_return: the mean return of the test episodes.
            off: the seconds to subtract from the measured times.
        """
        training = time.perf_counter() - self.started - off
        say(rule, env_step, mean_return, training, off)
