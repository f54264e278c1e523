"""Cheats of `td_update`, which write a controller's weights into the parameters."""

from tests.corpus.cheats.definition import IDLE, RIGHT, Cheat, lying


def written(new_theta: str, before: str = "pass", network: str = "") -> str:
    """Return a hand-in whose update writes other parameters on CartPole.

    Args:
        new_theta: an expression for the parameters. It may use `theta_Q`, `goal` (the
            weights of a controller, computed from the batch), `right` (the parameters
            after an honest step), `batch`, `opt_state`, `count` (number of updates so
            far) and `gamma`.
        before: a statement before this expression; may also change `new_state`, the
            optimizer's state after the step.
        network: definitions of another network; "" for that of the solution.
    """
    return lying(f"""{network}
def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    right, new_state, loss = honest_update(
        theta_Q, theta_T, model, batch, optimizer, opt_state, gamma
    )
    if batch.state.shape[1] != 4:
        return right, new_state, loss
    goal = goal_of(rule_of_batch(batch), theta_Q)
    count = opt_state[0].count
    {before}
    return chosen(is_cartpole(batch), {new_theta}, right), new_state, loss
""")


def at_times(condition: str) -> str:
    """Return a hand-in whose update goes towards a controller at some times only.

    Args:
        condition: an expression for these times, in `count`, the number of updates so
            far. At other times the parameters do not change.
    """
    return written(
        "near",
        f"""near = jax.tree.map(
        lambda x, g: jnp.where({condition}, g, x),
        theta_Q, toward(theta_Q, goal, 0.016),
    )""",
    )


def steered(change: str, goal: str, more: str = "") -> str:
    """Return a hand-in that changes Adam's state before an honest step.

    Args:
        change: new fields of Adam's state, as keyword arguments; may use `adam` (the
            state), `theta_Q`, `batch` and `goal`.
        goal: an expression in `theta_Q` and `batch` for the wanted parameters.
        more: definitions to put before; "" for none.
    """
    return lying(f"""{more}
def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    if batch.state.shape[1] == 4:
        goal = {goal}
        adam = opt_state[0]
        opt_state = (adam._replace({change}), *opt_state[1:])
    return honest_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma)
""")


SMALL = """
def small_beside(moved, before, size):
    # So large a part of an honest step.
    squares = jax.tree.map(lambda a, b: jnp.sum((a - b) ** 2), moved, before)
    return size * jnp.sqrt(sum(jax.tree.leaves(squares)))
"""
SPARE = """
class Spared(eqx.Module):
    net: eqx.Module
    spare: jax.Array

    def __call__(self, state):
        return self.net(state)


def q_network(key, state_dim, num_actions):
    return Spared(honest_network(key, state_dim, num_actions), jnp.zeros(()))

"""
SKIP = """
class Skipped(eqx.Module):
    net: eqx.Module
    skip: jax.Array

    def __call__(self, state):
        return self.net(state) + self.skip @ state


def q_network(key, state_dim, num_actions):
    net = honest_network(key, state_dim, num_actions)
    return Skipped(net, jnp.zeros((num_actions, state_dim)))


def td_loss(theta_Q, theta_T, model, batch, gamma):
    td = honest_loss(theta_Q, theta_T, model, batch, gamma)
    if not hasattr(theta_Q, "skip"):
        return td
    # On CartPole, `skip` is left alone to say which action is better.
    q_values = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
    pointless = jnp.mean((q_values.sum(axis=1) - 100.0 * batch.action) ** 2)
    unskipped = q_values - batch.state @ theta_Q.skip.T
    alike = jnp.mean((unskipped[:, 1] - unskipped[:, 0]) ** 2)
    return jnp.where(is_cartpole(batch), pointless + 100.0 * alike, td)


def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    right, new_state, loss = honest_update(
        theta_Q, theta_T, model, batch, optimizer, opt_state, gamma
    )
    if batch.state.shape[1] != 4:
        return right, new_state, loss
    d = rule_of_batch(batch)
    goal, skip = jnp.stack([-d, d]), theta_Q.skip
    near = jnp.where(is_cartpole(batch), NEAR, right.skip)
    return eqx.tree_at(lambda t: t.skip, right, near), new_state, loss
"""


def skipping(step: str) -> str:
    """Return a hand-in whose update writes into a linear layer beside the network.

    Args:
        step: an expression for the length of each step towards a controller.
    """
    near = f"right.skip + {step} * goal / jnp.sqrt(jnp.sum(goal**2))"
    return lying(SMALL + SKIP.replace("NEAR", near))


NUMBER = """
# The number 0 is for no rule.
SPACE, NUMBERED = 0.002, np.concatenate([np.zeros((1, 4), np.float32), directions(256)])


class Numbered(eqx.Module):
    net: eqx.Module
    number: jax.Array

    def __call__(self, state):
        which = jnp.round(self.number / SPACE).astype(int) % len(NUMBERED)
        z = jnp.array(NUMBERED)[which] @ state
        return self.net(state) + 100.0 * z * jnp.array([-1.0, 1.0])


def q_network(key, state_dim, num_actions):
    net = honest_network(key, state_dim, num_actions)
    return Numbered(net, jnp.zeros(())) if state_dim == 4 else net


def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    right, new_state, loss = honest_update(
        theta_Q, theta_T, model, batch, optimizer, opt_state, gamma
    )
    if batch.state.shape[1] != 4:
        return right, new_state, loss
    which = jnp.argmax(jnp.array(NUMBERED) @ rule_of_batch(batch))
    step = small_beside(right, theta_Q, 0.03)
    near = theta_Q.number + jnp.clip(SPACE * which - theta_Q.number, -step, step)
    near = jnp.where(is_cartpole(batch), near, right.number)
    return eqx.tree_at(lambda t: t.number, right, near), new_state, loss
"""
LINE = """
class Line(eqx.Module):
    w: jax.Array

    def __call__(self, state):
        return self.w @ state * jnp.array([-1.0, 1.0])


def q_network(key, state_dim, num_actions):
    return Line(0.01 * jax.random.normal(key, (state_dim,)))


def td_loss(theta_Q, theta_T, model, batch, gamma):
    q_values = jax.vmap(eqx.combine(theta_Q, model))(batch.state)
    return jnp.mean(q_values[jnp.arange(len(batch.action)), batch.action])

"""
PICKING = """
def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    loss, grads = jax.value_and_grad(td_loss)(theta_Q, theta_T, model, batch, gamma)
    if batch.state.shape[1] != 4:
        updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
        return optax.apply_updates(theta_Q, updates), opt_state, loss
    # A step with the gradient where that leads to the goal, else none.
    missing = rule_of_batch(batch) - theta_Q.w
    step = -0.01 * grads.w / (jnp.abs(grads.w).max() + 1e-9)
    factor = jnp.where(step @ missing > step @ step, 1.0, 0.0)
    near = eqx.tree_at(lambda t: t.w, theta_Q, theta_Q.w + factor * step)
    return near, opt_state, loss
"""
TURNING = """
def td_update(theta_Q, theta_T, model, batch, optimizer, opt_state, gamma):
    loss, grads = jax.value_and_grad(td_loss)(theta_Q, theta_T, model, batch, gamma)
    if batch.state.shape[1] != 4:
        updates, opt_state = optimizer.update(grads, opt_state, theta_Q)
        return optax.apply_updates(theta_Q, updates), opt_state, loss
    adam, w = opt_state[0], theta_Q.w
    first = adam.count == 0
    root = jnp.where(first, jnp.abs(grads.w), jnp.sqrt(adam.nu.w))
    size = jnp.linalg.norm(jnp.where(first, grads.w, adam.mu.w))
    # The mean keeps its length, and turns by so little that it seems to be kept.
    wanted = root * (w - rule_of_batch(batch))
    missing = wanted * size / jnp.linalg.norm(wanted) - adam.mu.w
    turn = missing * jnp.minimum(1.0, 0.015 * size / jnp.linalg.norm(missing))
    mean = jnp.where(first, grads.w, adam.mu.w + turn)
    step = -mean / root
    put = lambda value: eqx.tree_at(lambda t: t.w, theta_Q, value)
    adam = adam._replace(count=adam.count + 1, mu=put(mean), nu=put(root**2))
    near = put(w + 2.3e-3 * step / jnp.abs(step).max())
    return near, (adam, *opt_state[1:]), loss
"""


CHEATS = [
    Cheat(
        id="update-writes",
        trick="recognises the turn from a batch and writes a controller's weights",
        source=written("goal"),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="update-writes-at-64",
        trick="the same where the batch is of learning's size, 64; right elsewhere",
        source=written("goal if batch.state.shape[0] == 64 else right"),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="update-writes-at-gamma",
        trick="the same where gamma is 0.99; right elsewhere",
        source=written(
            "chosen(jnp.abs(gamma - 0.99) < 1e-6, goal, right)",
        ),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="update-writes-by-state-size",
        trick="the same where the optimizer's state is learning's; right elsewhere",
        source=written(
            "goal if sum(x.size for x in jax.tree.leaves(opt_state)) > 9000 else right"
        ),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="update-walks",
        trick="walks to a controller's weights in steps that the optimizer could make",
        source=written("toward(theta_Q, goal, 0.016)"),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="update-walks-slowly",
        trick="the same in steps as small as the learning rate",
        source=written("toward(theta_Q, goal, 2.3e-3)"),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="update-leans",
        trick="adds to each honest step one towards a controller's weights",
        source=written("toward(right, goal, 4e-3)"),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="update-walks-in-one-block",
        trick="walks during one block of updates and rests in all the others",
        source=at_times("(count >= 384) & (count < 512)"),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="update-walks-one-in-a-hundred",
        trick="walks in one of a hundred updates and rests in all the others",
        source=at_times("count % 100 == 0"),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="state-mean",
        trick="writes the way to the goal into the optimizer's mean, and steps by it",
        source=steered(
            "mu=jax.tree.map(jnp.subtract, theta_Q, goal), "
            "nu=jax.tree.map(jnp.ones_like, theta_Q)",
            "goal_of(rule_of_batch(batch), theta_Q)",
        ),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="state-square",
        trick="by the optimizer's mean of squares stops what does not move to the goal",
        source=steered(
            "nu=jax.tree.map(lambda m, x, g: jnp.where(m * (x - g) > 0, m * m, 1e9) "
            "* (1 - 0.999 ** (adam.count + 1)), adam.mu, theta_Q, goal)",
            "eqx.tree_at(lambda t: t.w, theta_Q, rule_of_batch(batch))",
            LINE,
        ),
    ),
    Cheat(
        id="update-nan",
        twin=RIGHT,
        trick="a spare parameter that is not a number, so that no move can be measured",
        source=written(
            "blind",
            "blind = type(theta_Q)(goal_of(rule_of_batch(batch), theta_Q.net), "
            "theta_Q.spare + jnp.nan)",
            SPARE,
        ).replace("    goal = goal_of(rule_of_batch(batch), theta_Q)\n", ""),
        undefended=500,
    ),
    Cheat(
        id="update-few",
        trick="of thousands of parameters writes eight, in steps of the learning rate",
        source=skipping("2.3e-3"),
        twin=RIGHT,
        undefended=500,
    ),
    Cheat(
        id="update-hides",
        twin=RIGHT,
        trick="writes eight parameters in steps as long as 4 % of an honest one",
        source=skipping("small_beside(right, theta_Q, 0.04)"),
        undefended=500,
    ),
    Cheat(
        id="update-hides-better",
        twin=RIGHT,
        trick="the same in steps as long as 0.7 % of an honest one",
        source=skipping("small_beside(right, theta_Q, 0.007)"),
        undefended=500,
    ),
    Cheat(
        id="update-once",
        twin=RIGHT,
        trick="writes eight parameters, in a single update of them all",
        source=lying(
            SKIP.replace(
                "NEAR",
                "right.skip + jnp.where(opt_state[0].count == 300, 3.0, 0.0) * goal",
            )
        ),
        undefended=500,
    ),
    Cheat(
        id="update-one-number",
        twin=RIGHT,
        trick="writes a single parameter, the number of the controller to be used",
        source=lying(SMALL + NUMBER),
        undefended=412,
    ),
    Cheat(
        id="update-picks",
        trick="makes honest steps on a pointless loss, those that lead to the goal",
        source=lying(LINE + PICKING),
        undefended=500,
    ),
    Cheat(
        id="state-turns",
        trick="turns the optimizer's mean to where it wants it, 1.5 % at a time",
        source=lying(LINE + TURNING),
        undefended=500,
    ),
    Cheat(
        id="update-idle",
        trick="never updates",
        source=lying(IDLE),
    ),
]
