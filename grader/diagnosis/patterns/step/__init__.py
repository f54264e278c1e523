"""The gradients and steps with which the reader of `td_update` explains answers.

Each mistake has a hint for students. All functions are pure, except those of `faults`,
which ask the hand-in. The code runs in the grader and imports `contract` and
`diagnosis`.
"""
