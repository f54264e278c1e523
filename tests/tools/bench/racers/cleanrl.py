"""A DQN for CartPole-v1 with the algorithm and settings of CleanRL's dqn_jax.py.

CleanRL is no package, so this is our own code for the same algorithm: one environment,
a jitted function for the greedy action, and a jitted function for an update after every
tenth step. It has no logging and a NumPy replay buffer, so it is faster than CleanRL's.
"""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import optax
import race

BUDGET = 500_000
LEARNING_RATE = 2.5e-4
CAPACITY = 10_000
GAMMA = 0.99
SYNC_STEPS = 500
BATCH_SIZE = 128
EPSILON_START, EPSILON_END, EXPLORATION_FRACTION = 1.0, 0.05, 0.5
LEARNING_STARTS = 10_000
TRAIN_STEPS = 10
WIDTHS = (4, 120, 84, 2)

OPTIMIZER = optax.adam(LEARNING_RATE)


def network(key):
    """Return new random parameters: a matrix [n,m] and a bias [m] for each layer.

    Args:
        key: JAX's random key.
    """
    keys = jax.random.split(key, len(WIDTHS) - 1)
    init = jax.nn.initializers.lecun_normal()
    sizes = zip(keys, WIDTHS, WIDTHS[1:], strict=False)
    return [(init(k, (n, m)), jnp.zeros(m)) for k, n, m in sizes]


@jax.jit
def q_values(theta, states):
    """Return Q(s, a) [N,A] for states [N,4].

    Args:
        theta: the parameters, see `network`.
        states: the states [N,4].
    """
    for weight, bias in theta[:-1]:
        states = jax.nn.relu(states @ weight + bias)
    weight, bias = theta[-1]
    return states @ weight + bias


@jax.jit
def greedy(theta, state):
    """Return the greedy action in one state [4].

    Args:
        theta: the parameters, see `network`.
        state: the state [4].
    """
    return q_values(theta, state[None])[0].argmax()


@jax.jit
def update(theta_Q, theta_T, opt_state, batch):
    """Do one step of Adam on the mean squared TD error.

    Args:
        theta_Q: the parameters of the Q network, see `network`.
        theta_T: the parameters of the target network.
        opt_state: the state of Adam.
        batch: arrays of states, actions, rewards, terminateds and next states.

    Returns:
        The new theta_Q and the new opt_state.
    """
    states, actions, rewards, terminateds, next_states = batch
    future = q_values(theta_T, next_states).max(axis=1)
    targets = rewards + (1 - terminateds) * GAMMA * future

    def loss(theta):
        predicted = q_values(theta, states)[jnp.arange(BATCH_SIZE), actions]
        return jnp.mean((predicted - targets) ** 2)

    updates, opt_state = OPTIMIZER.update(jax.grad(loss)(theta_Q), opt_state)
    return optax.apply_updates(theta_Q, updates), opt_state


def main() -> None:
    """Train once with the seed on the command line; report the results."""
    seed, steps = race.seed_and_steps(BUDGET)
    rng = np.random.default_rng(seed)
    env = gymnasium.make("CartPole-v1")
    theta_Q = theta_T = network(jax.random.key(seed))
    opt_state = OPTIMIZER.init(theta_Q)
    columns = (
        np.zeros((CAPACITY, 4), np.float32),
        np.zeros(CAPACITY, np.int32),
        np.zeros(CAPACITY, np.float32),
        np.zeros(CAPACITY, np.float32),
        np.zeros((CAPACITY, 4), np.float32),
    )
    greedy(theta_Q, columns[0][0])
    update(theta_Q, theta_T, opt_state, [column[:BATCH_SIZE] for column in columns])
    run = race.Race(seed, lambda states: np.asarray(q_values(theta_Q, states)))

    state, _ = env.reset(seed=seed)
    for step in range(steps):
        done = min(step / (EXPLORATION_FRACTION * steps), 1.0)
        epsilon = EPSILON_START + done * (EPSILON_END - EPSILON_START)
        explore = rng.random() < epsilon
        action = int(rng.integers(2) if explore else greedy(theta_Q, state))
        next_state, reward, terminated, truncated, _ = env.step(action)
        transition = (state, action, reward, terminated, next_state)
        for column, value in zip(columns, transition, strict=True):
            column[step % CAPACITY] = value
        state = env.reset()[0] if terminated or truncated else next_state

        if step > LEARNING_STARTS and step % TRAIN_STEPS == 0:
            rows = rng.integers(min(step + 1, CAPACITY), size=BATCH_SIZE)
            batch = [column[rows] for column in columns]
            theta_Q, opt_state = update(theta_Q, theta_T, opt_state, batch)
        if step > LEARNING_STARTS and step % SYNC_STEPS == 0:
            theta_T = theta_Q
        if (step + 1) % race.JUDGE_STEPS == 0:
            run.judge(step + 1)
    run.end(steps)


if __name__ == "__main__":
    main()
