"""The grader's own updates are right; a hand-in's updates are compared with them."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from grader.inside.learning.updates import (
    CLOSE,
    NOT_COMPARED,
    Updates,
    flat,
    make_values,
)

B, D, A, H, N, GAMMA = 5, 3, 4, 6, 7, 0.7
ADAM = optax.adam(1e-2)


def network(theta, state):
    """Return the values [A] of one state [D]; the network has one hidden layer."""
    weight, bias, last, last_bias = theta
    return last @ jnp.tanh(weight @ state + bias) + last_bias


def values(theta, states):
    """Return the values [B,A] of states [B,D] by the same network, without `vmap`."""
    weight, bias, last, last_bias = theta
    return jnp.tanh(states @ weight.T + bias) @ last.T + last_bias


def drawn_theta(rng):
    """Return random parameters for `network`, as a list of four arrays."""
    shapes = ((H, D), (H,), (A, H), (A,))
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


def drawn_batches(rng, n=N):
    """Return n random batches: for each field an array [n,B,...].

    In each batch, rows 1 and 3 (counted from 0) are terminated.
    """
    return {
        "state": rng.normal(size=(n, B, D)).astype(np.float32),
        "action": rng.integers(A, size=(n, B)).astype(np.int32),
        "reward": rng.normal(size=(n, B)).astype(np.float32),
        "terminated": np.tile(np.arange(B) % 2 == 1, (n, 1)),
        "next_state": rng.normal(size=(n, B, D)).astype(np.float32),
    }


def right_loss(theta_Q, theta_T, batch):
    """Return the right loss of a batch."""
    q, t = values(theta_Q, batch["state"]), values(theta_T, batch["next_state"])
    y = jnp.where(batch["terminated"], 0, GAMMA * t.max(axis=1)) + batch["reward"]
    taken = (q * (batch["action"][:, None] == np.arange(A))).sum(axis=1)
    return ((taken - y) ** 2).sum() / B


def half_loss(theta_Q, theta_T, batch):
    """Return half of the right loss."""
    return right_loss(theta_Q, theta_T, batch) / 2


def unmasked_loss(theta_Q, theta_T, batch):
    """Return the right loss, but as if no transition were terminated."""
    batch = {**batch, "terminated": np.zeros(B, bool)}
    return right_loss(theta_Q, theta_T, batch)


def own_update(loss=right_loss, change=lambda before, after: after):
    """Return a function that computes what the hand-in's program of `td_update` would.

    Args:
        loss: the hand-in's loss.
        change: function (before, after) that returns the hand-in's results. `before`
            has θ_Q and the state before the step, `after` has the right results.
    """

    def program(args):
        theta, opt_leaves = args["theta_Q"], args["opt_state"]
        structure = jax.tree.structure(ADAM.init(theta))
        gradient = jax.grad(loss)(theta, args["theta_T"], args)
        state = jax.tree.unflatten(structure, opt_leaves)
        step, state = ADAM.update(gradient, state, theta)
        after = {
            "theta_Q": optax.apply_updates(theta, step),
            "opt_state": jax.tree.leaves(state),
        }
        return change({"theta_Q": theta, "opt_state": opt_leaves}, after)

    return program


def made(own=None):
    """Return an `Updates`, and all that a block of updates needs.

    Args:
        own: the hand-in's `td_update`; None for a right one.

    Returns:
        The `Updates`, the carry (θ_Q, θ_T, state of Adam), and N batches.
    """
    rng = np.random.default_rng(2)
    theta_Q, theta_T = drawn_theta(rng), drawn_theta(rng)
    updates = Updates(make_values(network), own or own_update(), ADAM, theta_Q, GAMMA)
    carry = flat(theta_Q), flat(theta_T), ADAM.init(flat(theta_Q))
    return updates, carry, drawn_batches(rng)


def only(batches, i):
    """Return batch i of several batches, an array [B,...] for each field."""
    return {name: column[i] for name, column in batches.items()}


def test_the_block_makes_the_updates_that_are_asked_for():
    """A block of seven updates with two syncs gives the same as seven steps of Optax.

    Compared are θ_Q, θ_T, the state of Adam and the losses.
    """
    updates, carry, batches = made()
    synced = np.isin(np.arange(N), (1, 4))
    theta_Q, theta_T = (updates.unflat(vector) for vector in carry[:2])
    state = ADAM.init(theta_Q)
    expected = []

    @jax.jit
    def one(theta_Q, theta_T, state, batch):
        loss, gradient = jax.value_and_grad(right_loss)(theta_Q, theta_T, batch)
        step, state = ADAM.update(gradient, state, theta_Q)
        return optax.apply_updates(theta_Q, step), state, loss

    for i in range(N):
        theta_Q, state, loss = one(theta_Q, theta_T, state, only(batches, i))
        expected.append(loss)
        theta_T = theta_Q if synced[i] else theta_T
    carry, losses, distances = updates.block(carry, batches, synced, np.zeros(N, bool))
    np.testing.assert_allclose(losses, expected, 1e-4)
    np.testing.assert_allclose(carry[0], flat(theta_Q), 1e-4, 1e-5)
    np.testing.assert_allclose(carry[1], flat(theta_T), 1e-4, 1e-5)
    np.testing.assert_allclose(
        flat(updates.as_leaves(carry[2])), flat(jax.tree.leaves(state)), 1e-3, 1e-6
    )
    assert (np.asarray(distances) == NOT_COMPARED).all()


def test_a_right_update_is_close():
    """A right `td_update` differs from the grader's update only by rounding.

    An update that is not compared has the distance `NOT_COMPARED`.
    """
    updates, carry, batches = made()
    compared = np.arange(N) % 3 == 0
    _, _, distances = updates.block(carry, batches, np.zeros(N, bool), compared)
    distances = np.asarray(distances)
    assert (distances[~compared] == NOT_COMPARED).all()
    assert (distances[compared] >= 0).all()
    assert (distances[compared] < CLOSE / 10).all()


@pytest.fixture(scope="module")
def right_theta():
    """Return θ_Q after a block of the grader's updates."""
    updates, carry, batches = made()
    no = np.zeros(N, bool)
    return np.asarray(updates.block(carry, batches, no, no)[0][0])


def ascending(before, after):
    """Return the results of an update that moves θ_Q in the wrong direction."""
    moved = zip(before["theta_Q"], after["theta_Q"], strict=True)
    return {**after, "theta_Q": [2 * a - b for a, b in moved]}


def against(before, after):
    """Return the results of an update that negates the means in Adam's state."""
    count, *averages = after["opt_state"]
    means, squares = averages[:4], averages[4:]
    return {**after, "opt_state": [count, *(-mean for mean in means), *squares]}


WRONG = {
    "half the loss": own_update(half_loss),
    "no mask": own_update(unmasked_loss),
    "up the slope": own_update(change=ascending),
    "no step": own_update(change=lambda b, a: {**a, "theta_Q": b["theta_Q"]}),
    "an old state": own_update(change=lambda b, a: {**a, "opt_state": b["opt_state"]}),
    "a mean of the other sign": own_update(change=against),
    "another weight": own_update(
        change=lambda b, a: {**a, "theta_Q": [*a["theta_Q"][:3], b["theta_Q"][3] + 1]}
    ),
    "nan": own_update(
        change=lambda b, a: {**a, "theta_Q": [x * np.nan for x in a["theta_Q"]]}
    ),
}


@pytest.mark.parametrize("own", WRONG.values(), ids=WRONG)
def test_a_wrong_update_is_far(own, right_theta):
    """The distance of a wrong `td_update` is more than `CLOSE`, or it is NaN.

    Even then, θ_Q is moved by the grader's own updates.
    """
    updates, carry, batches = made(own)
    compared = np.ones(N, bool)
    after, _, distances = updates.block(carry, batches, np.zeros(N, bool), compared)
    assert (~(np.asarray(distances) <= CLOSE)).all()
    np.testing.assert_allclose(after[0], right_theta, 1e-4, 1e-5)


def right_slopes(all_values, batch):
    """Return the slopes of the right loss: its derivatives by the values under θ_Q.

    Args:
        all_values: the values of the batch, as from `Updates.all_values`.
        batch: the batch.
    """
    q, t = np.asarray(all_values["q_s"]), np.asarray(all_values["t_n"])
    y = batch["reward"] + GAMMA * ~batch["terminated"] * t.max(axis=1)
    slopes = {"q_s": np.zeros((B, A)), "q_n": np.zeros((B, A)), "q_0": np.zeros((1, A))}
    for i, a in enumerate(batch["action"]):
        slopes["q_s"][i, a] = 2 * (q[i, a] - y[i]) / B
    return {name: slope.astype(np.float32) for name, slope in slopes.items()}


def test_a_step_along_right_slopes_is_the_same_update():
    """A step along the slopes of the right loss equals the usual update."""
    updates, carry, batches = made()
    batch = only(batches, 0)
    slopes = right_slopes(updates.all_values(carry[0], carry[1], batch), batch)
    new, distance = updates.step_along(carry, batch, slopes, np.True_)
    first = {name: column[:1] for name, column in batches.items()}
    no = np.zeros(1, bool)
    expected, *_ = updates.block(carry, first, no, no)
    np.testing.assert_allclose(new[0], expected[0], 1e-5, 1e-6)
    np.testing.assert_allclose(new[1][0].mu, expected[2][0].mu, 1e-4, 1e-6)
    assert distance < CLOSE / 10


def test_a_step_along_slopes_in_all_values():
    """A step uses the slopes in the values of s, of s′ and of a state of zeros."""
    updates, carry, batches = made()
    batch, rng = only(batches, 1), np.random.default_rng(4)
    sizes = {"q_s": B, "q_n": B, "q_0": 1}
    slopes = {
        name: rng.normal(size=(size, A)).astype(np.float32)
        for name, size in sizes.items()
    }

    def pulled(theta):
        total = (values(theta, batch["state"]) * slopes["q_s"]).sum()
        total += (values(theta, batch["next_state"]) * slopes["q_n"]).sum()
        return total + (values(theta, np.zeros((1, D))) * slopes["q_0"]).sum()

    theta = updates.unflat(carry[0])
    gradient = jax.jit(jax.grad(pulled))(theta)
    (_, state), distance = updates.step_along(carry, batch, slopes, np.True_)
    np.testing.assert_allclose(state[0].mu, 0.1 * flat(gradient), 1e-4, 1e-6)
    assert distance > CLOSE


def test_all_values_are_those_of_both_networks():
    """`all_values` returns the values of s, s′ and zeros, by θ_Q and by θ_T."""
    updates, carry, batches = made()
    batch = only(batches, 2)
    found = updates.all_values(carry[0], carry[1], batch)
    zeros = np.zeros((1, D), np.float32)
    of = {"s": batch["state"], "n": batch["next_state"], "0": zeros}
    for who, vector in zip("qt", carry[:2], strict=True):
        theta = updates.unflat(vector)
        for where, states in of.items():
            expected = values(theta, states)
            np.testing.assert_allclose(found[f"{who}_{where}"], expected, 1e-4, 1e-5)


def test_a_network_sees_one_state():
    """The network gets one state [D] at a time, never a batch of states."""

    def compares(theta, state):
        assert state.shape == (D,)
        return network(theta, state - state.mean())

    rng = np.random.default_rng(0)
    theta, states = drawn_theta(rng), rng.normal(size=(B, D)).astype(np.float32)
    expected = [compares(theta, state) for state in states]
    np.testing.assert_allclose(make_values(compares)(theta, states), expected, 1e-4)
