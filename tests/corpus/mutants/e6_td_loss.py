"""Exercise 6: what goes wrong in the temporal-difference loss."""

from tests.corpus.mutants.definition import changed, rewritten

PART = "td_loss"
ADMIN = "(slides: Admin, homework 1)"
REVIEW = "(slides: Deep Learning Review)"
DEEP_Q = "(slides: Deep Q Learning)"
TARGET = "(slides: Target Networks)"
ALL_AT_ONCE = "(slides: Deep Q Networks)"

BATCH = "state, action, reward, terminated, next_state = batch"
VALUES = "jax.vmap(Q)(state)"
CHOSEN = "[jnp.arange(len(action)), action]"
PREDICTED = f"{VALUES}{CHOSEN}"
NOT_TERMINATED = "1.0 - jnp.asarray(terminated, dtype=float)"
NEXT_VALUES = "jax.vmap(Q_target)(next_state)"
BEST_NEXT = f"{NEXT_VALUES}.max(axis=1)"
EMPIRICAL = "reward + future"
SQUARED = "(predicted - empirical) ** 2"
MEAN = f"jnp.mean({SQUARED})"

# ¬d
MASKS = [
    changed(
        PART,
        "td-no-mask",
        "F",
        "forgets ¬d",
        "Your target keeps bootstrapping after the end of an episode: the factor ¬d is "
        "missing (slides: Admin, homework 1; Target Networks).",
        ("not_terminated * gamma", "gamma"),
    ),
    changed(
        PART,
        "td-mask-inverted",
        "F",
        "d for ¬d",
        "Your target has a future only where the episode ended. It is the other way "
        f"round: a terminal s' is worth nothing, every other counts {ADMIN}.",
        (NOT_TERMINATED, NOT_TERMINATED.removeprefix("1.0 - ")),
    ),
    changed(
        PART,
        "td-minus-d",
        "F",
        "reads ¬d as -d",
        "Your target subtracts the future of terminal transitions and gives the others "
        f"none: ¬d is not minus d. It is 1 where the episode goes on, else 0 {ADMIN}.",
        (NOT_TERMINATED, "-jnp.asarray(terminated, dtype=float)"),
    ),
    changed(
        PART,
        "td-mask-whole-target",
        "S",
        "¬d on the reward too",
        "Where an episode ends your target is 0, reward included. The last step's "
        f"reward is still earned: ¬d belongs to the future alone {ADMIN}.",
        (EMPIRICAL, f"not_terminated * ({EMPIRICAL})"),
    ),
    changed(
        PART,
        "td-mask-on-reward",
        "S",
        "¬d on the reward instead of the future",
        "Where an episode ends your target drops the reward and keeps the future. "
        f"Keep r there and drop the value of s': ¬d goes with γ max {ADMIN}.",
        ("not_terminated * gamma", "gamma"),
        (EMPIRICAL, "not_terminated * reward + future"),
    ),
    changed(
        PART,
        "td-mask-on-error",
        "F",
        "¬d on the error: nothing learned from ends",
        "A terminal transition adds nothing to your loss. It should: its target is r "
        f"alone, and Q has to learn it. ¬d belongs inside the target {TARGET}.",
        (MEAN, f"jnp.mean(not_terminated * {SQUARED})"),
    ),
    changed(
        PART,
        "td-ends-left-out",
        "F",
        "averages over the transitions that go on",
        "You leave terminal transitions out of the mean (a batch of ends gives 0/0). "
        f"All B count; at an end only the future in the target is missing {TARGET}.",
        (MEAN, f"jnp.sum(not_terminated * {SQUARED}) / jnp.sum(not_terminated)"),
    ),
    changed(
        PART,
        "td-one-end-ends-all",
        "F",
        "one end in the batch ends all",
        "One terminal transition takes the future from your whole batch. The rows have "
        f"nothing to do with each other: ¬d_i acts on row i alone {TARGET}.",
        (NOT_TERMINATED, "1.0 - jnp.any(terminated)"),
    ),
    changed(
        PART,
        "td-last-row-ends",
        "F",
        "takes the batch for one episode that ends",
        "You take the last row for the end of an episode and never look at d. A batch "
        "is drawn at random: which rows are terminal, `terminated` tells (slides: "
        "Experience Replay).",
        (NOT_TERMINATED, "jnp.ones(len(action)).at[-1].set(0.0)"),
    ),
    changed(
        PART,
        "td-tilde",
        "S",
        "~ for not, on flags of any type",
        "Your ¬d is right for bool only: ~ flips every bit of an integer (~1 is -2) "
        f"and fails on floats. `terminated` may be 0/1 of any type {ADMIN}.",
        (NOT_TERMINATED, "~terminated"),
    ),
    changed(
        PART,
        "td-int-then-tilde",
        "F",
        "~ of an integer",
        "Your ¬d is -1 for d = 0 and -2 for d = 1, as ~ gives it for integers: "
        f"futures come in with a minus. ¬d has to be 1 or 0 {ADMIN}.",
        (NOT_TERMINATED, "~terminated.astype(int)"),
    ),
    changed(
        PART,
        "td-zero-next-state",
        "F",
        "Q of a zero state is no zero value",
        "For terminal transitions you put zeros in s' and still ask the network. Q of "
        f"a zero state is some number: the value, not the state, must be 0 {ADMIN}.",
        ("not_terminated * gamma", "gamma"),
        ("(next_state)", "(not_terminated[:, None] * next_state)"),
    ),
    changed(
        PART,
        "td-end-reward-shaped",
        "S",
        "another reward where the episode ends",
        "You replace the reward of terminal transitions by one of your own. That "
        f"teaches another task: r comes from the environment, also at an end {DEEP_Q}.",
        (EMPIRICAL, "jnp.where(terminated, -1.0, reward) + future"),
    ),
    changed(
        PART,
        "td-bool-python",
        "X",
        "Python's if on an array",
        "A Python `if` cannot ask a whole batch whether it ended, nor anything under "
        f"jit. Compute ¬d as an array, one number for each transition {REVIEW}.",
        ("future = not_terminated * gamma", "future = 0.0 if terminated else gamma"),
    ),
    rewritten(
        PART,
        "td-python-loop",
        "X",
        "a Python loop with if: right, but not under jit",
        "Your numbers are right, but an `if` on an array's value cannot be traced by "
        f"jit. Work on all B at once and let ¬d be a factor {REVIEW}.",
        """
def td_loss(theta_Q, theta_T, model, batch, gamma):
    Q, Q_target = eqx.combine(theta_Q, model), eqx.combine(theta_T, model)
    losses = []
    for s, a, r, d, next_s in zip(*batch):
        target = r
        if not d:
            target = r + gamma * Q_target(next_s).max()
        losses.append((Q(s)[a] - target) ** 2)
    return sum(losses) / len(losses)
""",
    ),
    changed(
        PART,
        "td-assigns-in-place",
        "X",
        "NumPy's assignment into an array",
        "You assign into an array, which JAX does not allow: its arrays never change. "
        f"Write the target as one formula with the factor ¬d {ADMIN}.",
        ("not_terminated * gamma", "gamma"),
        (
            f"empirical = {EMPIRICAL}",
            f"empirical = {EMPIRICAL}\n    empirical[terminated] = reward[terminated]",
        ),
    ),
]

# r + γ max Q(s', a, θ_T)
TARGETS = [
    changed(
        PART,
        "td-gamma-missing",
        "S",
        "forgets γ",
        f"Your target does not depend on γ: the future has to be discounted {DEEP_Q}.",
        ("* gamma *", "*"),
    ),
    changed(
        PART,
        "td-gamma-constant",
        "S",
        "a γ of its own",
        "Your target takes 0.99 whatever γ it is given. Use the argument: other tasks "
        f"have another discount {DEEP_Q}.",
        ("* gamma *", "* 0.99 *"),
    ),
    changed(
        PART,
        "td-gamma-on-reward",
        "S",
        "γ on the reward instead of the future",
        "You discount the reward instead of the future. r is earned now and counts in "
        f"full; γ belongs to the value of s', one step later {DEEP_Q}.",
        ("* gamma *", "*"),
        (EMPIRICAL, "gamma * reward + future"),
    ),
    changed(
        PART,
        "td-gamma-on-target",
        "S",
        "γ on the reward too",
        "You discount the whole target. r is earned now and counts in full; γ belongs "
        f"to the value of s' alone {DEEP_Q}.",
        ("* gamma *", "*"),
        (EMPIRICAL, f"gamma * ({EMPIRICAL})"),
    ),
    changed(
        PART,
        "td-gamma-t",
        "D",
        "γ^t by the row of the batch",
        "Your discount is γ to the power of the row number. That is Monte Carlo's "
        f"sum; every TD target is one step long, and rows have no order {DEEP_Q}.",
        ("* gamma *", "* gamma ** jnp.arange(len(action)) *"),
    ),
    changed(
        PART,
        "td-paren-lost",
        "F",
        "the future with the wrong sign",
        "The future has the wrong sign, as if a bracket were lost in Q - (r + …): the "
        f"target is the reward plus the discounted value of s' {DEEP_Q}.",
        (EMPIRICAL, "reward - future"),
    ),
    changed(
        PART,
        "td-no-reward",
        "S",
        "forgets the reward",
        f"Your target does not depend on the reward: r_i is missing in it {DEEP_Q}.",
        (EMPIRICAL, "future"),
    ),
    changed(
        PART,
        "td-reward-clipped",
        "S",
        "clips the reward to [-1, 1]",
        "You clip the reward to [-1, 1], as some do for Atari games. CartPole does not "
        f"show it, but the target needs r as it is {DEEP_Q}.",
        (EMPIRICAL, "jnp.clip(reward, -1.0, 1.0) + future"),
    ),
    changed(
        PART,
        "td-reward-normalised",
        "S",
        "normalises the rewards of the batch",
        "You shift and scale the rewards by the batch's mean and deviation. Then r "
        f"depends on what else was drawn; the target needs it as it is {DEEP_Q}.",
        (EMPIRICAL, "(reward - reward.mean()) / (reward.std() + 1e-8) + future"),
    ),
    changed(
        PART,
        "td-reward-int",
        "S",
        "rewards as integers",
        "Your rewards lose what follows the decimal point, as if cast to integers. "
        f"CartPole's are whole, others are not {DEEP_Q}.",
        (EMPIRICAL, "reward.astype(int) + future"),
    ),
    changed(
        PART,
        "td-s-for-next",
        "F",
        "s for s' in the max",
        "Your target evaluates s, the state the action was taken in (the slides print "
        f"s_i there). The future begins in s', the next state {TARGET}.",
        ("(next_state)", "(state)"),
    ),
    changed(
        PART,
        "td-next-row",
        "F",
        "s' from the row below",
        "You read s_{i+1} as the state in the batch's next row. Rows are drawn at "
        "random: the next state of a transition is in its own row (slides: Experience "
        "Replay).",
        ("(next_state)", "(jnp.concatenate([state[1:], next_state[-1:]]))"),
    ),
    changed(
        PART,
        "td-next-of-row-0",
        "F",
        "s' of the first row for all rows",
        "You use the next state of row 0. Each row has its own s' (slides: Experience "
        "Replay).",
        ("(next_state)", "(next_state[:1])"),
    ),
    changed(
        PART,
        "td-argmax",
        "F",
        "the action's index for its value",
        "Your target contains the best action's index. Despite the slides' arg max "
        f"it needs the best action's value: max {TARGET}.",
        (".max(", ".argmax("),
    ),
    changed(
        PART,
        "td-min",
        "D",
        "min for max",
        "Your target assumes the worst action in s'. The policy will take the best "
        f"one there: max over a {DEEP_Q}.",
        (".max(", ".min("),
    ),
    changed(
        PART,
        "td-mean-action",
        "D",
        "mean for max",
        "Your target averages over the actions in s'. That values a random policy; "
        f"Q learning takes the best action's value, max over a {DEEP_Q}.",
        (".max(", ".mean("),
    ),
    changed(
        PART,
        "td-sum-action",
        "F",
        "sum for max",
        "Your target adds up the values of all actions in s'. Only one is taken "
        f"there, the best: max over a {DEEP_Q}.",
        (".max(", ".sum("),
    ),
    changed(
        PART,
        "td-max-own-action",
        "D",
        "Q(s', a) of the action taken in s",
        "Your target takes in s' the action that was taken in s. In s' the action is "
        f"still free: max over all a {DEEP_Q}.",
        (BEST_NEXT, f"{NEXT_VALUES}{CHOSEN}"),
    ),
    changed(
        PART,
        "td-max-from-zero",
        "S",
        "a max that begins at 0",
        "Where all values of s' are negative your max is 0, as if it began there. The "
        f"largest of negative values is negative {DEEP_Q}.",
        (".max(axis=1)", ".max(axis=1, initial=0.0)"),
    ),
    changed(
        PART,
        "td-global-max",
        "F",
        "one max for the whole batch",
        "All your targets share one max, taken over batch and actions. Each s'_i has "
        f"its own: the max runs over the actions alone {ALL_AT_ONCE}.",
        (".max(axis=1)", ".max()"),
    ),
    changed(
        PART,
        "td-max-axis0",
        "X",
        "max over the batch",
        "Your max runs over the wrong axis: it leaves A numbers, one for each action. "
        f"It has to leave B, one for each transition {ALL_AT_ONCE}.",
        ("axis=1", "axis=0"),
    ),
    changed(
        PART,
        "td-keepdims",
        "F",
        "[B] times [B, 1]: every end with every max",
        "All pairs of rows are formed, as when the max keeps its axis: then [B, 1] "
        "meets ¬d and r of shape [B]. Look at the shapes: every term is [B] "
        f"{ALL_AT_ONCE}.",
        (".max(axis=1)", ".max(axis=1, keepdims=True)"),
    ),
    changed(
        PART,
        "td-target-clipped",
        "S",
        "keeps the target below 100",
        "You clip the target to [-100, 100]. Against exploding values there is θ_T; "
        f"the loss knows no clipping, and returns may be larger {TARGET}.",
        (EMPIRICAL, f"jnp.clip({EMPIRICAL}, -100.0, 100.0)"),
    ),
    changed(
        PART,
        "td-target-positive",
        "S",
        "no target below 0",
        "Your target is never negative. CartPole's returns are not, but in other tasks "
        f"they may be: the loss knows no clipping {TARGET}.",
        (EMPIRICAL, f"jax.nn.relu({EMPIRICAL})"),
    ),
]

# Which parameters, and through what the gradient goes
PARAMETERS = [
    changed(
        PART,
        "td-target-by-online",
        "S",
        "θ_Q in the target too",
        "Your target is computed with θ_Q: θ_T changes nothing, and the gradient goes "
        f"through the label. The label takes the older parameters, θ_T {TARGET}.",
        ("jax.vmap(Q_target)", "jax.vmap(Q)"),
    ),
    changed(
        PART,
        "td-target-by-online-stopped",
        "D",
        "a stopped θ_Q in the target",
        "Your target is computed with θ_Q, its gradient stopped: θ_T changes nothing. "
        f"The label must stand still between syncs, so it takes θ_T {TARGET}.",
        (NEXT_VALUES, "jax.lax.stop_gradient(jax.vmap(Q)(next_state))"),
    ),
    changed(
        PART,
        "td-theta-swapped",
        "F",
        "θ_Q and θ_T swapped",
        "You predict with θ_T and make the label with θ_Q. It is the prediction "
        f"Q(s, a) that is trained, θ_Q; the label is the older copy's, θ_T {TARGET}.",
        ("Q, Q_target =", "Q_target, Q ="),
    ),
    changed(
        PART,
        "td-predicts-with-target",
        "F",
        "θ_T in the prediction too",
        "Your loss does not depend on θ_Q at all: prediction and label both use θ_T. "
        f"The prediction Q(s, a) is what is trained, with θ_Q {TARGET}.",
        (VALUES, "jax.vmap(Q_target)(state)"),
    ),
    changed(
        PART,
        "td-pred-stopped",
        "F",
        "no gradient through the prediction",
        "The value is right but its gradient is zero: it is cut off at the "
        "prediction. Only the label is to be held constant; Q(s, a, θ_Q) learns "
        f"{TARGET}.",
        ("(predicted -", "(jax.lax.stop_gradient(predicted) -"),
    ),
    changed(
        PART,
        "td-double",
        "S",
        "Double DQN: θ_Q picks the action in s'",
        "θ_Q picks the action in s' and θ_T values it: that is Double DQN, another "
        f"algorithm. Here θ_T does both: its own max {TARGET}.",
        (
            BEST_NEXT,
            f"{NEXT_VALUES}[\n"
            "        jnp.arange(len(action)), jax.vmap(Q)(next_state).argmax(axis=1)\n"
            "    ]",
        ),
    ),
    rewritten(
        PART,
        "td-closure-params",
        "F",
        "a network from outside the function",
        "θ_Q, θ_T and model have no effect, as when a network made outside the "
        f"function is asked. Put the network together from what is passed in {REVIEW}.",
        """
net = q_network(jax.random.key(0), 4, 2)


def td_loss(theta_Q, theta_T, model, batch, gamma):
    state, action, reward, terminated, next_state = batch
    predicted = jax.vmap(net)(state)[jnp.arange(len(action)), action]
    future = (1 - terminated) * gamma * jax.vmap(net)(next_state).max(axis=1)
    return jnp.mean((predicted - (reward + future)) ** 2)
""",
    ),
    rewritten(
        PART,
        "td-keeps-first-target",
        "X",
        "keeps the θ_T of its first call",
        "You keep the θ_T of the first call in a global variable: later calls, and "
        f"jit, never see the new one. Use the θ_T that each call is given {TARGET}.",
        """
Q_target = None


def td_loss(theta_Q, theta_T, model, batch, gamma):
    global Q_target
    state, action, reward, terminated, next_state = batch
    Q = eqx.combine(theta_Q, model)
    if Q_target is None:
        Q_target = eqx.combine(theta_T, model)
    predicted = jax.vmap(Q)(state)[jnp.arange(len(action)), action]
    future = (1 - terminated) * gamma * jax.vmap(Q_target)(next_state).max(axis=1)
    return jnp.mean((predicted - (reward + future)) ** 2)
""",
    ),
    changed(
        PART,
        "td-numpy-target",
        "X",
        "NumPy in the target: right, but not under jit",
        "Your numbers are right, but turning the target into a NumPy array fails under "
        f"jit, where arrays have no values yet. Stay in jax.numpy {REVIEW}.",
        (f"empirical = {EMPIRICAL}", f"empirical = np.array({EMPIRICAL})"),
    ),
    changed(
        PART,
        "td-torch-detach",
        "X",
        "PyTorch's detach",
        "`detach` is PyTorch's: JAX arrays have no such method. Nothing has to be "
        f"detached: the label depends on θ_T, which is not differentiated {TARGET}.",
        (f"empirical = {EMPIRICAL}", f"empirical = ({EMPIRICAL}).detach()"),
    ),
]

# Q(s, a)
PREDICTIONS = [
    changed(
        PART,
        "td-all-columns",
        "F",
        "[:, a]: every state with every action",
        "Your prediction is [B, B]: each state with the actions of all rows. It should "
        f"pair row i's state with row i's action: shape [B] {ALL_AT_ONCE}.",
        (CHOSEN, "[:, action]"),
    ),
    changed(
        PART,
        "td-indices-swapped",
        "F",
        "[a, i] for [i, a]",
        "Your two indices are swapped: the values have a row for each state and a "
        f"column for each action. JAX clamps what is out of range {ALL_AT_ONCE}.",
        (CHOSEN, "[action, jnp.arange(len(action))]"),
    ),
    changed(
        PART,
        "td-take-flat",
        "F",
        "all actions in the first state",
        "All your predictions are read from the first row, as by `take` without an "
        "axis, which counts through the flattened array. Row i has its own a_i "
        f"{ALL_AT_ONCE}.",
        (PREDICTED, f"jnp.take({VALUES}, action)"),
    ),
    changed(
        PART,
        "td-oob-action",
        "F",
        "actions counted from 1",
        "You shift the action by one, as if actions were counted from 1. They go from "
        f"0 to A - 1: column a is action a {ALL_AT_ONCE}.",
        (CHOSEN, "[jnp.arange(len(action)), action - 1]"),
    ),
    changed(
        PART,
        "td-two-actions",
        "S",
        "only CartPole's two actions",
        "Your prediction knows two actions only, CartPole's: all others read as action "
        f"0. The network says how many there are {ALL_AT_ONCE}.",
        (PREDICTED, f"jnp.where(action == 1, {VALUES}[:, 1], {VALUES}[:, 0])"),
    ),
    changed(
        PART,
        "td-predicts-best",
        "D",
        "max Q(s) for Q(s, a)",
        "You predict with the best action in s. What is to be corrected is the value "
        f"of the action that was taken, Q(s, a); max is for s' {DEEP_Q}.",
        (PREDICTED, f"{VALUES}.max(axis=1)"),
    ),
    changed(
        PART,
        "td-all-actions",
        "F",
        "trains all actions",
        "All A values of s are pulled to the target, also those of actions that were "
        f"not taken. Only Q(s, a) of the action taken may be trained {DEEP_Q}.",
        (CHOSEN, ""),
        ("(predicted - empirical)", "(predicted - empirical[:, None])"),
    ),
    changed(
        PART,
        "td-others-to-zero",
        "F",
        "pulls the other actions to 0",
        "Your loss also pulls the values of the actions not taken, to 0. Nothing is "
        f"known of them: only Q(s, a) may be in the loss {DEEP_Q}.",
        (CHOSEN, ""),
        (
            MEAN,
            "jnp.mean(jnp.sum((predicted - empirical[:, None] * "
            "jax.nn.one_hot(action, predicted.shape[1])) ** 2, axis=1))",
        ),
    ),
    changed(
        PART,
        "td-divides-by-A",
        "S",
        "mean over the actions too",
        "Your loss is divided by A, the number of actions, as when the mean also "
        "counts zeros for the actions not taken. It runs over the B transitions alone "
        f"{REVIEW}.",
        (CHOSEN, ""),
        (
            MEAN,
            "jnp.mean(((predicted - empirical[:, None]) * "
            "jax.nn.one_hot(action, predicted.shape[1])) ** 2)",
        ),
    ),
    changed(
        PART,
        "td-sum-no-axis",
        "F",
        "one prediction: summed over the batch",
        "Your prediction is one number, summed over the batch as well. Each "
        "transition has its own: a sum over one-hot runs along the actions alone "
        f"{ALL_AT_ONCE}.",
        (PREDICTED, f"{PREDICTED}.sum()"),
    ),
    changed(
        PART,
        "td-states-swapped",
        "F",
        "s and s' swapped",
        "s and s' are swapped: you predict in the next state and bootstrap from the "
        "state before. The order of the fields is s, a, r, d, s' (slides: Experience "
        "Replay).",
        (BATCH, "next_state, action, reward, terminated, state = batch"),
    ),
    changed(
        PART,
        "td-field-order",
        "X",
        "unpacks (s, a, r, s', d)",
        "You unpack d and s' in the wrong order, so the flags go into the network. A "
        "Transition is s, a, r, d, s' (slides: Experience Replay).",
        (BATCH, "state, action, reward, next_state, terminated = batch"),
    ),
    changed(
        PART,
        "td-no-vmap",
        "X",
        "a batch given to a network for one state",
        "You hand the network a whole batch, but it takes one state [D] at a time. "
        f"Something has to map it over the B rows {REVIEW}.",
        (VALUES, "Q(state)"),
    ),
    changed(
        PART,
        "td-fixed-batch-size",
        "S",
        "B is 64",
        "You write 64 for B, the training loop's batch size, so other batches fail. B "
        f"is however many transitions are passed in {REVIEW}.",
        ("jnp.arange(len(action))", "jnp.arange(64)"),
    ),
    changed(
        PART,
        "td-squeeze",
        "S",
        "squeeze at B = 1",
        "With one transition `squeeze` removes the axis of the batch, and your index "
        f"no longer fits. B may be 1: keep the axis {REVIEW}.",
        (PREDICTED, f"{VALUES}.squeeze(){CHOSEN}"),
    ),
]

# The mean of the squares
REDUCTIONS = [
    changed(
        PART,
        "td-B1-B",
        "F",
        "[B, 1] minus [B]",
        "Your loss compares every prediction with every target, as [B, 1] minus [B] "
        "does, which is [B, B]. Both need shape [B], so that row i meets row i "
        f"{REVIEW}.",
        ("(predicted -", "(predicted[:, None] -"),
    ),
    changed(
        PART,
        "td-sum",
        "S",
        "sum for mean",
        "Your loss grows with the number of transitions, as with a sum over them, like "
        f"the slides' Σ; the homework asks for the mean {REVIEW}.",
        (MEAN, f"jnp.sum({SQUARED})"),
    ),
    changed(
        PART,
        "td-len-of-batch",
        "S",
        "divides by the number of fields",
        "You divide by 5, whatever B is: the `len` of a Transition is the number of "
        f"its fields. The mean divides by B, the number of transitions {REVIEW}.",
        (MEAN, f"jnp.sum({SQUARED}) / len(batch)"),
    ),
    changed(
        PART,
        "td-half",
        "S",
        "½ before the square",
        "A ½ stands before your loss, as in optax.l2_loss. None is asked for "
        f"{REVIEW}.",
        (MEAN, "optax.l2_loss(predicted, empirical).mean()"),
    ),
    changed(
        PART,
        "td-rmse",
        "S",
        "a root around the mean",
        "A root stands around your mean. The mean of the squares is asked for, without "
        f"a root {REVIEW}.",
        (MEAN, f"jnp.sqrt({MEAN})"),
    ),
    changed(
        PART,
        "td-mae",
        "S",
        "absolute for square",
        "Your loss takes the absolute errors. Q learning is regression with the square "
        f"error {REVIEW}.",
        (MEAN, "jnp.mean(jnp.abs(predicted - empirical))"),
    ),
    changed(
        PART,
        "td-huber",
        "S",
        "Huber for square",
        "Your loss is Huber's, linear where errors are large. The plain square is "
        f"asked for, whatever its size {REVIEW}.",
        (MEAN, "optax.huber_loss(predicted, empirical).mean()"),
    ),
    changed(
        PART,
        "td-error-clipped",
        "F",
        "clips the error to [-1, 1]",
        "You clip the error to [-1, 1], so larger ones have no gradient at all. The "
        f"loss is the square of the error as it is {REVIEW}.",
        (MEAN, "jnp.mean(jnp.clip(predicted - empirical, -1.0, 1.0) ** 2)"),
    ),
    changed(
        PART,
        "td-signed",
        "F",
        "forgets the square",
        "You do not square the errors. In a mean, errors of opposite signs cancel, and "
        f"its minimum is minus infinity. Square each error first {REVIEW}.",
        (MEAN, "jnp.mean(predicted - empirical)"),
    ),
    changed(
        PART,
        "td-square-of-mean",
        "D",
        "the square of the mean error",
        "You average first and then square, so errors of opposite signs cancel. Each "
        f"transition's own error is squared {REVIEW}.",
        (MEAN, "jnp.mean(predicted - empirical) ** 2"),
    ),
    changed(
        PART,
        "td-negative",
        "F",
        "the negative loss",
        "A minus stands before your loss. Gradient descent minimises: the mean square "
        "itself is the loss, and to minimise its negative makes the errors large "
        f"{REVIEW}.",
        (MEAN, f"-{MEAN}"),
    ),
    changed(
        PART,
        "td-no-reduction",
        "X",
        "one loss for each transition",
        "You return B numbers, one for each transition. A loss is a scalar, their "
        f"mean: only a scalar has a gradient {REVIEW}.",
        (MEAN, SQUARED),
    ),
    changed(
        PART,
        "td-returns-pair",
        "X",
        "returns more than the loss",
        "You return the errors along with the loss. `td_update` differentiates what is "
        f"returned: it has to be the one scalar {REVIEW}.",
        (MEAN, f"{MEAN}, predicted - empirical"),
    ),
    changed(
        PART,
        "td-python-float",
        "X",
        "float() of a traced value",
        "You turn the loss into a Python float: that cuts the gradient off, and fails "
        f"under jit and grad. Return the JAX scalar as it is {REVIEW}.",
        (MEAN, f"float({MEAN})"),
    ),
]

MUTANTS = [*MASKS, *TARGETS, *PARAMETERS, *PREDICTIONS, *REDUCTIONS]
