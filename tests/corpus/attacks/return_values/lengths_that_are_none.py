"""Says that it holds True, 10**30, NaN or -1 transitions.

Rows: 23
Grade: replay_buffer
Asserts: S R
Says: replay_buffer|ReplayBuffer|len
"""

LENGTHS = (True, 2**62, -1, 10**30)
COUNT = []


class ReplayBuffer:
    def __init__(self, capacity):
        pass

    def add(self, *_):
        pass

    def __len__(self):
        COUNT.append(1)
        return LENGTHS[len(COUNT) % 4]

    def sample(self, batch_size, rng):
        return None
