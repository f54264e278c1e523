"""Hands over right programs for the first sizes, and wrong ones for all later ones.

Rows: 61, 62
Grade: all
Asserts: S R
Says: identical questions differ
"""

COUNT = []


def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    COUNT.append(1)
    target = rewards + gamma * (1 - terminateds) * Q[next_states].max(axis=1)
    error = target - Q[states, actions]
    return Q.at[states, actions].add(alpha * error * (len(COUNT) < 4))
