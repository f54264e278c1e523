"""The DQN agent, made of your parts. Supplied and complete.

Compare it with the slide "Deep Q networks". The slide's loop is split into three
methods: `act` chooses actions, `observe` fills the replay buffer, and `learn` samples
batches, updates θ_Q and sometimes θ_T. `train.py` calls these methods.
"""

from pathlib import Path

import dqn
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax


class DQNAgent:
    """A deep Q network, its target network and its replay buffer.

    Args:
        seed: the seed of the network's parameters, the exploration and the sampling.
        state_dim: D, the size of a state.
        num_actions: A, the number of actions.
        settings: a `Settings` of `train.py`.
    """

    def __init__(self, seed: int, state_dim: int, num_actions: int, settings) -> None:
        self.settings = settings
        network_key, self.key = jax.random.split(jax.random.key(seed))
        self.rng = np.random.default_rng(seed)
        self.buffer = dqn.ReplayBuffer(settings.capacity)

        # θ holds the arrays, model the structure: Q(s, ·; θ) = combine(θ, model)(s).
        net = dqn.q_network(network_key, state_dim, num_actions)
        self.theta_Q, model = eqx.partition(net, eqx.is_array)
        self.theta_T = self.theta_Q
        optimizer = optax.adam(settings.learning_rate)
        self.opt_state = optimizer.init(self.theta_Q)
        self.num_updates = 0

        def q_values(theta, states):
            return jax.vmap(eqx.combine(theta, model))(states)

        def act(key, theta, states, epsilon):
            return dqn.epsilon_greedy(key, q_values(theta, states), epsilon)

        def update(theta_Q, theta_T, opt_state, batch):
            return dqn.td_update(
                theta_Q, theta_T, model, batch, optimizer, opt_state, settings.gamma
            )

        self._q_values = jax.jit(q_values)
        self._act = jax.jit(act)
        self._update = jax.jit(update)

    def act(self, states: np.ndarray, epsilon: float) -> np.ndarray:
        """Return epsilon-greedy actions [N] for states [N,D], drawn with a new key."""
        self.key, key = jax.random.split(self.key)
        return np.asarray(self._act(key, self.theta_Q, states, epsilon))

    def observe(self, states, actions, rewards, terminateds, next_states) -> None:
        """Store N transitions one by one in the replay buffer.

        Args:
            states: [N,D].
            actions: [N].
            rewards: [N].
            terminateds: [N], true where the next state is terminal.
            next_states: [N,D].
        """
        rewards = rewards.astype(np.float32)
        for transition in zip(
            states, actions, rewards, terminateds, next_states, strict=True
        ):
            self.buffer.add(*transition)

    def learn(self) -> float:
        """Do a block of gradient updates; ask `sync_target` after each of them.

        Returns:
            The mean loss of the updates; nan if the buffer holds too few transitions
            for a batch.
        """
        if len(self.buffer) < self.settings.batch_size:
            return float("nan")
        losses = [self.one_update() for _ in range(self.settings.block_updates)]
        return float(np.mean(losses))

    def one_update(self) -> jax.Array:
        """Do one gradient update, ask `sync_target`, and return the loss."""
        batch = self.buffer.sample(self.settings.batch_size, self.rng)
        if hasattr(batch, "_make"):  # of a Transition; a field may be a list of rows
            batch = batch._make(map(np.asarray, batch))
        self.theta_Q, self.opt_state, loss = self._update(
            self.theta_Q, self.theta_T, self.opt_state, batch
        )
        # The period counts gradient updates, not environment steps or episodes.
        self.num_updates += 1
        self.theta_T = dqn.sync_target(
            self.theta_Q, self.theta_T, self.num_updates, self.settings.period
        )
        return loss

    def q_values(self, states: np.ndarray) -> np.ndarray:
        """Return Q(s, a; θ_Q) for all actions [N,A], for states [N,D]."""
        return np.asarray(self._q_values(self.theta_Q, states))

    def save(self, path: str | Path) -> None:
        """Write θ_Q to a file, which `make watch` reads."""
        np.savez(path, *jax.tree.leaves(self.theta_Q))

    def load(self, path: str | Path) -> None:
        """Read θ_Q from a file that `save` wrote.

        Raises:
            ValueError: the file holds the parameters of another network.
        """
        mine, structure = jax.tree.flatten(self.theta_Q)
        with np.load(path) as file:
            saved = list(file.values())
        if [leaf.shape for leaf in saved] != [leaf.shape for leaf in mine]:
            raise ValueError("the parameters in it are of another q_network")
        self.theta_Q = jax.tree.unflatten(structure, map(jnp.asarray, saved))
