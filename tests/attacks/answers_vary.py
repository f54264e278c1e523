"""Answers every other time rightly, however it is asked.

Rows: 62
Grade: update_Q_TD0
Asserts: S R
Says: identical questions differ|Q
"""

COUNT = []


def update_Q_TD0(Q, states, actions, rewards, next_states, terminateds, alpha, gamma):
    COUNT.append(1)
    new = np.array(Q)
    for s, a, r, n, d in zip(
        *map(np.asarray, (states, actions, rewards, next_states, terminateds)),
        strict=True,
    ):
        new[s, a] -= alpha * (Q[s, a] - (r + (1 - d) * gamma * np.max(Q[n])))
    return new if len(COUNT) % 2 else new + 1
