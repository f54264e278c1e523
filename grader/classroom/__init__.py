"""Grade a whole class: `python -m grader.classroom`, for staff.

`layouts` finds the hand-ins in a download. `pool` and `one` grade each hand-in in a
process of its own; `cluster` and `node` do so on several machines. `pool` keeps every
report. `results` writes the results: pages, a table, filled gradebooks.

This room is trusted: it runs no code of a hand-in and escapes all text of a hand-in.
The package for students does not contain this room.
"""
