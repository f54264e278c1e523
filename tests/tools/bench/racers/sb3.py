"""Stable-Baselines3's DQN with the settings of RL Zoo for CartPole-v1.

Torch uses one thread, because that is faster for such small networks.
"""

import gymnasium
import numpy as np
import race
import torch
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import BaseCallback

BUDGET = 50_000
SETTINGS = {
    "learning_rate": 2.3e-3,
    "batch_size": 64,
    "buffer_size": 100_000,
    "learning_starts": 1000,
    "gamma": 0.99,
    "target_update_interval": 10,
    "train_freq": 256,
    "gradient_steps": 128,
    "exploration_fraction": 0.16,
    "exploration_final_eps": 0.04,
    "policy_kwargs": {"net_arch": [256, 256]},
}


class Judged(BaseCallback):
    """A callback that judges the policy every `race.JUDGE_STEPS` environment steps.

    Args:
        run: the run that judges and reports.
    """

    def __init__(self, run: race.Race) -> None:
        super().__init__()
        self.run = run

    def _on_rollout_start(self) -> None:
        if self.num_timesteps and self.num_timesteps % race.JUDGE_STEPS == 0:
            self.run.judge(self.num_timesteps)

    def _on_step(self) -> bool:
        return True


def main() -> None:
    """Train once with the seed on the command line; report the results."""
    seed, steps = race.seed_and_steps(BUDGET)
    torch.set_num_threads(1)
    env = gymnasium.make("CartPole-v1")
    learner = DQN("MlpPolicy", env, seed=seed, device="cpu", **SETTINGS)

    def q_values(states: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return learner.q_net(torch.from_numpy(states)).numpy()

    run = race.Race(seed, q_values)
    learner.learn(steps, callback=Judged(run))
    run.end(learner.num_timesteps)


if __name__ == "__main__":
    main()
