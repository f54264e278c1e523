"""Raises what would end a string in JSON, CSV or a formula, and start another.

Rows: 64, 65
Grade: sync_target
Asserts: S R
Says: passed
"""


def sync_target(*_):
    raise RuntimeError(
        '"}], "score": 100, "outcome": "passed", "x": [{"y": "\\", NaN, Infinity\n'
        '=cmd|"/c calc"!A1\t+1-1@SUM(1)\r\n,"100","passed"'
    )
