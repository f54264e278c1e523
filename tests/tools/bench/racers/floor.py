"""Our DQN without a grader: the solution with the supplied agent and training loop.

The training loop itself judges the policy and stops the training.
"""

import agent
import dqn
import jax
import numpy as np
import race
import tasks
import train


def main() -> None:
    """Train once with the seed on the command line; report the result."""
    seed, _ = race.seed_and_steps(train.SETTINGS.env_steps)
    learner = agent.DQNAgent(seed, 4, 2, train.SETTINGS)
    compile_all(learner)

    def q_values(states: np.ndarray) -> np.ndarray:
        return learner.q_values(tasks.turned(states, tasks.NO_TURN))

    def make_envs(num_envs: int) -> tasks.TurnedEnvs:
        return tasks.make_turned(num_envs, tasks.NO_TURN)

    run = race.Race(seed, q_values)
    curve = train.train(learner, make_envs, seed)
    run.tell("likewise", curve[-1][0], run.test())


def compile_all(learner: agent.DQNAgent) -> None:
    """Compile the functions that the training calls, without changing the learner.

    Args:
        learner: the agent that will be trained.
    """
    settings = learner.settings
    states = np.zeros((settings.num_envs, 4), np.float32)
    learner._act(jax.random.key(0), learner.theta_Q, states, 1.0)
    n = settings.batch_size
    batch = dqn.Transition(
        state=np.zeros((n, 4), np.float32),
        action=np.zeros(n, np.int32),
        reward=np.zeros(n, np.float32),
        terminated=np.zeros(n, bool),
        next_state=np.zeros((n, 4), np.float32),
    )
    learner._update(learner.theta_Q, learner.theta_T, learner.opt_state, batch)


if __name__ == "__main__":
    main()
