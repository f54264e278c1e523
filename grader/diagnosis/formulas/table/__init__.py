"""Finds the formula that a wrong `update_Q_TD0` computes.

Runs in the grader's process. `step` holds the choices; `episode` holds a question with
the hand-in's answer; `td0` finds the formula; `step_size` finds its step size;
`step_words` writes the formula as text.
Imports `contract`.
"""
