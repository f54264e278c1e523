"""Exercise 2: what goes wrong in the Monte Carlo returns and in their loss."""

from tests.corpus.mutants.definition import Mutant, changed, rewritten

SQUARE = "(predicted - empirical) ** 2"
MEAN = f"jnp.mean({SQUARE})"
TAKEN = "[jnp.arange(len(actions)), actions]"
PREDICTED = f"jax.vmap(Q)(states){TAKEN}"
RETURNS = "discounted_returns(rewards, gamma)"
REWARDS = "rewards = jnp.asarray(rewards, dtype=float)"
RETURN = "return jax.lax.scan(step_back, jnp.zeros(()), rewards, reverse=True)[1]"


def returns(
    id: str, severity: str, misconception: str, hint: str, *changes: tuple[str, str]
) -> Mutant:
    """Return a mutant with changes in the text of `discounted_returns`."""
    return changed("discounted_returns", id, severity, misconception, hint, *changes)


def loop(id: str, severity: str, misconception: str, hint: str, body: str) -> Mutant:
    """Return a mutant with a new body of `discounted_returns`."""
    code = "\ndef discounted_returns(rewards, gamma):" + body
    return rewritten("discounted_returns", id, severity, misconception, hint, code)


def loss(
    id: str, severity: str, misconception: str, hint: str, *changes: tuple[str, str]
) -> Mutant:
    """Return a mutant with changes in the text of `mc_loss`, see `edited`."""
    return changed("mc_loss", id, severity, misconception, hint, *changes)


POWERS_FROM_THE_START = """
    T = len(rewards)
    discounted = gamma ** jnp.arange(T) * jnp.asarray(rewards)
    return jnp.stack([discounted[i:].sum() for i in range(T)])
"""
APPENDED = """
    G, later = [], 0.0
    for reward in reversed(list(rewards)):
        later = reward + gamma * later
        G.append(later)
    return jnp.stack(G)
"""
STOPS_BEFORE_0 = """
    T = len(rewards)
    G, later = np.zeros(T, dtype=np.float32), 0.0
    for i in range(T - 1, 0, -1):
        later = rewards[i] + gamma * later
        G[i] = later
    return jnp.asarray(G)
"""
STARTS_TOO_LATE = """
    T = len(rewards)
    G, later = np.zeros(T, dtype=np.float32), 0.0
    for i in reversed(range(T - 1)):
        later = rewards[i] + gamma * later
        G[i] = later
    return jnp.asarray(G)
"""
KEEPS_THE_LAST_ENTRY = """
    T = len(rewards)
    G = np.zeros(T + 1, dtype=np.float32)
    for i in reversed(range(T)):
        G[i] = rewards[i] + gamma * G[i + 1]
    return jnp.asarray(G)
"""
INTEGERS = """
    G, later = np.zeros(len(rewards), dtype=int), 0.0
    for i in reversed(range(len(rewards))):
        later = rewards[i] + gamma * later
        G[i] = later
    return jnp.asarray(G)
"""
IN_PLACE = """
    G = np.asarray(rewards)
    if not G.flags.writeable:  # JAX's arrays
        G = G.copy()
    for i in reversed(range(len(G) - 1)):
        G[i] += gamma * G[i + 1]
    return jnp.asarray(G)
"""
STARTS_ANEW_AT_A_REWARD = """
    G, later = [], 0.0
    for reward in reversed(list(rewards)):
        if reward != 0:
            later = 0.0
        later = reward + gamma * later
        G.append(later)
    return jnp.stack(G[::-1])
"""
NO_REWARD_NO_DISCOUNT = """
    G, later = [], 0.0
    for reward in reversed(list(rewards)):
        later = jnp.where(reward == 0, later, reward + gamma * later)
        G.append(later)
    return jnp.stack(G[::-1])
"""
REMEMBERS_RETURNS = """
returns_of_length = {}


def mc_loss(theta_Q, model, states, actions, rewards, gamma):
    T = len(rewards)
    if T not in returns_of_length:
        returns_of_length[T] = np.asarray(discounted_returns(rewards, gamma))
    predicted = jax.vmap(eqx.combine(theta_Q, model))(states)[jnp.arange(T), actions]
    return jnp.mean((predicted - returns_of_length[T]) ** 2)
"""
RUNS_ON = """
later = 0.0


def discounted_returns(rewards, gamma):
    global later
    G = []
    for reward in np.asarray(rewards)[::-1]:
        later = reward + float(gamma) * later
        G.append(later)
    return np.array(G[::-1])
"""

MUTANTS = [
    # The returns.
    loop(
        "mc-gamma-t",
        "D",
        "discounts from the start of the episode",
        "You discount by γ^t, as the slides misprint it: from the start of the "
        "episode. In G_i time counts from step i, so r_i itself counts in full "
        "(slides: Deep Q Learning).",
        POWERS_FROM_THE_START,
    ),
    returns(
        "mc-G0-for-all",
        "F",
        "one return for every step",
        "All your steps get the return of the whole episode, G_0. G_i belongs to step "
        "i: it sums only the rewards from step i on (slides: Deep Q Learning).",
        (RETURN, f"G = {RETURN[7:]}\n    return jnp.full_like(G, G[0])"),
    ),
    returns(
        "mc-undiscounted",
        "D",
        "forgets γ",
        "Your returns are not discounted: γ is missing. Each step further away, a "
        "reward counts one factor γ less (slides: Deep Q Learning).",
        ("gamma * later", "later"),
    ),
    returns(
        "mc-own-gamma",
        "D",
        "a γ of its own",
        "Your returns use one fixed γ, whatever the argument gamma is. Discount by "
        "the γ that is passed in (slides: Deep Q Learning).",
        ("gamma * later", "0.99 * later"),
    ),
    loop(
        "mc-not-reversed-back",
        "F",
        "returns in reversed order",
        "Your returns come in reversed order, as when they are collected from the end "
        "of the episode and never turned round. Entry i is the return of step i.",
        APPENDED,
    ),
    returns(
        "mc-sums-the-past",
        "F",
        "sums past rewards",
        "Your G_i sums the rewards up to step i, the past. A return sums what is "
        "still to come: r_i and the later rewards, t ≥ i (slides: Deep Q Learning).",
        (", reverse=True", ""),
    ),
    returns(
        "mc-skips-own-reward",
        "D",
        "starts at the next step's reward",
        "Your G_i starts with the next step's reward, so all entries are shifted and "
        "the last is 0. The sum begins at t = i: r_i belongs to G_i (slides: Deep Q "
        "Learning).",
        ("return now, now", "return now, later"),
    ),
    returns(
        "mc-discounts-own-reward",
        "D",
        "discounts the first reward too",
        "You discount every reward once too often, r_i in G_i included. It comes now "
        "and counts in full; discounting begins with the reward after it (slides: "
        "Deep Q Learning).",
        ("reward + gamma * later", "gamma * (reward + later)"),
    ),
    loop(
        "mc-misses-first",
        "D",
        "the loop stops before step 0",
        "Your first entry, G_0, stays 0, as when a backward loop stops one step too "
        "early. Every step has a return, step 0 too, also in an episode of one step.",
        STOPS_BEFORE_0,
    ),
    loop(
        "mc-drops-last-reward",
        "D",
        "the loop starts before the last step",
        "The last reward is missing from all your returns, as when a backward loop "
        "leaves out the last step. That step has a return too: its reward.",
        STARTS_TOO_LATE,
    ),
    loop(
        "mc-extra-entry",
        "X",
        "T + 1 returns",
        "You return T + 1 entries. The 0 after the end of the episode only helps to "
        "compute, it is not the return of a step: there is one return for each "
        "reward.",
        KEEPS_THE_LAST_ENTRY,
    ),
    returns(
        "mc-column",
        "X",
        "returns of shape [T, 1]",
        "Your returns have the shape [T, 1]. They are one number for each step, of "
        "shape [T]; a column would broadcast against the predictions to [T, T].",
        ("rewards, reverse=True)[1]", "rewards, reverse=True)[1][:, None]"),
    ),
    rewritten(
        "discounted_returns",
        "mc-crosses-episodes",
        "F",
        "carries the sum over to the next episode",
        "Your running sum survives from call to call, so the rewards of another "
        "episode leak in. Nothing follows the end of an episode: the sum starts from "
        "0 in every call.",
        RUNS_ON,
    ),
    loop(
        "mc-restarts-at-rewards",
        "F",
        "starts anew at every reward that is not 0",
        "Your sum starts anew at each reward that is not 0 (a habit from Pong). "
        "Within an episode it runs on: all later rewards count, discounted (slides: "
        "Deep Q Learning).",
        STARTS_ANEW_AT_A_REWARD,
    ),
    loop(
        "mc-skips-zero-rewards",
        "D",
        "does not discount over steps without a reward",
        "You discount only where there is a reward. γ counts the steps between now "
        "and a later reward, whatever they bring, those with reward 0 too (slides: "
        "Deep Q Learning).",
        NO_REWARD_NO_DISCOUNT,
    ),
    returns(
        "mc-normalised",
        "F",
        "normalises the returns",
        "You normalise the returns to mean 0 and deviation 1, a habit from policy "
        "gradients. Q has to learn the returns themselves (slides: Deep Q Learning).",
        (RETURN, f"G = {RETURN[7:]}\n    return (G - G.mean()) / (G.std() + 1e-8)"),
    ),
    returns(
        "mc-ignores-rewards",
        "D",
        "takes every reward for 1",
        "Your returns do not depend on the rewards: every step counts as 1, as in "
        "CartPole. Other tasks have other rewards: sum the r_t passed in (slides: "
        "Deep Q Learning).",
        (REWARDS, "rewards = jnp.ones(len(rewards))"),
    ),
    returns(
        "mc-clips-rewards",
        "S",
        "clips the rewards",
        "You clip the rewards to between -1 and 1, a habit from Atari. The return "
        "sums the rewards as they are, however large (slides: Deep Q Learning).",
        (REWARDS, "rewards = jnp.clip(jnp.asarray(rewards, dtype=float), -1, 1)"),
    ),
    loop(
        "mc-int-returns",
        "F",
        "keeps the returns in integers",
        "Your returns are cut down to whole numbers, as in an array of integers. "
        "Returns are float32.",
        INTEGERS,
    ),
    loop(
        "mc-mutates-rewards",
        "S",
        "changes the caller's rewards",
        "You sum up inside the rewards that were passed in: given a NumPy array, the "
        "caller's own rewards change. Work on an array of your own.",
        IN_PLACE,
    ),
    # What the loss compares.
    loss(
        "mc-rewards-for-returns",
        "F",
        "rewards for returns",
        "Your loss compares Q with the single rewards. Q(s, a) stands for all that is "
        "still to come: compare it with the returns G_i (slides: Deep Q Learning).",
        (RETURNS, "rewards"),
    ),
    loss(
        "mc-gamma-not-passed",
        "D",
        "γ does not reach the returns",
        "Your loss does not change with its argument gamma. Pass on the γ that came "
        "in (slides: Deep Q Learning).",
        (RETURNS, "discounted_returns(rewards, 0.99)"),
    ),
    rewritten(
        "mc_loss",
        "mc-remembers-returns",
        "D",
        "reuses the returns of an earlier episode",
        "Your loss keeps the returns of an earlier episode of the same length. They "
        "depend on the rewards and the γ passed in: compute them anew in every call.",
        REMEMBERS_RETURNS,
    ),
    loss(
        "mc-td-target",
        "D",
        "a temporal-difference target",
        "Your loss bootstraps: its target is one reward and the network's own value "
        "of the next state (TD, exercise 6). Monte Carlo needs no estimate: compare "
        "with G_i (slides: Deep Q Learning).",
        (
            RETURNS,
            "rewards + gamma * jax.lax.stop_gradient(\n"
            "        jnp.append(jax.vmap(Q)(states[1:]).max(axis=1), 0.0)\n"
            "    )",
        ),
    ),
    loss(
        "mc-bootstraps",
        "S",
        "goes on after the end of the episode",
        "You add the network's estimate of what comes after the last step. The "
        "episode is complete: nothing follows it, and G_i holds rewards only (slides: "
        "Deep Q Learning).",
        (
            RETURNS,
            "discounted_returns(\n"
            "        jnp.asarray(rewards).at[-1].add(\n"
            "            gamma * jax.lax.stop_gradient(Q(states[-1]).max())\n"
            "        ),\n"
            "        gamma,\n"
            "    )",
        ),
    ),
    loss(
        "mc-max-for-taken",
        "D",
        "the best action's value for the taken one's",
        "Your prediction is the best action's value. G_i is what came of the action "
        "that was taken, so the prediction is Q(s_i, a_i) (slides: Deep Q Learning).",
        (TAKEN, ".max(axis=1)"),
    ),
    loss(
        "mc-all-actions",
        "F",
        "trains every action toward the return",
        "Your loss pulls the values of all actions toward G_i. G_i says something "
        "about the action taken only: pick Q(s_i, a_i), one number for each step "
        "(slides: Deep Q Learning).",
        (TAKEN, ""),
        (SQUARE, "(predicted - empirical[:, None]) ** 2"),
    ),
    # Shapes.
    loss(
        "mc-broadcast",
        "F",
        "[T, 1] minus [T]",
        "Your loss compares every prediction with every return, as [T, 1] minus [T] "
        "does: it broadcasts to [T, T], without an error. Bring both to the shape [T] "
        "(slides: Deep Learning Review).",
        (SQUARE, "(predicted[:, None] - empirical) ** 2"),
    ),
    loss(
        "mc-columns",
        "F",
        "[:, actions] takes whole columns",
        "You predict Q(s_i, a_j) for all pairs, [T, T], as the index [:, actions] "
        "does: it takes whole columns. Step i needs one entry, its own row i at its "
        "own action (slides: Deep Q Networks).",
        (TAKEN, "[:, actions]"),
    ),
    loss(
        "mc-sum-no-axis",
        "F",
        "one-hot sum over everything",
        "Your prediction is a single number: the sum over the chosen actions' values "
        "runs over the steps too. Sum over the actions alone, so that each step keeps "
        "its own Q(s_i, a_i).",
        (
            PREDICTED,
            "jax.vmap(Q)(states)\n"
            "    predicted = jnp.sum(\n"
            "        predicted * jax.nn.one_hot(actions, predicted.shape[1])\n"
            "    )",
        ),
    ),
    # Reductions.
    loss(
        "mc-sum",
        "S",
        "sum for mean",
        "Your loss grows with the number of steps, as with a sum over them. It is the "
        "mean, so that the size of a step of training does not depend on the episode's "
        "length (slides: Deep Learning Review).",
        ("jnp.mean", "jnp.sum"),
    ),
    loss(
        "mc-half",
        "S",
        "a factor ½",
        "A ½ stands before your loss, as in optax.l2_loss. None is asked for (slides: "
        "Deep Learning Review).",
        (SQUARE, f"0.5 * {SQUARE}"),
    ),
    loss(
        "mc-mean-over-actions",
        "S",
        "divides by the number of actions too",
        "Your loss is divided by A, the number of actions, as when the mean also "
        "counts zeros for the actions not taken. It runs over the T steps alone "
        "(slides: Deep Q Learning).",
        (TAKEN, ""),
        (
            MEAN,
            "jnp.mean(\n"
            "        jax.nn.one_hot(actions, predicted.shape[1])\n"
            "        * (predicted - empirical[:, None]) ** 2\n"
            "    )",
        ),
    ),
    loss(
        "mc-no-reduction",
        "X",
        "one loss for each step",
        "mc_loss returns one number for each step. Training needs a single number, "
        "their mean (slides: Deep Learning Review).",
        (MEAN, SQUARE),
    ),
    loss(
        "mc-rmse",
        "S",
        "the root of the mean",
        "Your loss is the root of the mean squared error. The loss is the mean of the "
        "squares itself, without a root (slides: Deep Learning Review).",
        (MEAN, f"jnp.sqrt({MEAN})"),
    ),
    loss(
        "mc-mae",
        "S",
        "absolute errors",
        "Your loss takes absolute errors. Q learning is a regression with the square "
        "error: square each step's error (slides: Deep Learning Review).",
        (MEAN, "jnp.mean(jnp.abs(predicted - empirical))"),
    ),
    loss(
        "mc-huber",
        "S",
        "Huber loss",
        "Your loss grows linearly where errors are large, as the Huber loss does. It "
        "is the square error everywhere, with no clipping and no ½ (slides: Deep "
        "Learning Review).",
        (MEAN, "optax.huber_loss(predicted, empirical).mean()"),
    ),
    loss(
        "mc-signed",
        "F",
        "forgets the square",
        "Your loss is the mean of the signed errors, which cancel each other and have "
        "no minimum. Square each error first (slides: Deep Learning Review).",
        (SQUARE, "predicted - empirical"),
    ),
    loss(
        "mc-square-of-mean",
        "F",
        "squares the mean error",
        "You average the errors and then square, so errors of opposite signs cancel. "
        "Square each step's error first, then take the mean (slides: Deep Learning "
        "Review).",
        (MEAN, "jnp.mean(predicted - empirical) ** 2"),
    ),
    loss(
        "mc-negated",
        "F",
        "a loss to be maximised",
        "Your loss has the wrong sign: gradient descent on it makes the errors grow. "
        "A mean of squares is never negative (slides: Deep Learning Review).",
        (MEAN, f"-{MEAN}"),
    ),
    loss(
        "mc-double-discount",
        "S",
        "weights the steps by γ^i",
        "You weight step i's error by γ^i, a habit from policy gradients. γ is at "
        "work inside G_i already; all T errors count alike (slides: Deep Q Learning).",
        (MEAN, f"jnp.mean(gamma ** jnp.arange(len(actions)) * {SQUARE})"),
    ),
    # The gradient.
    loss(
        "mc-pred-stopped",
        "F",
        "no gradient through the prediction",
        "Your loss has no gradient: it is cut off at the prediction, the one place "
        "where θ_Q is. Only labels may be held fixed (slides: Deep Learning Review).",
        (PREDICTED, f"jax.lax.stop_gradient({PREDICTED})"),
    ),
    loss(
        "mc-numpy-loss",
        "X",
        "computes the loss in NumPy",
        "You turn predictions or the loss into NumPy or Python numbers, through which "
        "JAX cannot differentiate. Everything between θ_Q and the loss has to be JAX "
        "(slides: Deep Learning Review).",
        (MEAN, "np.mean(np.square(np.asarray(predicted) - np.asarray(empirical)))"),
    ),
    rewritten(
        "discounted_returns",
        "mc-donates",
        "X",
        "donates the rewards to jit",
        "You delete the rewards that you were given: they are donated to jax.jit. The "
        "caller may still need them: no argument is changed (slides: Deep Q Learning).",
        "discounted_returns = jax.jit(discounted_returns, donate_argnums=0)",
    ),
]
