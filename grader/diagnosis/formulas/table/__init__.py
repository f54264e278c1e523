"""Finds the formula that a wrong `update_Q_TD0` computes.

For each term of a formula there is a list of choices. `step` holds the choices of how
the table's cells move; `episode` holds a question with the hand-in's answer; `td0`
finds the formula; `step_size` finds its step size; `step_words` writes the formula as
text. The code runs in the grader's process and imports `contract`.
"""
