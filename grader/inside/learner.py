"""Learn CartPole with the hand-in's programs, and test the learned policy.

This code runs in the learner process, which has the environment, the seeds, the
parameters and the training loop. The loop is `starter/train.py`, which students have as
well. The agent that the loop calls is in `learning/agent.py`.
"""

from typing import Any

import numpy as np
import train

from grader.inside.learning.agent import RemoteAgent
from grader.inside.learning.answers import Foul
from grader.inside.learning.disguise import VARIANTS, Disguise, spelled

UNTRAINED_BELOW = 100.0  # bound on the mean return of an untrained network
NOISES = (0.03, 0.3, 3.0)  # standard deviations of noise on untrained parameters


def learn(
    runner: Any,
    seed: int,
    programs: dict[str, str],
    theta: list[np.ndarray],
) -> dict[str, Any]:
    """Train once and test the greedy policy on fresh episodes.

    Args:
        runner: the `Runner`, with the loaded programs and the connection to the grader.
        seed: seed of all random numbers.
        programs: names of the loaded programs, see `RemoteAgent`.
        theta: parameters of the new network.

    Returns:
        A dict: `mean_return` over the test episodes; the learning `curve` [n,2] with
        rows (environment step, mean return); the name of the drawn `variant`; `held`,
        the number of updates whose deviations were measured; `watched`, the columns of
        `TrainingLog`; `problem`, the reason why learning was stopped, or None. `held`
        is left out if there is a problem.
    """
    settings = train.SETTINGS
    sequence = np.random.SeedSequence(seed)
    agent_seed, train_seed, test_seed = map(int, sequence.generate_state(3, np.uint64))
    agent = RemoteAgent(runner, programs, theta, agent_seed, settings)
    curve: list[tuple[int, float]] = []
    name = ""
    try:
        variant = draw_variant(agent, np.random.default_rng(sequence))
        name = spelled(variant)

        def make_envs(num_envs: int) -> Any:
            return Disguise(train.make_cartpole(num_envs), variant)

        def on_progress(progress: train.Progress) -> None:
            agent.training_log.after_validation(progress)
            if progress.env_step % settings.validate_steps == 0:
                runner.ask({"do": "progress", "env_step": progress.env_step})

        curve = train.train(agent, make_envs, train_seed, settings, on_progress)
        envs = make_envs(settings.validation_episodes)
        mean_return = float(train.evaluate(agent, envs, test_seed % 2**31).mean())
    except Foul as foul:
        nothing = {"mean_return": 0.0, "curve": np.zeros((0, 2))}
        watched = {"watched": agent.training_log.as_dict()}
        return {"problem": str(foul), "variant": name, **watched, **nothing}
    return {
        "problem": None,
        "variant": name,
        "mean_return": mean_return,
        "curve": np.array(curve, np.float64).reshape(-1, 2),
        "held": agent.measured,
        "watched": agent.training_log.as_dict(),
    }


def draw_variant(agent: RemoteAgent, rng: np.random.Generator) -> tuple:
    """Draw a variant of CartPole in which the untrained network fails.

    An untrained network can contain a fixed rule that balances the pole in some of the
    variants. Such a variant is not taken, so that only learning can succeed. A rule can
    also wait until the parameters have changed. Therefore the network must fail with
    noise on its parameters, too. To fail means a mean return below UNTRAINED_BELOW.

    Args:
        agent: the agent, with the untrained network.
        rng: generator of the variants and the noise.

    Raises:
        Foul: the network does not fail in any of 20 drawn variants.
    """
    envs = train.make_cartpole(agent.settings.validation_episodes)
    fresh = [np.asarray(leaf) for leaf in agent.theta_Q]
    thetas = [fresh] + [
        [
            leaf + np.asarray(size * rng.normal(size=leaf.shape), leaf.dtype)
            for leaf in fresh
        ]
        for size in NOISES
    ]
    for _ in range(20):
        variant = VARIANTS[rng.integers(len(VARIANTS))]
        disguised, seed = Disguise(envs, variant), int(rng.integers(2**31))
        if all(
            train.evaluate(Untrained(agent, theta), disguised, seed).mean()
            < UNTRAINED_BELOW
            for theta in thetas
        ):
            return variant
    raise Foul("the untrained network already balances the pole in every disguise")


class Untrained:
    """An agent's network with other parameters, as `train.evaluate` takes it.

    Args:
        agent: the agent.
        theta: the parameters.
    """

    def __init__(self, agent: RemoteAgent, theta: list[np.ndarray]) -> None:
        self.agent, self.theta = agent, theta

    def q_values(self, states: np.ndarray) -> np.ndarray:
        """Return Q(s, a) for every action [N,2] of states [N,4]."""
        return self.agent.values_of(self.theta, states)
