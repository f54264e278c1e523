"""Rejax's DQN: the whole training, with gymnax's CartPole, is one JAX program.

`compiled.py rejax` uses rejax's own settings for CartPole-v1. `compiled.py purejaxrl`
uses the settings of PureJaxRL, a similar project that is no package. The training is
divided into calls of the compiled program with about 2050 environment steps each (in
ten environments together), so that the policy can be judged between two calls.
"""

import math
import sys

import jax
import numpy as np
import race
import rejax
from flax import linen
from rejax.networks import DiscreteQNetwork, EpsilonGreedyPolicy

SETTINGS = {
    "rejax": {
        "total_timesteps": 100_000,
        "agent": "DuelingQNetwork",
        "agent_kwargs": {"activation": "swish"},
        "num_envs": 10,
        "buffer_size": 50_000,
        "fill_buffer": 5000,
        "batch_size": 100,
        "max_grad_norm": 10,
        "learning_rate": 1e-3,
        "num_epochs": 5,
        "polyak": 0.98,
        "eps_start": 1.0,
        "eps_end": 0.05,
        "exploration_fraction": 0.5,
        "gamma": 0.99,
        "ddqn": True,
    },
    "purejaxrl": {
        "total_timesteps": 500_000,
        "num_envs": 10,
        "buffer_size": 10_000,
        "fill_buffer": 10_000,
        "batch_size": 128,
        "learning_rate": 2.5e-4,
        "num_epochs": 1,  # an update every ten steps: one for each environment
        "target_update_freq": 500,
        "polyak": 0.0,
        "eps_start": 1.0,
        "eps_end": 0.05,
        "exploration_fraction": 0.5,
        "gamma": 0.99,
        "ddqn": False,
    },
}


def make(name: str, steps: int) -> rejax.Algorithm:
    """Return rejax's DQN with the settings `SETTINGS[name]`.

    Args:
        name: "rejax" or "purejaxrl".
        steps: the number of environment steps of the whole training.
    """
    algorithm = rejax.get_algo("dqn").create(
        env="CartPole-v1", **{**SETTINGS[name], "total_timesteps": steps}
    )
    if name == "rejax":
        return algorithm
    network = EpsilonGreedyPolicy(DiscreteQNetwork)(
        hidden_layer_sizes=(120, 84), action_dim=2, activation=linen.relu
    )
    return algorithm.replace(agent=network)


def main() -> None:
    """Train once with the settings and seed on the command line; report the results."""
    name = sys.argv.pop(1)
    seed, steps = race.seed_and_steps(SETTINGS[name]["total_timesteps"])
    algorithm = make(name, steps)
    num_envs = algorithm.num_envs

    @jax.jit
    def train(state, rounds):
        return jax.lax.fori_loop(
            0, rounds, lambda _, state: algorithm.train_iteration(state), state
        )

    apply = jax.jit(algorithm.agent.apply)
    state = jax.jit(algorithm.init_state)(jax.random.key(seed))
    train(state, 0)  # compiles `train` before the clock starts
    run = race.Race(seed, lambda states: np.asarray(apply(state.q_ts.params, states)))

    piece = math.ceil(race.JUDGE_STEPS / num_envs)
    left = steps // num_envs
    while left:
        rounds = min(piece, left)
        left -= rounds
        state = train(state, rounds)
        run.judge(int(state.global_step))
    run.end(steps)


if __name__ == "__main__":
    main()
