"""The mistakes that the reader of `epsilon_greedy` knows, with a hint for each."""

from grader.diagnosis.reading import Difference

SLIDES = "(slides: Deep Q Networks)"


def choice(name: str, hint: str) -> Difference:
    """Make a mistake from its name and a hint.

    Args:
        name: name of the mistake.
        hint: text for the student on what is wrong, without a full stop at the end.
            The text " (slides: Deep Q Networks)." is added to it.
    """
    return Difference(name, f"{hint} {SLIDES}.")


# Whether to explore
INVERTED = choice(
    "eps-inverted",
    "You explore with probability 1 - ε, as if the two branches were swapped. ε is the "
    "share of exploring, so ε = 0 is greedy",
)
NEVER = choice(
    "never-random",
    "You never explore: whatever ε is, the answer is the greedy action. With "
    "probability ε it has to be a random one",
)
ALWAYS = choice(
    "never-greedy",
    "You always explore: whatever ε is, the answer is a random action. With "
    "probability 1 - ε it has to be the greedy one",
)
TRUNCATED = choice(
    "eps-truncated",
    "At any ε below 1 you do not explore, as if ε were made a whole number. It is a "
    "probability: keep its fraction",
)
FLOOR = choice(
    "eps-floor",
    "You explore a little even at ε = 0, as if a least ε were built in. How ε falls is "
    "the caller's business; here ε is taken as it comes",
)
CAP = choice(
    "eps-cap",
    "At ε = 1 you still prefer the greedy action a little, as if a largest ε were "
    "built in. ε is taken as it comes, and 1 means always at random",
)
DECAYS = choice(
    "eps-negative-or-reset",
    "You explore less from call to call, as if your function lowered ε by itself. The "
    "answer may depend on the arguments alone; the caller lowers ε",
)
TENTHS, TENTHS_BELOW = (
    choice(
        "coin-of-ten",
        "Your ε counts in steps of a tenth, as with a coin that shows ten whole "
        f"numbers: 0.05 becomes {shown}. Compare ε with a fraction that can take any "
        "value",
    )
    for shown in ("0.1", "0")
)
HUNDREDTHS, HUNDREDTHS_BELOW = (
    choice(
        "coin-of-hundred",
        "Your ε counts in steps of a hundredth, as with a coin that shows a hundred "
        f"whole numbers: 0.015 becomes {shown}. Compare ε with a fraction that can "
        "take any value",
    )
    for shown in ("0.02", "0.01")
)
ONE_TOO_MANY = choice(
    "coin-one-too-many",
    "You explore a little too rarely, even at ε = 1, as with a coin that has one side "
    "more than you divide by. JAX already excludes the end of a range",
)
BY_ACTIONS = choice(
    "eps-over-actions",
    "You divide ε by the number of actions. ε is the whole probability of exploring, "
    "and exploring then draws from all actions",
)
OTHER_EPSILON = choice(
    "eps-other",
    "You explore with another probability than ε. Exploring, drawn uniformly from all "
    "actions, has probability ε, as it comes",
)
PER_BATCH = choice(
    "coin-per-batch",
    "One coin decides for all rows: they all explore or all are greedy. Every "
    "environment tosses a coin of its own",
)
EXACT_SHARE = choice(
    "coin-exact-share",
    "Nearly the same number of rows explores in every call. Each row explores with "
    "probability ε, whatever the others do",
)

# Which action when exploring
EXCLUDES_LAST = choice(
    "random-excludes-last",
    "The last action is never tried: you draw from one action too few. JAX and NumPy "
    "already exclude the end of a range",
)
EXCLUDES_FIRST = choice(
    "random-excludes-first",
    "Action 0 is never tried when you explore. Actions are counted from 0, and "
    "exploring draws from all of them",
)
INCLUDES_END = choice(
    "random-includes-end",
    "You sometimes choose action A, which does not exist: actions are counted from 0. "
    "JAX and NumPy already exclude the end of a range",
)
CONSTANT = choice(
    "random-constant",
    "When you explore you always take the same action. Exploring draws from all A "
    "actions, each as likely as the others",
)
SHARED = choice(
    "random-shared",
    "All rows that explore in one call try the same action: you draw a single one. "
    "Every environment draws an action of its own",
)
DEALT = choice(
    "random-dealt",
    "You deal the actions out among the rows, so that one row's action depends on the "
    "others'. Each row draws for itself",
)
DEPENDENT = choice(
    "rows-dependent",
    "When you explore, the actions of a call's rows depend on each other: the number "
    "of rows that take an action varies less from call to call than with independent "
    "rows. Each row draws for itself",
)
ROUNDED = choice(
    "random-rounded",
    "The first and the last action are tried half as often as the others, as when a "
    "fraction is rounded to the nearest action. All actions need equal shares",
)
NOT_GREEDY = choice(
    "random-not-greedy",
    "When you explore you never take the greedy action. Exploring draws from all A "
    "actions, the greedy one included",
)
SOFTMAX = choice(
    "random-softmax",
    "When you explore, good actions are likelier than bad ones, as if drawn by the "
    "softmax of Q. Exploring does not look at Q, all actions are equally likely",
)
NOISE = choice(
    "noise-on-q",
    "An action that is far worse is never tried, as when noise is added to Q. ε is a "
    "probability: with it, all actions are equally likely",
)
TRIES_WORST = choice(
    "random-worst",
    "When you explore you always take the action of the lowest value. Exploring draws "
    "from all A actions, each as likely as the others",
)
REUSED_INSIDE = choice(
    "key-reused-inside",
    "Coin and action are correlated, as if both came from one random number: where it "
    "is small you explore, and then the action is small, too. Each needs a key of its "
    "own",
)
REUSED_SCORES = choice(
    "key-reused-scores",
    "In your first row some actions are tried more rarely than in the others: coin and "
    "action are correlated there, as when both come from one key. Split the key",
)
FIRST_NEVER = choice(
    "first-row-never-random",
    "Your first row never explores: it gets the same action in every call, as when a "
    "loop leaves it out. Every row explores with probability ε",
)
FIRST_OTHER = choice(
    "first-row-otherwise",
    "Your first row chooses its action otherwise than the other rows. One rule holds "
    "for every row",
)

# Which action is greedy
ARGMIN = choice(
    "argmin",
    "Your greedy action is the one of the lowest value, as if Q were a loss. It is the "
    "one of the highest",
)
FLAT = choice(
    "argmax-flat",
    "Your arg max runs over the whole array, so that all rows get one number, which "
    "may be no action at all. It runs over the actions of each row",
)
AXIS_0 = choice(
    "argmax-axis-0",
    "Your arg max runs down the columns: it finds the best environment for an action. "
    "It runs over the actions of each environment",
)
OF_SIZE = choice(
    "argmax-of-size",
    "Your greedy action is the one whose value is furthest from 0, so with negative "
    "values it is the worst. It is the one of the highest value, sign included",
)
FIRST_ROW = choice(
    "argmax-of-first-row",
    "All rows get the best action of the first row. The arg max runs over the actions "
    "of each row by itself",
)
SECOND = choice(
    "second-best",
    "Your greedy action is the second best one. It is the one of the highest value",
)
BY_INDEX = choice(
    "ties-by-index",
    "Where a value happens to equal the number of the best action, you take that one "
    "for a tie. Ties are between values: compare them with the largest value",
)
SUMMED = choice(
    "ties-summed",
    "Where several actions are best, you add up their numbers: that is another action, "
    "or none at all. Choose one of the best",
)
TO_NOTHING = choice(
    "ties-to-nothing",
    "Where two actions are equally good you find no best one, and take another. Any of "
    "the best will do",
)
WHOLE = choice(
    "argmax-of-whole-numbers",
    "You make whole numbers of the values first, so that close ones become equal. The "
    "best action is that of the highest value, as it is",
)
SHORT = choice(
    "argmax-in-half-precision",
    "You shorten the values to a float of half the size, so that close ones become "
    "equal. The best action is that of the highest value, as it is",
)
CLOSE = choice(
    "ties-within-a-percent",
    "You take values that are close to the best for equal to it, and so another "
    "action. The best action is that of the highest value, as it is",
)
FOR_TWO = choice(
    "greedy-for-two",
    "With two actions you never explore. Exploring draws uniformly from all actions, "
    "however many there are",
)

# Shapes and keys
SQUARE = choice(
    "actions-column",
    "Your actions are a square of N × N, as a column and a flat array together make "
    "one. Keep both flat, one number for each row",
)
SQUEEZED = choice(
    "actions-squeezed",
    "With a single environment your result has lost its axis, as after a squeeze. One "
    "row in, an array of one action out",
)
ONE_ACTION = choice(
    "one-action",
    "You return a single action for all rows. There is one for each row of Q values",
)
FIXED_KEY = choice(
    "fixed-key",
    "Your coins fall the same way in every call, as with a key of your own. All chance "
    "has to come from the key that is given",
)
ONE_FOR_ALL = choice(
    "always-one-action",
    "You always return the same action, whatever Q, ε and the key are. With "
    "probability ε a row draws from all actions, otherwise it takes its greedy one",
)
NO_CHANCE = choice(
    "without-chance",
    "Your actions depend neither on ε nor on the key that is given. With probability "
    "ε a row draws from all actions, and this key decides",
)
NUMPY = choice(
    "numpy-random",
    "You draw from a generator that is no argument, as NumPy's: under jit that happens "
    "once, and then all calls choose alike. Draw with jax.random, from the argument "
    "key",
)
GLOBAL_KEY = choice(
    "key-global-under-jit",
    "You keep something from one call to the next, as a key in a global variable, "
    "which jit sees only once. All chance has to come from the argument key",
)
OTHER_CHANCE = choice(
    "random-not-by-key",
    "Your actions depend on more than the arguments, as on NumPy's generator or on a "
    "key in a global variable. All chance has to come from the argument key",
)
PYTHON_IF = choice(
    "python-if",
    "A Python if asks for a value that is known only when the jitted code runs, such "
    "as a coin, ε or Q. Compute both answers and choose between them with a function "
    "of jax.numpy",
)

# Mistakes by which a row's action depends on the other rows, or on its place.
OF_ROWS = (
    *(PER_BATCH, EXACT_SHARE, SHARED, DEALT, DEPENDENT, FLAT, FIRST_ROW),
    *(REUSED_SCORES, FIRST_NEVER, FIRST_OTHER),
)
