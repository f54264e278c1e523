"""Exercise 5 in other styles: other ways to store, to draw and to return rows."""

from tests.corpus.variants.definition import Variant, rewritten


def buffer(name: str, code: str) -> Variant:
    """Return the solution with a new definition of `ReplayBuffer`."""
    return rewritten("ReplayBuffer", name, code)


def sampled(name: str, *body: str) -> Variant:
    """Return the solution with a buffer that draws its rows by other lines of code."""
    lines = [
        "import random",
        "",
        "",
        "class ReplayBuffer(ReplayBuffer):",
        "    def sample(self, batch_size, rng):",
        *(f"        {line}" for line in body),
        "        return Transition(*(column[rows] for column in self.columns))",
    ]
    return buffer(name, "\n".join(lines))


def batched(name: str, expression: str, first: str = "") -> Variant:
    """Return the solution with a buffer whose `sample` returns an expression.

    Args:
        name: a few words that say what differs.
        expression: text in `b`, the batch that the solution's buffer draws.
        first: definitions that are put before the buffer's.
    """
    code = f"""
{first}


class ReplayBuffer(ReplayBuffer):
    def sample(self, batch_size, rng):
        b = super().sample(batch_size, rng)
        return {expression}
"""
    return buffer(name, code)


BATCH_DATACLASS = """
import dataclasses


@dataclasses.dataclass
class Batch:
    state: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray
    next_state: np.ndarray
"""
BATCH_MODULE = """
class Batch(eqx.Module):
    s: jax.Array
    a: jax.Array
    r: jax.Array
    d: jax.Array
    s2: jax.Array
"""
BATCH_NAMED = """
import collections

Batch = collections.namedtuple("Batch", "s a r d s_next")
"""

VARIANTS = [
    buffer(
        "deque, without replacement",
        """
import collections


class ReplayBuffer:
    def __init__(self, capacity):
        self.transitions = collections.deque(maxlen=capacity)

    def add(self, state, action, reward, terminated, next_state):
        state, next_state = np.array(state), np.array(next_state)
        self.transitions.append(
            Transition(state, action, reward, terminated, next_state)
        )

    def __len__(self):
        return len(self.transitions)

    def sample(self, batch_size, rng):
        rows = rng.choice(len(self), size=batch_size, replace=False)
        return Transition(*map(np.stack, zip(*(self.transitions[i] for i in rows))))
""",
    ),
    buffer(
        "functional, of jnp",
        """
class ReplayBuffer:
    def __init__(self, capacity):
        self.capacity, self.added, self.columns = capacity, 0, None

    def add(self, *transition):
        if self.columns is None:
            shapes = [(self.capacity, *np.shape(x)) for x in transition]
            kinds = [float, int, float, float, float]
            self.columns = [jnp.zeros(s, k) for s, k in zip(shapes, kinds)]
        row = self.added % self.capacity
        self.columns = store(self.columns, row, [jnp.asarray(x) for x in transition])
        self.added += 1

    def __len__(self):
        return min(self.added, self.capacity)

    def sample(self, batch_size, rng):
        rows = jnp.asarray(rng.integers(0, len(self), batch_size))
        return Transition(*(column[rows] for column in self.columns))


@jax.jit
def store(columns, row, transition):
    pairs = zip(columns, transition)
    return [column.at[row].set(x.astype(column.dtype)) for column, x in pairs]
""",
    ),
    buffer(
        "lists",
        """
class ReplayBuffer:
    def __init__(self, capacity):
        self.capacity, self.rows = capacity, []

    def add(self, state, action, reward, terminated, next_state):
        if len(self.rows) == self.capacity:
            del self.rows[0]
        state, next_state = np.array(state).tolist(), np.array(next_state).tolist()
        self.rows.append([state, int(action), float(reward), terminated, next_state])

    def __len__(self):
        return len(self.rows)

    def sample(self, batch_size, rng):
        picked = [self.rows[int(len(self) * rng.random())] for _ in range(batch_size)]
        return tuple(list(column) for column in zip(*picked))
""",
    ),
    buffer(
        "a subclass of deque, 0-d arrays",
        """
import collections


class ReplayBuffer(collections.deque):
    def __init__(self, capacity):
        super().__init__(maxlen=capacity)

    def add(self, *transition):
        self.append(tuple(np.array(field, copy=True) for field in transition))

    def sample(self, batch_size, rng):
        rows = rng.integers(0, len(self), size=batch_size)
        return Transition(*(np.array(x) for x in zip(*[self[int(i)] for i in rows])))
""",
    ),
    buffer(
        "a structured array",
        """
class ReplayBuffer:
    def __init__(self, capacity):
        self.capacity, self.table, self.total = capacity, None, 0

    def add(self, state, action, reward, terminated, next_state):
        if self.table is None:
            vector = ("<f8", np.shape(state))
            self.table = np.zeros(self.capacity, [
                ("state", *vector), ("action", "<i8"), ("reward", "<f8"),
                ("terminated", "u1"), ("next_state", *vector),
            ])
        row = (state, action, reward, terminated, next_state)
        self.table[self.total % self.capacity] = row
        self.total += 1

    def __len__(self):
        return self.total if self.total < self.capacity else self.capacity

    def sample(self, batch_size, rng):
        picked = rng.choice(self.table[: len(self)], batch_size)
        return Transition(**{name: picked[name] for name in Transition._fields})
""",
    ),
    buffer(
        "one matrix, cut apart when sampled",
        """
class ReplayBuffer:
    def __init__(self, capacity):
        self.capacity, self.matrix, self.next, self.full = capacity, None, 0, False

    def add(self, state, action, reward, terminated, next_state):
        row = np.concatenate([state, [action, reward, terminated], next_state])
        if self.matrix is None:
            self.matrix = np.empty((self.capacity, row.size), np.float64)
        self.matrix[self.next] = row
        self.next += 1
        if self.next == self.capacity:
            self.next, self.full = 0, True

    def __len__(self):
        return self.capacity if self.full else self.next

    def sample(self, batch_size, rng):
        picked = self.matrix[rng.integers(len(self), size=batch_size)]
        D = (picked.shape[1] - 3) // 2
        s, a, r, d, s2 = np.split(picked, [D, D + 1, D + 2, D + 3], axis=1)
        a, d = a[:, 0].astype(np.int64), d[:, 0].astype(bool)
        return Transition(s, a, r[:, 0], d, s2)
""",
    ),
    buffer(
        "a dict by serial number",
        """
class ReplayBuffer:
    def __init__(self, capacity):
        self.capacity, self.rows, self.serial = capacity, {}, 0

    def add(self, *transition):
        self.rows[self.serial] = jax.tree.map(np.array, Transition(*transition))
        self.rows.pop(self.serial - self.capacity, None)
        self.serial += 1

    def __len__(self):
        return len(self.rows)

    def sample(self, batch_size, rng):
        oldest = next(iter(self.rows))
        serials = rng.integers(oldest, self.serial, size=batch_size)
        return jax.tree.map(lambda *x: np.stack(x), *(self.rows[n] for n in serials))
""",
    ),
    buffer(
        "shifted arrays, the newest first",
        """
class ReplayBuffer:
    def __init__(self, capacity):
        self.capacity, self.fields, self.size = capacity, None, 0

    def add(self, *transition):
        new = [np.asarray(x)[None] for x in transition]
        old = self.fields or [x[:0] for x in new]
        pairs = zip(new, old)
        self.fields = [np.concatenate(pair)[: self.capacity] for pair in pairs]
        self.size = len(self.fields[0])

    def __len__(self):
        return self.size

    def sample(self, batch_size, rng):
        rows = rng.permutation(self.size)[:batch_size]
        return Transition(*(np.take(field, rows, axis=0) for field in self.fields))
""",
    ),
    buffer(
        "arrays that double, rolled over when full",
        """
class ReplayBuffer:
    def __init__(self, capacity):
        self.capacity, self.used, self.room, self.fields = capacity, 0, 0, {}

    def add(self, state, action, reward, terminated, next_state):
        values = (state, np.int32(action), reward, terminated, next_state)
        row = dict(zip(Transition._fields, values))
        if self.used == self.capacity:
            for name in self.fields:
                self.fields[name] = np.roll(self.fields[name], -1, axis=0)
            self.used -= 1
        elif self.used == self.room:
            self.room = min(2 * self.room + 1, self.capacity)
            for name, value in row.items():
                grown = np.zeros((self.room, *np.shape(value)), np.asarray(value).dtype)
                grown[: self.used] = self.fields.get(name, grown)[: self.used]
                self.fields[name] = grown
        for name, value in row.items():
            self.fields[name][self.used] = value
        self.used += 1

    def __len__(self):
        return self.used

    def sample(self, batch_size, rng):
        rows = np.argsort(rng.random(self.used))[:batch_size]
        return Transition(**{name: x[rows] for name, x in self.fields.items()})
""",
    ),
    buffer(
        "a dataclass with slots",
        """
import dataclasses


@dataclasses.dataclass(slots=True, eq=False)
class ReplayBuffer:
    capacity: int
    _ring: list[Transition] = dataclasses.field(default_factory=list)
    _oldest: int = 0

    def add(self, state, action, reward, terminated, next_state):
        new = Transition(
            jnp.array(state), jnp.int32(action), jnp.float32(reward),
            jnp.bool_(terminated), jnp.array(next_state),
        )
        if len(self._ring) < self.capacity:
            self._ring.append(new)
        else:
            self._ring[self._oldest] = new
            self._oldest = (self._oldest + 1) % self.capacity

    def __len__(self):
        return len(self._ring)

    def sample(self, batch_size, rng):
        picked = [self._ring[i] for i in rng.integers(len(self._ring), size=batch_size)]
        return jax.tree.map(lambda *leaves: np.stack(leaves), *picked)
""",
    ),
    buffer(
        "bytes",
        """
import pickle


class ReplayBuffer:
    def __init__(self, capacity):
        self.capacity = capacity
        self.packed = [None] * capacity
        self.count = 0

    def add(self, *transition):
        self.packed[self.count % self.capacity] = pickle.dumps(transition)
        self.count += 1

    def __len__(self):
        return sum(item is not None for item in self.packed)

    def sample(self, batch_size, rng):
        stored = [item for item in self.packed if item is not None]
        rows = rng.integers(len(stored), size=batch_size)
        picked = [pickle.loads(stored[i]) for i in rows]
        return Transition(*(np.asarray(column) for column in zip(*picked)))
""",
    ),
    buffer(
        "chatty, with counters",
        """
class ReplayBuffer(ReplayBuffer):
    total_added = 0

    def add(self, *args, **kwargs):
        super().add(*args, **kwargs)
        ReplayBuffer.total_added += 1
        print(f"[buffer] stored #{self.total_added}: {len(self)}/{self.capacity}")

    def sample(self, batch_size, rng):
        batch = super().sample(batch_size, rng)
        print("[buffer] sampled rewards", batch.reward, "done", batch.terminated)
        return batch
""",
    ),
    buffer(
        "a closure behind a function",
        """
class _Handle:
    def __init__(self, add, size, sample):
        self.add, self._size, self.sample = add, size, sample

    def __len__(self):
        return self._size()


def ReplayBuffer(capacity):
    columns = [[], [], [], [], []]

    def add(state, action, reward, terminated, next_state):
        new = np.array(state), int(action), float(reward), bool(terminated)
        for column, value in zip(columns, (*new, np.array(next_state))):
            column.append(value)
            if len(column) > capacity:
                column.pop(0)

    def size():
        return len(columns[0])

    def sample(batch_size, rng):
        rows = rng.integers(size(), size=batch_size)
        return Transition(*(np.array([column[i] for i in rows]) for column in columns))

    return _Handle(add, size, sample)
""",
    ),
    sampled("rows by choice", "rows = rng.choice(len(self), batch_size)"),
    sampled(
        "rows by choice, not shuffled",
        "rows = rng.choice(len(self), batch_size, replace=False, shuffle=False)",
    ),
    sampled("rows by permutation", "rows = rng.permutation(len(self))[:batch_size]"),
    sampled(
        "rows by floats",
        "rows = np.floor(rng.random(batch_size) * len(self)).astype(np.int64)",
    ),
    sampled(
        "rows one by one, each new",
        "rows = []",
        "while len(rows) < batch_size:",
        "    row = int(rng.integers(len(self)))",
        "    if row not in rows:",
        "        rows.append(row)",
    ),
    sampled(
        "rows by a mask, in their order",
        "mask = np.zeros(len(self), bool)",
        "mask[: batch_size] = True",
        "rng.shuffle(mask)",
        "rows = np.flatnonzero(mask)",
    ),
    sampled(
        "rows by a JAX key from the generator",
        "key = jax.random.key(int(rng.integers(2**31)))",
        "rows = jax.random.randint(key, (batch_size,), 0, len(self))",
        "rows = np.asarray(rows)",
    ),
    sampled(
        "rows by Python's random, seeded by the generator",
        "other = random.Random(int(rng.integers(2**63)))",
        "rows = other.sample(range(len(self)), batch_size)",
    ),
    sampled(
        "rows by Python's choices, seeded with bytes",
        "rows = random.Random(rng.bytes(8)).choices(range(len(self)), k=batch_size)",
    ),
    batched("batch in a dataclass", "Batch(*b)", BATCH_DATACLASS),
    batched("batch in an eqx.Module", "Batch(*map(jnp.asarray, b))", BATCH_MODULE),
    batched("batch in another namedtuple", "Batch(*b)", BATCH_NAMED),
    batched("batch in a plain tuple", "tuple(b)"),
    batched(
        "batch in a namespace", "types.SimpleNamespace(**b._asdict())", "import types"
    ),
    batched(
        "batch in float64 and int64",
        "Transition(b.state.astype(float), b.action.astype(int), "
        "b.reward.astype(float), b.terminated.astype(int), b.next_state.astype(float))",
    ),
    batched(
        "batch of lists of 0-d arrays",
        "Transition(list(b[0]), *(list(map(jnp.asarray, x)) for x in b[1:4]), b[4])",
    ),
    batched(
        "batch in column order, big-endian",
        "Transition(np.asfortranarray(b.state), b.action.astype('>i4'), "
        "b.reward.astype('>f4'), b.terminated.view('u1'), b.next_state.astype('>f8'))",
    ),
    rewritten(
        "ReplayBuffer",
        "small integers, 0 and 1 as floats",
        """
class ReplayBuffer:
    def __init__(self, capacity):
        self.rows = [None] * capacity
        self.added = 0

    def add(self, state, action, reward, terminated, next_state):
        kinds = (np.float64, np.uint8, np.float64, np.float32, np.float64)
        row = (state, action, reward, terminated, next_state)
        row = tuple(np.array(x, kind) for x, kind in zip(row, kinds))
        self.rows[self.added % len(self.rows)] = row
        self.added += 1

    def __len__(self):
        return min(self.added, len(self.rows))

    def sample(self, batch_size, rng):
        places = rng.choice(len(self), size=batch_size, replace=False)
        return Transition(*map(np.stack, zip(*(self.rows[i] for i in places))))
""",
    ),
]
