"""Ends its process at every question, in all exercises.

Rows: 4, 45
Grade: all
Asserts: S R T O
Says: exited with code 9
"""

import os


def die(*_, **__):
    os._exit(9)


update_Q_TD0 = discounted_returns = mc_loss = q_network = epsilon_greedy = die
td_loss = td_update = sync_target = ReplayBuffer = die
