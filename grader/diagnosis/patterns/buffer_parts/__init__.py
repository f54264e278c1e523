"""Steps of reading a wrong replay buffer.

Runs in the grader's process and asks the hand-in through `oracle`. `asked` has the
order of the questions. A question is a script: a list of operations on a new buffer, as
adds and samples. To add a mistake, add a line to a table in `stores`, `places` or
`changes`. Imports `contract` and `oracle`.
"""
