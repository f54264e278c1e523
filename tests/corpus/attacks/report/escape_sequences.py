"""Raises what a terminal, a log of CI or a browser would take for orders.

Rows: 63
Grade: sync_target
Asserts: S R
Says: add-mask
"""

ORDERS = """\x1b[2J\x1b[31mScore 100 / 100\x1b]0;title\x07
::add-mask::5
   ::set-output name=score::100
##[error]5 ##vso[task.complete] \r\r\b\b\x9b2J\u202e\u2066\u200b\u2028"""


def sync_target(*_):
    raise RuntimeError(ORDERS)
