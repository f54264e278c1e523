"""Raises what defaces a report, in all exercises and at each question.

Rows: 63, 64
Grade: all
Asserts: S R
Says: deface
"""


class Deface(BaseException):
    def __str__(self):
        return (
            "deface \x1b[2J\n::error::\udc80\n##[error] \u202e</table>"
            + "\n" * 99
            + "|"
        )


def deface(*_, **__):
    raise Deface


update_Q_TD0 = discounted_returns = mc_loss = q_network = epsilon_greedy = deface
td_loss = td_update = sync_target = ReplayBuffer = deface
