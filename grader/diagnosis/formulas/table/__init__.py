"""Reading of a table's update: `update_Q_TD0`.

Runs in the grader's process. `step` holds the choices; `episode` is a question with its
answer; `td0` finds the formula, `step_size` its step size, `step_words` says it.
Imports `contract`.
"""
