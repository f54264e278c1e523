"""Steps of reading a wrong replay buffer: scripts, fields, storage and draws.

Runs in the grader's process and asks the hand-in through `oracle`. `asked` has the
order of the questions. To add a mistake, add a line to a table in `stores`, `places`
or `changes`. Imports `contract` and `oracle`.
"""
