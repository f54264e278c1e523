"""Answers with object arrays, which would have to be pickled to travel.

Rows: 20, 22
Grade: replay_buffer
Asserts: S R
Says: sample|batch|state
"""


class Bomb:
    def __reduce__(self):
        return exit, ()


class ReplayBuffer:
    def __init__(self, capacity):
        self.count = 0

    def add(self, *_):
        pass

    def __len__(self):
        return 0

    def sample(self, batch_size, rng):
        rows = np.array([Bomb() for _ in range(batch_size)])
        return Transition(rows, rows, rows, rows, rows)
