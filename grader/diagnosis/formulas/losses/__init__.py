"""Finds the formula that a wrong `td_loss` or `mc_loss` computes.

Runs in the grader's process. `loss` and `reduction` hold the choices; `questions` makes
the questions; `sample` holds a question with the hand-in's answer; `search` finds the
formula; `scale` finds its factor; `words` writes the formula as text.
Imports `contract`.
"""
