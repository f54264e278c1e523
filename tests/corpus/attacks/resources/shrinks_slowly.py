"""Is wrong late and slow always, so that looking for a smaller question takes long.

Rows: 42, 62
Grade: update_Q_TD0
On: solution
Asserts: S R T
Says: has used up|no answer within|update_Q_TD0|Q
"""

import time

COUNT = []
own = update_Q_TD0


def update_Q_TD0(Q, *others):
    COUNT.append(1)
    time.sleep(0.2)
    return np.asarray(own(Q, *others)) + (len(COUNT) > 12)
