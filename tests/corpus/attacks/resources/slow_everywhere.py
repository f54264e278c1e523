"""Takes two seconds for its import and for every answer, in all exercises.

Rows: 42
Grade: all
Asserts: S R T
Says: has used up
"""

import time

time.sleep(2)


def slow(*_, **__):
    time.sleep(2)
    return np.zeros(3)


update_Q_TD0 = discounted_returns = mc_loss = q_network = epsilon_greedy = slow
td_loss = td_update = sync_target = slow


class ReplayBuffer:
    __init__ = add = sample = slow
    __len__ = lambda self: 0


ReplayBuffer.__init__ = lambda self, capacity: time.sleep(2)
