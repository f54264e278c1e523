"""Train agents made of the hand-in's parts, in a worker and a learner.

`run` has the class `Learning`, which passes questions from the learner to the worker.
`parts` exports and tries the parts first. `results` has the classes of the results.
"""
