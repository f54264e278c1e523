"""Grade a whole class: `python -m grader.classroom`, for staff.

Finds the hand-ins of a download (`layouts`), grades each in a process of its own
(`pool`, `one`) or on a cluster (`cluster`, `node`), keeps every report, and writes the
results: pages, a table, filled gradebooks (`results`). Trusted: no code of a hand-in
runs here, and no text of one is shown unescaped. Students' copies come without it.
"""
