"""Exercise 4: what goes wrong in exploring."""

from tests.corpus.mutants.definition import Mutant, changed, on_the_border, rewritten

PART = "epsilon_greedy"
SLIDES = "(slides: Deep Q Networks)"

SPLIT = "coin_key, action_key = jax.random.split(key)"
COIN = "jax.random.bernoulli(coin_key, epsilon, (N,))"
UNIFORM = "jax.random.uniform(coin_key, (N,))"
ANYTHING = "jax.random.randint(action_key, (N,), 0, A)"
GREEDY = "jnp.argmax(q_values, axis=1)"
RETURN = "return jnp.where(explore, anything, greedy)"
BEST = "(q_values == q_values.max(axis=1, keepdims=True))"

TIES_BY_INDEX = """
def epsilon_greedy(key, q_values, epsilon):
    k1, k2, k3 = jax.random.split(key, 3)
    N, A = q_values.shape
    action = jnp.argmax(q_values, axis=1)
    ties = q_values == action[:, None]
    one_of_them = jax.random.categorical(k3, jnp.where(ties, 0.0, -jnp.inf))
    greedy = jnp.where(ties.any(axis=1), one_of_them, action)
    explore = jax.random.uniform(k1, (N,)) < epsilon
    return jnp.where(explore, jax.random.randint(k2, (N,), 0, A), greedy)
"""

GLOBAL_KEY = """
KEY = jax.random.key(0)


def epsilon_greedy(key, q_values, epsilon):
    global KEY
    KEY, coin_key, action_key = jax.random.split(KEY, 3)
    N, A = q_values.shape
    explore = jax.random.uniform(coin_key, (N,)) < epsilon
    anything = jax.random.randint(action_key, (N,), 0, A)
    return jnp.where(explore, anything, q_values.argmax(axis=1))
"""
NUMPY_RANDOM = """
def epsilon_greedy(key, q_values, epsilon):
    N, A = q_values.shape
    explore = np.random.rand(N) < epsilon
    anything = np.random.randint(0, A, N)
    return jnp.where(explore, anything, q_values.argmax(axis=1))
"""
PYTHON_IF = """
def epsilon_greedy(key, q_values, epsilon):
    actions = []
    for row_key, q in zip(jax.random.split(key, len(q_values)), q_values):
        coin_key, action_key = jax.random.split(row_key)
        if jax.random.uniform(coin_key) < epsilon:
            actions.append(jax.random.randint(action_key, (), 0, len(q)))
        else:
            actions.append(jnp.argmax(q))
    return jnp.stack(actions)
"""
DECAYS = """
right, calls = epsilon_greedy, 0


def epsilon_greedy(key, q_values, epsilon):
    global calls
    calls += 1
    return right(key, q_values, epsilon * 0.9**calls)
"""


def mutant(
    id: str, severity: str, misconception: str, hint: str, *changes: tuple[str, str]
) -> Mutant:
    """Return a mutant with changes in the text of `epsilon_greedy`, see `edited`.

    The function adds the section of the slides to the hint.
    """
    return changed(PART, id, severity, misconception, f"{hint} {SLIDES}.", *changes)


def anew(id: str, severity: str, misconception: str, hint: str, code: str) -> Mutant:
    """Return a mutant with a new definition of `epsilon_greedy`."""
    return rewritten(PART, id, severity, misconception, f"{hint} {SLIDES}.", code)


MUTANTS = [
    # Whether to explore
    mutant(
        "eps-inverted",
        "D",
        "ε is the share of greed",
        "You explore with probability 1 - ε, as if the two branches were swapped. ε "
        "is the share of exploring, so ε = 0 is greedy",
        ("explore, anything, greedy", "explore, greedy, anything"),
    ),
    mutant(
        "never-random",
        "D",
        "never explores",
        "You never explore: whatever ε is, the answer is the greedy action. With "
        "probability ε it has to be a random one",
        (RETURN, "return greedy"),
    ),
    mutant(
        "never-greedy",
        "D",
        "always explores",
        "You always explore: whatever ε is, the answer is a random action. With "
        "probability 1 - ε it has to be the greedy one",
        (RETURN, "return anything"),
    ),
    mutant(
        # Right at 0 and 1, wrong only in between.
        "eps-truncated",
        "D",
        "ε made a whole number",
        "At any ε below 1 you do not explore, as if ε were made a whole number. It is "
        "a probability: keep its fraction",
        (COIN, f"{UNIFORM} < jnp.int32(epsilon)"),
    ),
    on_the_border(
        mutant(
            # Wrong only for ε < 0.01: at ε = 0 one row of 100 explores, and in three of
            # four such rows the action is not the greedy one (A = 4).
            "eps-floor",
            "S",
            "keeps a least ε of 0.01",
            "You explore a little even at ε = 0, as if a least ε were built in. How ε "
            "falls is the caller's business; here ε is taken as it comes",
            (COIN, COIN.replace("epsilon", "jnp.maximum(epsilon, 0.01)")),
        )
    ),
    mutant(
        # Wrong only for ε > 0.97: at ε = 1 the greedy action has p = 0.2725, not 0.25.
        "eps-cap",
        "S",
        "keeps a largest ε of 0.97",
        "At ε = 1 you still prefer the greedy action a little, as if a largest ε were "
        "built in. ε is taken as it comes, and 1 means always at random",
        (COIN, COIN.replace("epsilon", "jnp.minimum(epsilon, 0.97)")),
    ),
    anew(
        "eps-negative-or-reset",
        "S",
        "ε decays by itself",
        "You explore less from call to call, as if your function lowered ε by itself. "
        "The answer may depend on the arguments alone; the caller lowers ε",
        DECAYS,
    ),
    mutant(
        # Right at 0, 0.4 and 1, twice too often at 0.05.
        "coin-of-ten",
        "S",
        "coin in steps of a tenth",
        "Your ε counts in steps of a tenth, as with a coin that shows whole numbers "
        "from 0 to 9: 0.05 becomes 0.1. Compare ε with a fraction that can take any "
        "value",
        (COIN, "jax.random.randint(coin_key, (N,), 0, 10) < 10 * epsilon"),
    ),
    mutant(
        # Explores with probability 20 ε / 21, 5 % too rarely: 0.381 for 0.4.
        "coin-one-too-many",
        "S",
        "coin has one side too many",
        "You explore a little too rarely, even at ε = 1, as with a coin that has one "
        "side more than you divide by. JAX already excludes the end of a range",
        (COIN, "jax.random.randint(coin_key, (N,), 0, 21) < 20 * epsilon"),
    ),
    mutant(
        "coin-per-batch",
        "S",
        "one coin for all rows",
        "One coin decides for all rows: they all explore or all are greedy. Every "
        "environment tosses a coin of its own",
        (COIN, COIN.replace(", (N,)", "")),
    ),
    mutant(
        # Right in the mean where ε N is whole; a single row always explores (ε > 0).
        "coin-exact-share",
        "S",
        "a fixed number of rows explores",
        "Nearly the same number of rows explores in every call. Each row explores with "
        "probability ε, whatever the others do",
        (COIN, "jax.random.permutation(coin_key, N) < epsilon * N"),
    ),
    # What is tried
    mutant(
        "random-excludes-last",
        "D",
        "the last action is never tried",
        "The last action is never tried: you draw from one action too few. JAX and "
        "NumPy already exclude the end of a range",
        (ANYTHING, ANYTHING.replace("A)", "A - 1)")),
    ),
    mutant(
        "random-includes-end",
        "X",
        "an action A",
        "You sometimes choose action A, which does not exist: actions are counted "
        "from 0. JAX and NumPy already exclude the end of a range",
        (ANYTHING, ANYTHING.replace("A)", "A + 1)")),
    ),
    mutant(
        "random-constant",
        "D",
        "always tries action 0",
        "When you explore you always take action 0. Exploring draws from all A "
        "actions, each as likely as the others",
        (ANYTHING, "jnp.zeros(N, dtype=int)"),
    ),
    mutant(
        "random-shared",
        "S",
        "one random action for all rows",
        "All rows that explore in one call try the same action: you draw a single one. "
        "Every environment draws an action of its own",
        (ANYTHING, ANYTHING.replace("(N,)", "()")),
    ),
    mutant(
        # Every action has the right share in every row; a single row gets action 0.
        "random-dealt",
        "S",
        "actions dealt out among the rows",
        "You deal the actions out among the rows, so that one row's action depends on "
        "the others', and a single row always gets action 0. Each row draws for itself",
        (ANYTHING, "jax.random.permutation(action_key, jnp.arange(N) % A)"),
    ),
    mutant(
        # With A = 4 the probabilities are 1/6, 1/3, 1/3, 1/6; right with A = 2.
        "random-rounded",
        "S",
        "rounds a fraction to an action",
        "The first and the last action are tried half as often as the others, as when "
        "a fraction is rounded to the nearest action. All actions need equal shares",
        (ANYTHING, "jnp.round(jax.random.uniform(action_key, (N,)) * (A - 1))"),
    ),
    mutant(
        # The trap of the contract: with A = 2 and ε = 0.1 it errs in 10 %, not in 5 %.
        "random-not-greedy",
        "S",
        "tries only the other actions",
        "When you explore you never take the greedy action. Exploring draws from all A "
        "actions, the greedy one included",
        (RETURN, "return jnp.where(explore, (greedy + other) % A, greedy)"),
        (f"anything = {ANYTHING}", f"other = {ANYTHING.replace('0, A', '1, A')}"),
    ),
    mutant(
        "random-softmax",
        "S",
        "explores by softmax of Q",
        "When you explore, good actions are likelier than bad ones, as if drawn by "
        "the softmax of Q. Exploring does not look at Q, all actions are equally "
        "likely",
        (ANYTHING, "jax.random.categorical(action_key, q_values)"),
    ),
    mutant(
        "noise-on-q",
        "S",
        "noise of size ε on Q",
        "An action that is far worse is never tried, as when noise is added to Q. ε "
        "is a probability: with it, all actions are equally likely",
        (
            RETURN,
            "return jnp.argmax(q_values + epsilon * "
            "jax.random.normal(key, q_values.shape), axis=1)",
        ),
    ),
    # What is greedy
    mutant(
        "argmin",
        "D",
        "worst action for the best",
        "Your greedy action is the one of the lowest value, as if Q were a loss. It is "
        "the one of the highest",
        ("argmax", "argmin"),
    ),
    mutant(
        "argmax-flat",
        "F",
        "arg max over all rows",
        "Your arg max runs over the whole array, so that all rows get one number, "
        "which may be no action at all. It runs over the actions of each row",
        (GREEDY, "jnp.argmax(q_values)"),
    ),
    mutant(
        # Raises unless N = A, or N or A is 1: jnp.where broadcasts.
        "argmax-axis-0",
        "F",
        "arg max over the environments",
        "Your arg max runs down the columns: it finds the best environment for an "
        "action. It runs over the actions of each environment",
        (GREEDY, GREEDY.replace("axis=1", "axis=0")),
    ),
    mutant(
        "argmax-of-size",
        "S",
        "arg max of |Q|",
        "Your greedy action is the one whose value is furthest from 0, so with "
        "negative values it is the worst. It is the one of the highest value, sign "
        "included",
        (GREEDY, "jnp.argmax(jnp.abs(q_values), axis=1)"),
    ),
    mutant(
        "actions-column",
        "X",
        "actions [N, N]",
        "Your actions are a square of N × N, as a column and a flat array together "
        "make one. Keep both flat, one number for each row",
        (GREEDY, "jnp.argmax(q_values, axis=1, keepdims=True)"),
    ),
    mutant(
        # Wrong for one environment only.
        "actions-squeezed",
        "X",
        "no axis left with one row",
        "With a single environment your result has lost its axis, as after a squeeze. "
        "One row in, an array of one action out",
        (RETURN, f"{RETURN}.squeeze()"),
    ),
    # Keys
    mutant(
        "fixed-key",
        "S",
        "a key of its own",
        "Your coins fall the same way in every call, as with a key of your own. All "
        "chance has to come from the key that is given",
        ("split(key)", "split(jax.random.key(0))"),
    ),
    anew(
        "key-global-under-jit",
        "X",
        "key in a global variable",
        "You keep a key in a global variable, which jit sees only once. All chance "
        "has to come from the argument key",
        GLOBAL_KEY,
    ),
    anew(
        "numpy-random",
        "S",
        "NumPy's random numbers",
        "You draw with NumPy: under jit that happens once, and then all calls choose "
        "alike. Draw with jax.random, from the argument key",
        NUMPY_RANDOM,
    ),
    mutant(
        # With ε = 0.4 and A = 4 only the actions 0 and 1 are tried.
        "key-reused-inside",
        "S",
        "coin and action are one number",
        "Coin and action are correlated, as if both came from one random number: "
        "where it is small you explore, and then the action is small, too. Each needs "
        "a key of its own",
        (
            SPLIT,
            "fraction = jax.random.uniform(key, q_values.shape[:1])",
        ),
        (COIN, "fraction < epsilon"),
        (ANYTHING, "jnp.int32(fraction * A)"),
    ),
    mutant(
        # Only row 0 is wrong: its coin is also the score of its action 0. So it tries
        # action 0 with probability 0.006 instead of 0.1 (ε = 0.4, A = 4).
        "key-reused-scores",
        "S",
        "coin and action share a key",
        "Coin and action come from one key, so that in your first row they are "
        "correlated: some actions are hardly ever tried there. Split the key",
        (SPLIT, "coin_key = action_key = key"),
        (
            ANYTHING,
            "jnp.argmax(jax.random.uniform(action_key, q_values.shape), axis=1)",
        ),
    ),
    anew(
        "ties-by-index",
        "D",
        "compares the values with the action's number",
        "Where a value happens to equal the number of the best action, you take that "
        "one for a tie. Ties are between values: compare them with the largest value",
        TIES_BY_INDEX,
    ),
    mutant(
        "ties-summed",
        "D",
        "adds up the numbers of the best actions",
        "Where several actions are best, you add up their numbers: that is another "
        "action, or none at all. Choose one of the best",
        (GREEDY, f"jnp.sum({BEST} * jnp.arange(A), axis=1)"),
    ),
    mutant(
        "ties-to-nothing",
        "D",
        "no best action where two are equal",
        "Where two actions are equally good you find no best one, and take another. "
        "Any of the best will do",
        (
            GREEDY,
            f"jnp.argmax({BEST} & ({BEST}.sum(axis=1, keepdims=True) == 1), axis=1)",
        ),
    ),
    mutant(
        "argmax-of-whole-numbers",
        "D",
        "Q rounded down before the arg max",
        "You make whole numbers of the values first, so that close ones become equal. "
        "The best action is that of the highest value, as it is",
        (GREEDY, "jnp.argmax(q_values.astype(jnp.int32), axis=1)"),
    ),
    mutant(
        "argmax-in-half-precision",
        "S",
        "Q in bfloat16 before the arg max",
        "You shorten the values to a float of half the size, so that close ones "
        "become equal. The best action is that of the highest value, as it is",
        (GREEDY, "jnp.argmax(q_values.astype(jnp.bfloat16), axis=1)"),
    ),
    mutant(
        "ties-within-a-percent",
        "S",
        "takes close values for ties",
        "You take values that are close to the best for equal to it, and so another "
        "action. The best action is that of the highest value, as it is",
        (
            GREEDY,
            "jnp.argmax(jnp.isclose(q_values, q_values.max(axis=1, keepdims=True), "
            "rtol=0.01), axis=1)",
        ),
    ),
    mutant(
        "greedy-for-two",
        "S",
        "never explores among two actions",
        "With two actions you never explore. Exploring draws uniformly from all "
        "actions, however many there are",
        (RETURN, "return greedy if A == 2 else jnp.where(explore, anything, greedy)"),
    ),
    anew(
        "python-if",
        "X",
        "Python if on a coin",
        "A Python if asks for a value that is known only when the jitted code runs, "
        "such as a coin, ε or Q. Compute both answers and choose between them with a "
        "function of jax.numpy",
        PYTHON_IF,
    ),
]
