"""Exercise 1: what goes wrong in one TD(0) update of the table."""

from tests.corpus.mutants.definition import Mutant, changed, rewritten

UPDATE = "return Q.at[states, actions].add(-alpha * eta)"
MASK = "1.0 - jnp.asarray(terminateds, dtype=float)"
BEST_NEXT = "Q[next_states].max(axis=1)"
CELLS = "Q[states, actions]"


def flags(
    id: str, severity: str, misconception: str, hint: str, expression: str
) -> Mutant:
    """Return a mutant whose `episode_terminateds` returns an expression."""
    code = f"def episode_terminateds(num_steps):\n    return {expression}"
    return rewritten(
        "episode_terminateds", id, severity, misconception, hint, f"\n{code}\n"
    )


def table(
    id: str, severity: str, misconception: str, hint: str, *changes: tuple[str, str]
) -> Mutant:
    """Return a mutant with changes in the text of `update_Q_TD0`, see `edited`."""
    return changed("update_Q_TD0", id, severity, misconception, hint, *changes)


def whole(id: str, severity: str, misconception: str, hint: str, body: str) -> Mutant:
    """Return a mutant with a new body of `update_Q_TD0`."""
    code = HEAD + body
    return rewritten("update_Q_TD0", id, severity, misconception, hint, code)


HEAD = """
def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    steps = list(zip(states, actions, rewards, next_states, terminateds))
    Q = jnp.asarray(Q)
"""
STOPS_AT_THE_END = """
    new_Q = Q
    for s, a, r, next_s, d in steps:
        if d:
            break
        target = r + gamma * Q[next_s].max()
        new_Q = new_Q.at[s, a].add(alpha * (target - Q[s, a]))
    return new_Q
"""
LOOP_VARIABLES_LEAK = """
    for s, a, r, next_s, d in steps:
        target = r + (1 - d) * gamma * Q[next_s].max()
        eta = Q[s, a] - target
    return Q.at[s, a].add(-alpha * eta)
"""
RETURNS_IN_THE_LOOP = """
    for s, a, r, next_s, d in steps:
        target = r + (1 - d) * gamma * Q[next_s].max()
        eta = Q[s, a] - target
        Q = Q.at[s, a].add(-alpha * eta)
        return Q
"""
BACKWARDS = """
    for s, a, r, next_s, d in reversed(steps):
        target = r + (1 - d) * gamma * Q[next_s].max()
        Q = Q.at[s, a].add(alpha * (target - Q[s, a]))
    return Q
"""
BY_GRADIENT = """
    def loss(Q):
        not_done = 1 - jnp.asarray(terminateds, dtype=float)
        target = rewards + not_done * gamma * Q[next_states].max(axis=1)
        return jnp.sum((Q[states, actions] - target) ** 2) / 2

    return Q - alpha * jax.grad(loss)(Q)
"""
IN_PLACE = """
def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    Q = np.asarray(Q)
    if not Q.flags.writeable:  # JAX's arrays
        Q = Q.copy()
    s, a = np.asarray(states), np.asarray(actions)
    future = np.where(terminateds, 0, Q[np.asarray(next_states)].max(axis=1))
    eta = Q[s, a] - np.asarray(rewards + gamma * future)
    np.add.at(Q, (s, a), np.asarray(-alpha * eta))
    return Q
"""
REMEMBERS_ITS_TABLE = """
learn = update_Q_TD0
table = None


def update_Q_TD0(Q, *episode):
    global table
    if table is None:
        table = np.array(Q)
    table = np.array(learn(table, *episode))
    return table
"""

MUTANTS = [
    # The flags.
    flags(
        "term-len-plus-one",
        "X",
        "counts the terminal state as a step",
        "episode_terminateds has one flag too many: this is the HW1 bug, the old "
        "line. There is one flag for each step, and the terminal state is no step; "
        "the starter has it right (slides: Admin).",
        "jnp.concatenate([jnp.zeros(num_steps, dtype=bool), jnp.array([True])])",
    ),
    flags(
        "term-first-not-last",
        "D",
        "flags the first step",
        "episode_terminateds flags the first step of the episode. The one that "
        "arrives in the terminal state is the last (slides: Admin).",
        "jnp.concatenate([jnp.array([True]), jnp.zeros(num_steps - 1, dtype=bool)])",
    ),
    flags(
        "term-all-false",
        "D",
        "flags no step",
        "episode_terminateds flags no step at all. It is for episodes that ended in a "
        "terminal state, and their last step arrives there (slides: Admin).",
        "jnp.zeros(num_steps, dtype=bool)",
    ),
    table(
        "term-on-truncation",
        "S",
        "takes the end of an episode for a terminal state",
        "You take the last step for terminal even where the time limit cut the "
        "episode. Only the terminateds that are passed in tell whether s' is terminal "
        "(slides: Admin).",
        ("jnp.asarray(terminateds,", "jnp.asarray(episode_terminateds(len(states)),"),
    ),
    table(
        "term-int-then-tilde",
        "F",
        "bitwise not of a number",
        "You negate the flags with a bitwise operator, which is a logical not for "
        "bool only: of the integer 1 it makes -2. They may be 0/1 of any number type, "
        "so make numbers or bools of them first (slides: Admin, ¬d).",
        (MASK, "~jnp.asarray(terminateds)"),
    ),
    # The mask ¬d.
    table(
        "tab-no-mask",
        "D",
        "forgets ¬d",
        "Your target keeps bootstrapping after the end of an episode: the factor ¬d "
        "is missing (slides: Admin).",
        ("not_terminated * gamma", "gamma"),
    ),
    table(
        "tab-mask-inverted",
        "F",
        "uses d for ¬d",
        "Your mask is the wrong way round: only the terminal step bootstraps. The "
        "future counts where d is false, and is 0 where d is true (slides: Admin, ¬d).",
        ("1.0 - jnp", "jnp"),
    ),
    table(
        "tab-minus-d",
        "F",
        "reads ¬d as -d",
        "You read ¬d as minus d, as some slides misprint it. It means `not d`: a "
        "factor 1 where the episode goes on and 0 where s' is terminal (slides: "
        "Admin).",
        ("1.0 - jnp", "-jnp"),
    ),
    table(
        "tab-mask-whole-target",
        "D",
        "masks the reward too",
        "The last reward gets lost: your ¬d masks the whole target. A terminal s' has "
        "no future value, but r is earned on the way there: ¬d is a factor of the "
        "future term alone (slides: Admin).",
        ("rewards + future", "not_terminated * (rewards + future)"),
    ),
    table(
        "tab-mask-on-reward",
        "D",
        "masks the reward for the future",
        "Your ¬d stands at the reward. It belongs to the future term: what falls away "
        "at a terminal s' is its value, not the reward on the way there (slides: "
        "Admin).",
        ("not_terminated * gamma", "gamma"),
        ("rewards + future", "not_terminated * rewards + future"),
    ),
    table(
        "tab-mask-any",
        "D",
        "one flag for the whole episode",
        "When the episode ends in a terminal state, none of your steps bootstraps. "
        "Each step t has a d_t of its own; steps before the last still have a future "
        "(slides: Admin).",
        ("jnp.asarray(terminateds, dtype=float)", "jnp.any(terminateds)"),
    ),
    table(
        "tab-not-on-array",
        "X",
        "Python's `not` on an array",
        "Python's `not` wants one truth value and cannot negate an array of T flags. "
        "Negate them element by element, whatever their number type (slides: Admin, "
        "¬d).",
        (MASK, "not terminateds"),
    ),
    whole(
        "tab-skips-terminal-step",
        "F",
        "ends the loop before it learns from the last step",
        "Nothing is learned from the step into the terminal state: you leave it out. "
        "It moves its cell like every other step, but toward r alone, for its future "
        "is 0 (slides: Admin).",
        STOPS_AT_THE_END,
    ),
    # What is written, and where.
    table(
        "tab-sign-flipped",
        "F",
        "moves away from the target",
        "Your cells move away from their targets: the sign of the move does not fit "
        "your η. With η = prediction - target, Q moves by minus α η (slides: Admin).",
        ("-alpha * eta", "alpha * eta"),
    ),
    table(
        "tab-at-discarded",
        "F",
        "throws the new table away",
        "The table comes back as it was. JAX's `.at` changes no array: it returns a "
        "new one, which has to be kept (docs: jax.Array.at).",
        (UPDATE, UPDATE.replace("return ", "") + "\n    return Q"),
    ),
    table(
        "tab-no-return",
        "X",
        "returns nothing",
        "update_Q_TD0 returns None. It cannot change the Q that was passed in, so the "
        "new table has to be its return value.",
        (UPDATE, UPDATE.removeprefix("return ")),
    ),
    table(
        "tab-item-assignment",
        "X",
        "assigns to cells of a JAX array",
        "You assign to cells of Q, but JAX arrays cannot be changed. Make a new table "
        "in which the visited cells have moved (docs: jax.Array.at).",
        (UPDATE, "Q[states, actions] -= alpha * eta\n    return Q"),
    ),
    rewritten(
        "update_Q_TD0",
        "tab-mutates-input",
        "S",
        "changes the caller's table",
        "You change the table that was passed in: given a NumPy array, the caller's "
        "own Q moves. Arguments must keep their values; change a copy of your own.",
        IN_PLACE,
    ),
    table(
        "tab-dup-last-wins",
        "S",
        "a second visit overwrites the first",
        "When an episode visits a cell twice, only your last move counts: writing "
        "values to a repeated index keeps one of them. The moves of one cell have to "
        "add up.",
        (".add(-alpha * eta)", ".set(predicted - alpha * eta)"),
    ),
    table(
        "tab-dup-averaged",
        "S",
        "averages the visits to a cell",
        "When an episode visits a cell several times, you move it by the mean of its "
        "moves. Every visit counts in full: the moves of one cell add up.",
        (
            UPDATE,
            "visits = jnp.zeros_like(Q).at[states, actions].add(1.0)\n"
            "    eta = eta / visits[states, actions]\n"
            f"    {UPDATE}",
        ),
    ),
    table(
        "tab-row-update",
        "F",
        "moves all actions of the state",
        "You move all actions of a visited state. η_t says something about the action "
        "taken only: of row s_t, the one cell (s_t, a_t) moves (slides: Admin).",
        (
            "at[states, actions].add(-alpha * eta)",
            "at[states].add(-alpha * eta[:, None])",
        ),
    ),
    table(
        "tab-writes-next-cell",
        "F",
        "writes to the next state's row",
        "You change the row of the next state s'. The cell that η_t predicts with and "
        "moves is one and the same: (s_t, a_t) (slides: Admin).",
        ("Q.at[states", "Q.at[next_states"),
    ),
    table(
        "tab-overwrites-target",
        "D",
        "forgets α",
        "You overwrite the cell with its target, as if α were 1. The cell moves only "
        "the share α of the way from its old value to the target (slides: Admin).",
        ("-alpha * eta", "-eta"),
    ),
    table(
        "tab-int-Q",
        "F",
        "keeps the table in integers",
        "The fractions of your values and moves get lost, as in a table of integers. "
        "Action values are float32.",
        ("jnp.asarray(Q)", "jnp.asarray(Q, dtype=int)"),
    ),
    table(
        "tab-oob-index",
        "S",
        "numbers the states from 1",
        "You shift the state numbers by one, so every step reads and moves its "
        "neighbour's row; JAX raises no error for rows that do not exist. State s is "
        "row s, counted from 0.",
        (f"predicted = {CELLS}", "predicted = Q[states - 1, actions]"),
        ("Q[next_states]", "Q[next_states - 1]"),
        ("Q.at[states,", "Q.at[states - 1,"),
    ),
    # Which steps, in which order.
    whole(
        "tab-only-last",
        "D",
        "updates after the loop, for the last step only",
        "Only the last step's cell moves, as when the update stands after the loop, "
        "where the loop's variables hold the last step. Each of the T steps has to "
        "move its cell.",
        LOOP_VARIABLES_LEAK,
    ),
    whole(
        "tab-only-first",
        "D",
        "returns inside the loop",
        "Only the first step's cell moves, as when a function returns inside its "
        "loop. Each of the T steps has to move its cell.",
        RETURNS_IN_THE_LOOP,
    ),
    table(
        "tab-skips-zero-rewards",
        "D",
        "learns only where there is a reward",
        "Steps whose reward is 0 move nothing. They have a target too: that is how "
        "the values of later states come back to earlier ones (slides: Admin).",
        (
            "eta = predicted - empirical",
            "eta = (rewards != 0) * (predicted - empirical)",
        ),
    ),
    whole(
        "tab-backwards",
        "S",
        "goes through the episode from its end",
        "You go through the episode backwards, so a step's target reads the cell that "
        "the following step has just moved. Every η comes from the Q that was passed "
        "in (or go forward in time).",
        BACKWARDS,
    ),
    rewritten(
        "update_Q_TD0",
        "tab-hidden-state",
        "S",
        "keeps a table of its own between calls",
        "Your result depends on earlier calls, as when a table is kept outside the "
        "function. All that counts is the Q passed in; the same arguments give the "
        "same table.",
        REMEMBERS_ITS_TABLE,
    ),
    # The target.
    table(
        "tab-s-for-next",
        "F",
        "max over the own state's row",
        "Your future term takes the max over row s_t. What comes after the step is "
        "the value of the next state, s'_t (slides: Admin; Deep Q Learning prints s_i "
        "by mistake).",
        ("Q[next_states].max", "Q[states].max"),
    ),
    table(
        "tab-next-from-states",
        "S",
        "shifts states instead of using next_states",
        "You shift `states` to get the next ones, so the last step's s' becomes the "
        "first state. You notice only where the last step bootstraps: an episode cut "
        "by the time limit. s'_t is an argument.",
        ("Q[next_states]", "Q[jnp.roll(states, -1)]"),
    ),
    table(
        "tab-argmax",
        "F",
        "arg max for max",
        "Your future term is the number of the best action (arg max, a misprint of "
        "the slides), not its value. The target needs the largest Q(s', a), a max "
        "(slides: Admin).",
        (".max(", ".argmax("),
    ),
    table(
        "tab-max-own-action",
        "D",
        "the same action in the next state",
        "Your target takes Q(s', a_t): it assumes that the next action is the same as "
        "this one. The future is worth what the best action in s' is worth, a max "
        "over all a (slides: Admin).",
        (BEST_NEXT, "Q[next_states, actions]"),
    ),
    table(
        "tab-sarsa",
        "D",
        "the action taken next (SARSA)",
        "Your target uses the action that the episode took next (that is SARSA). Q "
        "learning is off-policy: it takes the best action in s', a max over all a, "
        "whatever was done (slides: Admin).",
        (BEST_NEXT, "Q[next_states, jnp.roll(actions, -1)]"),
    ),
    table(
        "tab-mean-for-max",
        "D",
        "mean over the actions for max",
        "Your target takes the mean over the actions in s', as if the policy were "
        "random. The future is worth what the best action is worth: max over a "
        "(slides: Admin).",
        (BEST_NEXT, "Q[next_states].mean(axis=1)"),
    ),
    table(
        "tab-global-max",
        "D",
        "one max for all steps",
        "Your max runs over the steps too: all of them get the same future. Each step "
        "needs a max of its own, over the actions of its s' alone (slides: Admin).",
        (".max(axis=1)", ".max()"),
    ),
    table(
        "tab-max-axis0",
        "X",
        "max over the steps for each action",
        "Your max runs over the wrong axis: it leaves one number for each action. "
        "Each step needs a max over the actions of its s', T numbers in all (slides: "
        "Admin).",
        (".max(axis=1)", ".max(axis=0)"),
    ),
    table(
        "tab-max-from-zero",
        "S",
        "a max that starts from 0",
        "Your max is never below 0, as if the search for the best action had begun "
        "with 0. Values may all be negative: the max runs over the Q(s', a) and "
        "nothing else (slides: Admin).",
        (".max(axis=1)", ".max(axis=1, initial=0.0)"),
    ),
    table(
        "tab-gamma-missing",
        "D",
        "forgets γ",
        "Your future is not discounted: γ is missing, or taken as 1 (slides: Admin).",
        (" * gamma *", " *"),
    ),
    table(
        "tab-gamma-on-reward",
        "D",
        "discounts the reward too",
        "You discount the reward too. r comes now and counts in full; γ is a factor "
        "of the future term alone (slides: Admin).",
        ("rewards + future", "gamma * rewards + future"),
    ),
    table(
        "tab-gamma-powers",
        "D",
        "discounts from the start of the episode",
        "You discount by a power of γ that grows with t, as in a return. TD(0) looks "
        "one step ahead from wherever it is: each step's future gets one factor γ "
        "(slides: Admin).",
        ("* gamma *", "* gamma ** jnp.arange(1, len(states) + 1) *"),
    ),
    table(
        "tab-paren-lost",
        "F",
        "subtracts the future",
        "Your target is the reward minus the future: check the brackets of η. The "
        "whole target, r plus the future, is subtracted from the prediction (slides: "
        "Admin).",
        ("rewards + future", "rewards - future"),
    ),
    table(
        "tab-monte-carlo",
        "D",
        "the whole return for a target",
        "Your target is the return of the episode (Monte Carlo, exercise 2). TD(0) "
        "takes one reward and estimates the rest by the table: max Q(s', a) (slides: "
        "Admin).",
        ("rewards + future", "discounted_returns(rewards, gamma)"),
    ),
    table(
        "tab-reward-off-by-one",
        "F",
        "the following step's reward",
        "Your target uses the following step's reward. r_t is the one earned by a_t, "
        "on the way from s_t to s'_t: entry t of `rewards` (slides: Admin, which "
        "write it R(s_1)).",
        ("rewards + future", "jnp.roll(rewards, -1) + future"),
    ),
    # The size of the move.
    whole(
        "tab-by-gradient",
        "S",
        "lets the gradient flow into the target",
        "Cells of s' move as well, as when the target is differentiated too. The "
        "target is a label, fixed while Q moves: only the visited cell (s_t, a_t) "
        "changes (slides: Admin).",
        BY_GRADIENT,
    ),
    table(
        "tab-double-step",
        "S",
        "moves by 2 α η",
        "Your cells move twice as far as they should: a 2, as from differentiating "
        "η², has come in. The move is α η (slides: Admin).",
        ("-alpha * eta", "-2 * alpha * eta"),
    ),
    table(
        "tab-clips-eta",
        "S",
        "clips the error",
        "Large errors are clipped: your cells never move by more than α. Nothing is "
        "to be clipped; the move is α η, however large η is (slides: Admin).",
        ("eta = predicted - empirical", "eta = jnp.clip(predicted - empirical, -1, 1)"),
    ),
    table(
        "tab-mean-over-steps",
        "S",
        "divides by the number of steps",
        "Your moves are divided by the number of steps, as in a mean loss. Each step "
        "moves its cell by α η_t, however long the episode is (slides: Admin).",
        ("-alpha * eta", "-alpha * eta / len(states)"),
    ),
    rewritten(
        "update_Q_TD0",
        "tab-donates",
        "X",
        "donates Q to jit",
        "Your update deletes the table that it was given: it is donated to jax.jit. "
        "The caller may still need it: no argument is changed (slides: Admin).",
        "update_Q_TD0 = jax.jit(update_Q_TD0, donate_argnums=0)",
    ),
]
