"""The questions and explanations with which the reader of `ReplayBuffer` works.

A question is a script: a list of operations on a new buffer, such as adds and samples.
`asked` asks all questions in order. To add a mistake, add a line to a table in
`stores`, `places` or `changes`. The code runs in the grader's process, asks the hand-in
through `oracle`, and imports `contract` and `oracle`.
"""
