"""Exercise 5: what goes wrong in the replay buffer.

In the comments, n is the number of stored transitions and B the batch size.
"""

from tests.corpus.mutants.definition import Mutant, changed, rewritten

PART = "ReplayBuffer"
SLIDES = "(slides: Experience Replay)"

SLOT = "row = self.num_added % self.capacity"
ROWS = "rows = rng.integers(len(self), size=batch_size)"
BATCH = "return Transition(*(column[rows] for column in self.columns))"
LENGTH = "return min(self.num_added, self.capacity)"
STATE = "self.columns.state[row] = state"
REWARD = "self.columns.reward[row] = reward"
LAST_LINE = "self.num_added += 1"
FIRST_LINE = "if self.num_added == 0:"
START = "self.num_added = 0"

# A right buffer that stores a list of transitions.
LIST = """
class ReplayBuffer:
    def __init__(self, capacity):
        self.capacity = capacity
        self.rows = []

    def add(self, state, action, reward, terminated, next_state):
        row = (np.array(state), action, reward, terminated, np.array(next_state))
        if len(self.rows) == self.capacity:
            self.rows.pop(0)
        self.rows.append(row)

    def __len__(self):
        return len(self.rows)

    def sample(self, batch_size, rng):
        picked = [self.rows[i] for i in rng.integers(len(self.rows), size=batch_size)]
        return Transition(*(np.stack(column) for column in zip(*picked)))
"""
TAKE_COPIES = (
    "row = (np.array(state), action, reward, terminated, np.array(next_state))"
)
MAKE_ROOM = """\
        if len(self.rows) == self.capacity:
            self.rows.pop(0)
"""
APPEND = "        self.rows.append(row)\n"
PICK = "picked = [self.rows[i] for i in rng.integers(len(self.rows), size=batch_size)]"
STACK = "return Transition(*(np.stack(column) for column in zip(*picked)))"

DEQUE = """
import collections


class ReplayBuffer:
    def __init__(self, capacity):
        self.rows = collections.deque(maxsize=capacity)

    def add(self, state, action, reward, terminated, next_state):
        self.rows.append((state, action, reward, terminated, next_state))

    def __len__(self):
        return len(self.rows)

    def sample(self, batch_size, rng):
        picked = [self.rows[i] for i in rng.integers(len(self), size=batch_size)]
        return Transition(*(np.stack(column) for column in zip(*picked)))
"""
AT_SET = """
class ReplayBuffer:
    def __init__(self, capacity):
        self.capacity, self.num_added = capacity, 0

    def add(self, *transition):
        if self.num_added == 0:
            shapes = [(self.capacity, *np.shape(x)) for x in transition]
            self.columns = [jnp.zeros(shape) for shape in shapes]
        for column, x in zip(self.columns, transition):
            column.at[self.num_added % self.capacity].set(x)
        self.num_added += 1

    def __len__(self):
        return min(self.num_added, self.capacity)

    def sample(self, batch_size, rng):
        rows = rng.integers(len(self), size=batch_size)
        return Transition(*(column[rows] for column in self.columns))
"""
ONE_MATRIX = """
class ReplayBuffer:
    def __init__(self, capacity):
        self.size, self.counter, self.memory = capacity, 0, None

    def add(self, state, action, reward, terminated, next_state):
        transition = np.hstack((state, [action, reward, terminated], next_state))
        if self.memory is None:
            self.num_features = len(state)
            self.memory = np.zeros((self.size, len(transition)), dtype=np.float32)
        self.memory[self.counter % self.size, :] = transition
        self.counter += 1

    def __len__(self):
        return min(self.counter, self.size)

    def sample(self, batch_size, rng):
        rows = self.memory[rng.choice(len(self), size=batch_size), :]
        n = self.num_features
        return Transition(rows[:, :n], *rows[:, n : n + 3].T, rows[:, -n:])
"""


def ring(
    id: str, severity: str, misconception: str, hint: str, *changes: tuple[str, str]
) -> Mutant:
    """Return a mutant with changes in the text of the solution's `ReplayBuffer`."""
    return changed(PART, id, severity, misconception, f"{hint} {SLIDES}.", *changes)


def anew(id: str, severity: str, misconception: str, hint: str, code: str) -> Mutant:
    """Return a mutant with a new definition of `ReplayBuffer`."""
    return rewritten(PART, id, severity, misconception, f"{hint} {SLIDES}.", code)


def rows(
    id: str, severity: str, misconception: str, hint: str, *changes: tuple[str, str]
) -> Mutant:
    """Return a mutant whose buffer is the class in `LIST`, with changes in its text."""
    code = LIST
    for old, new in changes:
        if code.count(old) != 1:
            raise ValueError(f"{old!r} stands {code.count(old)} times in LIST")
        code = code.replace(old, new)
    return anew(id, severity, misconception, hint, code)


def draw(id: str, severity: str, misconception: str, hint: str, code: str) -> Mutant:
    """Return a mutant whose buffer draws its rows by another line of code."""
    return ring(id, severity, misconception, hint, (ROWS, code))


MUTANTS = [
    # Which transitions are stored
    anew(
        "deque-maxsize",
        "X",
        "deque(maxsize=...), as on the slide",
        "Your buffer cannot be made: the slide's deque has an argument of the wrong "
        "name. Look up what Python's deque calls its limit",
        DEQUE,
    ),
    rows(
        "never-evicts",
        "S",
        "grows without limit",
        "Your buffer grows beyond its capacity: nothing ever leaves. Once it is full, "
        "each new transition takes the place of the oldest",
        (MAKE_ROOM, ""),
    ),
    rows(
        "capacity-plus-one",
        "S",
        "holds one too many",
        "Your buffer holds one transition more than its capacity, as when room is "
        "made one add too late. It never holds more than `capacity`",
        ("== self.capacity", "> self.capacity"),
    ),
    rows(
        "evicts-newest",
        "F",
        "the newest leaves",
        "When your buffer is full, the last one added leaves, and the old ones stay "
        "for ever. The one that was added first has to leave",
        ("pop(0)", "pop()"),
    ),
    rows(
        "stops-when-full",
        "F",
        "takes nothing more when full",
        "When your buffer is full, you drop the new transition and keep the old ones. "
        "The new one is stored, and the oldest leaves",
        (MAKE_ROOM, ""),
        (
            APPEND,
            "        if len(self.rows) < self.capacity:\n"
            "            self.rows.append(row)\n",
        ),
    ),
    rows(
        "evicts-random",
        "S",
        "any one leaves",
        "When your buffer is full, one leaves at random. The one that was added first "
        "has to leave, so that the newest `capacity` are there",
        ("pop(0)", "pop(np.random.randint(len(self.rows)))"),
    ),
    rows(
        "clears-when-full",
        "D",
        "starts over when full",
        "When your buffer is full, you throw all of it away and start over. Only the "
        "oldest transition leaves, one for each new one",
        ("self.rows.pop(0)", "self.rows = []"),
    ),
    ring(
        "never-wraps",
        "X",
        "writes beyond the end",
        "When your buffer is full, you write to a place that does not exist. The next "
        "place is the first one again, where the oldest is",
        (SLOT, "row = self.num_added"),
    ),
    ring(
        # Right once the buffer is full.
        "starts-at-1",
        "F",
        "place 0 stays empty at first",
        "Until your buffer is full, a place is sampled that was never filled, as when "
        "the first transition goes to place 1. The first place is 0: when does your "
        "count move on?",
        (SLOT, "row = (self.num_added + 1) % self.capacity"),
    ),
    rows(
        "drops-duplicates",
        "S",
        "an equal one is not stored again",
        "You do not store a transition that is there already. What happens more often "
        "has to be drawn more often: each add stores one more",
        (
            APPEND,
            "        if not any(all(map(np.array_equal, row, r)) for r in self.rows):\n"
            "            self.rows.append(row)\n",
        ),
    ),
    ring(
        "drops-terminal",
        "F",
        "does not store the last step",
        "You do not store transitions with d true. They are the ones that tell what "
        "the end of an episode is worth: store each one",
        (FIRST_LINE, f"if terminated:\n            return\n        {FIRST_LINE}"),
    ),
    rows(
        "class-attribute",
        "S",
        "all buffers share one list",
        "A new buffer of yours is not empty, as when its list belongs to the class, "
        "so that all buffers share it. Each buffer needs its own, made when the "
        "buffer is",
        ("class ReplayBuffer:\n", "class ReplayBuffer:\n    rows = []\n\n"),
        ("        self.rows = []\n", ""),
    ),
    ring(
        "len-is-capacity",
        "S",
        "the length is the capacity",
        "Your length is the capacity from the start on. It has to say how many "
        "transitions are stored by now, for it tells what may be drawn",
        (LENGTH, "return self.capacity"),
    ),
    ring(
        "len-counts-adds",
        "X",
        "the length counts all adds",
        "Your length counts every add ever made. Those that have left do not count: it "
        "is never more than the capacity",
        (LENGTH, "return self.num_added"),
    ),
    # What is stored of them
    rows(
        "stores-reference",
        "S",
        "keeps the caller's arrays",
        "You keep the very arrays that `add` was given. If the caller changes one "
        "later, your stored row changes, too: store copies",
        (TAKE_COPIES, "row = (state, action, reward, terminated, next_state)"),
    ),
    rows(
        "stores-reference-next",
        "S",
        "copies s, keeps the caller's s'",
        "You store a copy of s, but the very array of s' that `add` was given. If the "
        "caller changes it later, your stored row changes: copy both",
        ("np.array(next_state)", "next_state"),
    ),
    rows(
        "list-cleared",
        "F",
        "one list stored again and again",
        "All your rows show the newest transition, as when one and the same list is "
        "stored again and again and each add fills it anew. Each add needs a new list",
        ("self.rows = []", "self.rows, self.row = [], []"),
        (TAKE_COPIES, f"self.row.clear()\n        self.row += {TAKE_COPIES[6:]}"),
        ("append(row)", "append(self.row)"),
    ),
    anew(
        "at-set-discarded",
        "F",
        "result of .at[].set() lost",
        "Your stored rows stay 0. `.at[...].set(...)` changes no array: it returns a "
        "new one, which has to be kept",
        AT_SET,
    ),
    ring(
        "field-swap",
        "F",
        "s and s' swapped",
        "In your batches s and s' are swapped. The fields come in the order of "
        "Transition: state, action, reward, terminated, next state",
        (STATE, "self.columns.state[row] = next_state"),
        (
            "self.columns.next_state[row] = next_state",
            "self.columns.next_state[row] = state",
        ),
    ),
    rows(
        "field-swap-r-d",
        "F",
        "r and d swapped",
        "In your batches r and d are swapped. The fields come in the order of "
        "Transition: state, action, reward, terminated, next state",
        (
            "action, reward, terminated, np.array",
            "action, terminated, reward, np.array",
        ),
    ),
    ring(
        "next-is-row-plus-1",
        "S",
        "s' taken from the next row",
        "You take s' from the row that was stored next. At the end of an episode "
        "that is the start of another: each transition keeps its own s'",
        (
            BATCH,
            "batch = Transition(*(column[rows] for column in self.columns))\n"
            "        after = (rows + 1) % len(self)\n"
            "        return batch._replace(next_state=self.columns.state[after])",
        ),
    ),
    ring(
        "int-storage",
        "S",
        "rewards stored as whole numbers",
        "Your rewards lose what stands after the decimal point, as in an array of "
        "whole numbers. Store them as floats",
        ("reward=np.zeros(C, np.float32)", "reward=np.zeros(C, int)"),
    ),
    ring(
        "int-storage-state",
        "F",
        "states stored as whole numbers",
        "Your states lose what stands after the decimal point, as in an array of "
        "whole numbers. Store them as floats",
        (
            " state=np.zeros((C, *shape), np.float32)",
            " state=np.zeros((C, *shape), int)",
        ),
    ),
    ring(
        "half-storage",
        "S",
        "states stored as float16",
        "Your states lose digits, as in float16, which keeps three. Store them in a "
        "type that keeps all that float32 has",
        (
            " state=np.zeros((C, *shape), np.float32)",
            " state=np.zeros((C, *shape), np.float16)",
        ),
    ),
    ring(
        "loop-reward-shaping",
        "S",
        "r = -10 where the episode ends",
        "You replace the reward of the last step by one of your own. The buffer "
        "stores each reward as it comes; otherwise Q would be the value of another "
        "task",
        (REWARD, "self.columns.reward[row] = -10.0 if terminated else reward"),
    ),
    ring(
        "reward-clipped",
        "S",
        "rewards clipped to ±1",
        "You clip the rewards to between -1 and 1. The buffer stores each reward as "
        "it comes; otherwise Q would be the value of another task",
        (REWARD, "self.columns.reward[row] = np.clip(reward, -1.0, 1.0)"),
    ),
    ring(
        "reward-normalised",
        "F",
        "rewards normalised within the batch",
        "You normalise the rewards of each batch to mean 0. The buffer gives each "
        "reward as it came; otherwise Q would be the value of another task",
        (
            BATCH,
            "batch = Transition(*(column[rows] for column in self.columns))\n"
            "        r = batch.reward\n"
            "        return batch._replace(reward=(r - r.mean()) / (r.std() + 1e-8))",
        ),
    ),
    ring(
        "stores-not-d",
        "F",
        "stores ¬d for d",
        "You store whether the episode goes on, the opposite of d. Store d as it "
        "comes; ¬d is taken where the target is computed",
        ("[row] = terminated", "[row] = not terminated"),
    ),
    ring(
        "stores-other-action",
        "F",
        "stores a second random action",
        "Now and then you store another action than the one that was given. Exploring "
        "is over by then; store the action as it comes",
        (
            FIRST_LINE,
            "second = np.random.default_rng(self.num_added)\n"
            "        if second.random() < 0.2:\n"
            "            action = second.integers(5)\n"
            f"        {FIRST_LINE}",
        ),
    ),
    # Which rows are drawn
    draw(
        "samples-uninitialised",
        "F",
        "draws from the empty places",
        "You draw from all places, also from those that are still empty. Draw from the "
        "transitions that are stored by now",
        ROWS.replace("len(self)", "self.capacity"),
    ),
    draw(
        # If one transition is stored, the mutant draws it.
        "never-newest",
        "S",
        "the last row is never drawn",
        "The last row of your buffer is never drawn: your range is one too short. "
        "NumPy already excludes the end of a range",
        ROWS.replace("len(self)", "max(1, len(self) - 1)"),
    ),
    ring(
        "per-field-indices",
        "F",
        "rows drawn for each field anew",
        "The five fields of your rows come from different transitions, as when rows "
        "are drawn again for each. Draw once, and use these rows for all fields",
        (BATCH, BATCH.replace("[rows]", "[rng.integers(len(self), size=batch_size)]")),
    ),
    draw(
        "one-index-repeated",
        "F",
        "one row B times",
        "Your batch is one transition, B times, as when a single number is drawn. "
        "Each row of the batch is a draw of its own",
        "rows = np.repeat(rng.integers(len(self)), batch_size)",
    ),
    draw(
        "latest-B",
        "F",
        "takes the newest B",
        "Only the newest B transitions of your buffer are ever drawn. Draw at random "
        "from all that are stored, old and new alike",
        "rows = np.arange(self.num_added - batch_size, self.num_added) % len(self)",
    ),
    draw(
        # Every row is equally likely, but a batch is a piece of an episode: two of its
        # rows are neighbours 40 % too often (B = 5, n = 8) or, where n > 2 B, may be
        # too far from each other to meet.
        "contiguous-block",
        "S",
        "B rows in a row",
        "You draw where to start and take the B rows from there: one draw decides the "
        "others. Each row is a draw of its own; otherwise a batch is one piece of an "
        "episode",
        "rows = (rng.integers(len(self)) + np.arange(batch_size)) % len(self)",
    ),
    draw(
        # Every row is equally likely, but two rows of a batch are rarely near: they
        # are equal in 3 % of the pairs, not in 12.5 % (B = 5, n = 8).
        "stratified",
        "S",
        "one row from each of B parts",
        "You cut the buffer into B parts and draw one row from each, so that some rows "
        "never meet in a batch. Each row is drawn from the whole buffer",
        "parts = np.arange(batch_size) + rng.random(batch_size)\n"
        "        rows = (parts / batch_size * len(self)).astype(int)",
    ),
    draw(
        # First and last row have half the others' probability: 10 %, not 17 % (n = 6).
        "rounds-index",
        "S",
        "rounds a fraction to a row",
        "The first and the last row are drawn half as often as the others, as when a "
        "fraction is rounded to the nearest row. All rows need equal shares",
        "fractions = rng.random(batch_size)\n"
        "        rows = np.rint(fractions * (len(self) - 1)).astype(int)",
    ),
    draw(
        # The newest row is three times as likely as the oldest: the probabilities are
        # 1/2 to 3/2 of 1/n, with a standard deviation of 33 % (n = 8).
        "prefers-recent",
        "S",
        "the newer, the likelier",
        "New transitions are drawn more often than old ones, up to three times. All "
        "that are stored have to be equally likely",
        "ages = (self.num_added - 1 - np.arange(len(self))) % len(self)\n"
        "        weights = 3 - 2 * ages / max(1, len(self) - 1)\n"
        "        p = weights / weights.sum()\n"
        "        rows = rng.choice(len(self), batch_size, p=p)",
    ),
    draw(
        # One place of each batch always holds the newest row: it is in 30 % of the
        # places, not in 12.5 % (B = 5, n = 8).
        "newest-always",
        "S",
        "the newest is in every batch",
        "The newest transition is in every batch of yours. It is drawn like all the "
        "others, no more often",
        f"{ROWS}\n        rows[0] = (self.num_added - 1) % self.capacity",
    ),
    # The generator that draws the rows
    draw(
        "fixed-indices",
        "F",
        "a new generator in every call",
        "Your batches are all the same, as when a generator is made anew in every "
        "call. All chance has to come from the rng that is given",
        ROWS.replace("rng.", "np.random.default_rng(0)."),
    ),
    draw(
        "global-random",
        "S",
        "NumPy's global generator",
        "If you draw with NumPy's global generator, no run can be repeated. All "
        "chance has to come from the rng that is given",
        "rows = np.random.randint(len(self), size=batch_size)",
    ),
    draw(
        # Seen only if n ≥ 2 B; otherwise the mutant shuffles anew in every call.
        "epoch-shuffle",
        "S",
        "goes through a shuffled list",
        "Your batches depend on those before, as when the rows are shuffled once and "
        "then handed out in turn. Each batch is drawn anew from all that is stored",
        'queue = getattr(self, "queue", [])\n'
        "        if len(queue) < batch_size:\n"
        "            queue = rng.permutation(len(self))\n"
        "        rows, self.queue = queue[:batch_size], queue[batch_size:]",
    ),
    rows(
        "sample-consumes",
        "F",
        "takes out what it draws",
        "What you have sampled leaves the buffer. Sampling changes nothing: a "
        "transition is there to be used many times",
        (
            PICK,
            "picked = [\n"
            "            self.rows.pop(rng.integers(len(self.rows)))\n"
            "            for _ in range(batch_size)\n"
            "        ]",
        ),
    ),
    rows(
        # Each batch is right, but a full buffer then loses another row than the oldest.
        "shuffles-storage",
        "S",
        "shuffles the stored rows",
        "If you shuffle the buffer itself in order to draw, you no longer know which "
        "is the oldest. Sampling changes nothing",
        (PICK, "rng.shuffle(self.rows)\n        picked = self.rows[:batch_size]"),
    ),
    rows(
        # Wrong only if B = n.
        "too-small-crash",
        "X",
        "needs more than B stored",
        "You refuse to draw B transitions where exactly B are stored. That many are "
        "enough",
        (
            PICK,
            "if len(self.rows) <= batch_size:\n"
            '            raise ValueError("not enough transitions")\n'
            f"        {PICK}",
        ),
    ),
    # What a batch looks like
    ring(
        # This matters because the agent draws several batches before it uses one.
        "batch-reused",
        "S",
        "every batch in the same arrays",
        "A batch that was drawn before turns into the new one, as when the same "
        "arrays are filled in every call. Each batch needs arrays of its own",
        (
            BATCH,
            'if len(getattr(self, "batch", [()])[0]) != batch_size:\n'
            "            self.batch = [column[rows] for column in self.columns]\n"
            "        for out, column in zip(self.batch, self.columns):\n"
            "            out[...] = column[rows]\n"
            "        return Transition(*self.batch)",
        ),
    ),
    ring(
        # Wrong only if B = n: then the batch consists of views.
        "whole-buffer-view",
        "S",
        "all of it without a copy",
        "Where B is all that is stored you give away your own arrays, so that later "
        "adds change a batch already drawn. A batch is always a copy",
        (
            ROWS,
            "if batch_size == len(self):\n"
            "            return Transition(*(c[:batch_size] for c in self.columns))\n"
            f"        {ROWS}",
        ),
    ),
    ring(
        # Wrong for B = 1 (and for D = 1).
        "squeezes-batch",
        "X",
        "a batch of one loses its axis",
        "A batch of one loses its first axis, as after a squeeze. Every field has a "
        "leading B, also where B is 1",
        (BATCH, BATCH.replace("column[rows]", "np.squeeze(column[rows])")),
    ),
    ring(
        "columns-B1",
        "F",
        "scalars as [B, 1]",
        "Your actions, rewards and d have shape [B, 1], which makes [B, B] as soon as "
        "it meets a [B]. One number for each row: shape [B]",
        (BATCH, BATCH.replace("column[rows]", "column[rows].reshape(batch_size, -1)")),
    ),
    rows(
        "list-of-rows",
        "X",
        "a list of B transitions",
        "You return B single transitions. The batch is one Transition whose five "
        "fields are arrays with a leading B",
        (STACK, "return [Transition(*row) for row in picked]"),
    ),
    draw(
        "batch-size-fixed",
        "X",
        "always 32 rows",
        "Your batch always has 32 rows. How many to draw is an argument",
        ROWS.replace("batch_size", "32"),
    ),
    ring(
        "cartpole-size",
        "X",
        "CartPole's four numbers built in",
        "Your buffer stores states of four numbers only, CartPole's. It takes states "
        "of any size: look at the first one that comes",
        ("np.shape(state)", "(4,)"),
    ),
    # Between samples
    draw(
        "range-kept",
        "F",
        "the range to draw from is that of the first sample",
        "What is added after the first sample is never drawn: the range of your draws "
        "is set once and not renewed. It is the length of now",
        "if not hasattr(self, 'range'):\n"
        "            self.range = len(self)\n"
        f"        {ROWS.replace('len(self)', 'self.range')}",
    ),
    rows(
        "columns-kept",
        "F",
        "stacks the columns once, at the first sample",
        "What is added after the first sample is never drawn: you turn the stored "
        "rows into arrays once and keep them. Use what is stored now",
        (
            STACK,
            "return Transition(*(column[places] for column in self.columns))",
        ),
        (
            PICK,
            "if not hasattr(self, 'columns'):\n"
            "            self.columns = [np.stack(c) for c in zip(*self.rows)]\n"
            "        places = rng.integers(len(self.columns[0]), size=batch_size)",
        ),
    ),
    draw(
        "range-until-full",
        "D",
        "the range grows only when the buffer is full",
        "What is added after the first sample is not drawn before the buffer is full. "
        "The range of your draws is the length of now, at every sample",
        "if not hasattr(self, 'range') or len(self) == self.capacity:\n"
        "            self.range = len(self)\n"
        f"        {ROWS.replace('len(self)', 'self.range')}",
    ),
    ring(
        "length-kept",
        "S",
        "len counts up to the first sample only",
        "Your length stays what it was at the first sample. It is the number of "
        "transitions that are stored now",
        (ROWS, f"self.length = len(self)\n        {ROWS}"),
        (LENGTH, f"return getattr(self, 'length', {LENGTH.removeprefix('return ')})"),
    ),
    ring(
        "place-back-after-sample",
        "D",
        "a sample moves the place of the next add",
        "After a sample the next transitions go to other places, so that some are "
        "overwritten too early. Sampling changes nothing, the oldest leaves next",
        (ROWS, f"{ROWS}\n        self.num_added = min(self.num_added, self.capacity)"),
    ),
    # What `sample` returns, and what `add` takes
    anew(
        "actions-as-floats",
        "X",
        "one matrix of floats for all fields",
        "Your actions come back as floats, for all fields share one array of floats. "
        "Actions are used as indices: they have to be integers",
        ONE_MATRIX,
    ),
    ring(
        "add-advances-state",
        "S",
        "writes the next state into the caller's array",
        "Your `add` writes into the array that it was given. It belongs to the caller: "
        "store a copy, and leave the argument as it came",
        (LAST_LINE, f"{LAST_LINE}\n        state[...] = next_state"),
    ),
    rows(
        "wants-numpy-numbers",
        "X",
        "asks a Python number for .item()",
        "You call a method that only NumPy's numbers have. Actions, rewards and d may "
        "be Python's numbers, too: int, float and bool",
        ("np.array(state), action,", "np.array(state), action.item(),"),
    ),
]
