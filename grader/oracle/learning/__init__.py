"""Learning with the hand-in's parts, in two processes of its own.

`run` has the class `Learning`, which carries questions between the two processes;
`parts` makes the hand-in's parts ready; `results` says what was learned.
"""
