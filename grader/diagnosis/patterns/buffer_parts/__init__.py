"""How a wrong replay buffer is read: scripts, rows, storage, draws, fields.

Runs in the grader's process and asks the hand-in through `oracle`. `asked` has the
order of the questions; `stores` and `changes` are tables to which mistakes are added.
Imports `contract` and `oracle`.
"""
