"""Hands over another program than the one that was asked for.

Rows: 8, 56
Grade: td_loss
On: td-half
Asserts: S R
Says: td_loss
"""

from grader.inside import parts

parts.PROGRAMS["td_loss"] = parts.PROGRAMS["forward"]
