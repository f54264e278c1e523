"""A mistake costs points where it is made, and right work in odd styles loses none."""

import pytest

from tests.corpus.mutants import MUTANTS

SOURCES = {mutant.id: mutant.source for mutant in MUTANTS}
COLUMNS = {
    "discounted_returns": """\
def step(later, r):
    now = r + gamma * later
    return now, now
return jax.lax.scan(step, 0.0, jnp.asarray(rewards), reverse=True)[1][:, None]""",
    "mc_loss": """\
q = jax.vmap(eqx.combine(theta_Q, model))(states)
q = jnp.take_along_axis(q, actions[:, None], axis=1)
return jnp.mean((q - discounted_returns(rewards, gamma)) ** 2)""",
}
ONE_MORE = {
    "discounted_returns": """\
def step(later, r):
    now = r + gamma * later
    return now, now
later = jax.lax.scan(step, 0.0, jnp.asarray(rewards), reverse=True)[1]
return jnp.append(later, 0.0)""",
    "mc_loss": """\
q = jax.vmap(eqx.combine(theta_Q, model))(states)[jnp.arange(len(actions)), actions]
return jnp.mean((q - discounted_returns(rewards, gamma)[:-1]) ** 2)""",
}
OF_THE_LOSS = {"one_step_loss", "loss", "loss_example", "gradient"}
ENDS_AT_ZERO = """\
V = np.array(Q).max(axis=1)
if bool(terminateds[-1]):
    V[int(next_states[-1])] = 0.0
y = np.asarray(rewards) + gamma * V[np.asarray(next_states)]
s, a = np.asarray(states), np.asarray(actions)
new = np.array(Q)
np.add.at(new, (s, a), alpha * (y - new[s, a]))
return new"""
NOISY_TIES = """\
coin_key, action_key = jax.random.split(key)
N, A = q_values.shape
greedy = jnp.argmax(q_values + {noise}, axis=1)
explore = jax.random.uniform(coin_key, (N,)) < epsilon
return jnp.where(explore, jax.random.randint(action_key, (N,), 0, A), greedy)"""
UPDATE = """
{before}

def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    {gradient}
    updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
    return eqx.apply_updates(theta_Q, updates), opt_state, loss
"""
GIVEN = "(theta_Q, theta_T, model, batch, gamma)"
WRITTEN_OUT = UPDATE.format(
    before="""
def own_loss(theta_Q, theta_T, model, batch, gamma):
    q = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
    v = jax.vmap(eqx.combine(theta_T, model))(batch.next_state).max(axis=1)
    y = batch.reward + gamma * v * (1 - batch.terminated)
    return jnp.mean((q[jnp.arange(len(y)), batch.action] - y) ** 2)
""",
    gradient=f"loss, grads = jax.value_and_grad(own_loss){GIVEN}",
)
KEPT = UPDATE.format(
    before="loss_and_grad = eqx.filter_value_and_grad(td_loss)",
    gradient=f"loss, grads = loss_and_grad{GIVEN}",
)
WITH_AUX = UPDATE.format(
    before="",
    gradient="(loss, _), grads = jax.value_and_grad(td_loss, has_aux=True)" + GIVEN,
)


def lost(report) -> set[str]:
    """Return the names of the checks that lost points, of the only exercise."""
    (exercise,) = report["exercises"]
    return {c["name"] for c in exercise["checks"] if c["score"] < c["max_score"]}


@pytest.mark.parametrize("discount", ["gamma * ", ""], ids=["γ", "no γ"])
@pytest.mark.parametrize("bodies", [COLUMNS, ONE_MORE], ids=["columns", "one more"])
def test_a_loss_that_undoes_wrong_returns(hand_in, graded, bodies, discount):
    """`mc_loss` is right with the returns as they are, so only the returns lose."""
    returns = bodies["discounted_returns"].replace("gamma * ", discount)
    path = hand_in(discounted_returns=returns, mc_loss=bodies["mc_loss"])
    names = lost(graded(path, "monte_carlo"))
    assert names
    assert not names & OF_THE_LOSS


def test_equal_returns_hide_no_wrong_loss(hand_in, graded):
    """A wrong loss loses its points, also if it is right on returns that are all equal.

    The loss compares each value with each return.
    """
    returns = ONE_MORE["discounted_returns"]
    returns = returns.replace(
        "jnp.append(later, 0.0)", "jnp.full_like(later, later[0])"
    )
    path = hand_in(discounted_returns=returns, mc_loss=COLUMNS["mc_loss"])
    assert lost(graded(path, "monte_carlo")) >= {"loss", "gradient"}


def test_a_terminal_state_may_be_worth_nothing(hand_in, graded):
    """No step leaves a terminal state, so its row of Q may count as zero everywhere."""
    assert lost(graded(hand_in(update_Q_TD0=ENDS_AT_ZERO), "update_Q_TD0")) == set()


@pytest.mark.parametrize(
    ("noise", "names"),
    [
        ("1e-6 * np.random.uniform(size=(N, A))", {"keys"}),
        ("1e-2 * jax.random.uniform(key, (N, A))", {"ties"}),
    ],
    ids=["not by the key", "too large"],
)
def test_noise_that_breaks_ties(hand_in, graded, noise, names):
    """Ties may be broken at random, by the key, and only where values are equal."""
    body = NOISY_TIES.format(noise=noise)
    assert lost(graded(hand_in(epsilon_greedy=body), "epsilon_greedy")) == names


@pytest.mark.parametrize("mistake", ["td-negative", "td-half", "td-len-of-batch"])
def test_a_wrong_factor_costs_no_target(hand_in, graded, mistake):
    """A constant factor of `td_loss` costs the checks of the mean, and no others."""
    names = lost(graded(hand_in(source=SOURCES[mistake]), "td_loss"))
    assert names == {"mean_of_squares", "example", "learning_sizes"}


@pytest.mark.parametrize(
    ("update", "mistake"),
    [
        (WRITTEN_OUT, "td-half"),
        (WRITTEN_OUT, "td-no-reduction"),
        (KEPT, "td-half"),
        (KEPT, "td-no-reduction"),
        (KEPT, "td-pred-stopped"),
        (KEPT, "td-python-loop"),
        (WITH_AUX, "td-returns-pair"),
    ],
)
def test_a_right_update_beside_a_wrong_loss(hand_in, graded, update, mistake):
    """A right `td_update` loses nothing, however it comes by the gradient.

    It may write the loss out again, keep the gradient's function from the import, or
    expect what only the `td_loss` beside it returns.
    """
    path = hand_in(source=SOURCES[mistake] + update)
    assert lost(graded(path, "td_update")) == set()


@pytest.mark.parametrize("mistake", ["td-half", "td-no-reduction"])
def test_a_wrong_loss_in_the_update(hand_in, graded, mistake):
    """A loss in `td_update` that is neither right nor `td_loss` costs points."""
    update = WRITTEN_OUT.replace("jnp.mean(", "1.5 * jnp.mean(")
    names = lost(graded(hand_in(source=SOURCES[mistake] + update), "td_update"))
    assert names >= {"one_step", "state_survives", "example"}
