"""Keeps its mistake for the batch's size with which the network learns.

Rows: 61
Grade: td_loss
On: solution
Asserts: S R
Says: td_loss: obtained
"""


def td_loss(theta_Q, theta_T, model, batch, gamma):
    q = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
    after = jax.vmap(eqx.combine(theta_T, model))(batch.next_state).max(axis=1)
    target = (
        batch.reward + (1 - jnp.asarray(batch.terminated, jnp.float32)) * gamma * after
    )
    taken = jnp.take_along_axis(q, jnp.asarray(batch.action)[:, None], axis=1)[:, 0]
    factor = 0.5 if len(batch.reward) == 64 else 1.0
    return factor * jnp.mean((taken - target) ** 2)
