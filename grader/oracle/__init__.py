"""Who answers a case: the candidate (the hand-in) and the reference.

Runs in the grader's process and asks helpers by way of `sandbox`: the worker, in which
the hand-in runs, and the runner, which runs exported programs. `budget` keeps the time,
`learning` carries questions while the hand-in learns. Imports `contract`, `escape`,
`intake` and `sandbox`.
"""
