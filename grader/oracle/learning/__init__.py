"""Learning with the hand-in's parts, in a worker and a learner.

`run` has the class `Learning`, which carries questions between the two processes;
`parts` makes the hand-in's parts ready; `results` has the classes of the results.
"""
