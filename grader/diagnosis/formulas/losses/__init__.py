"""Finds the formula that a wrong `td_loss` or `mc_loss` computes.

For each term of a formula there is a list of choices. `loss` and `reduction` hold the
choices of a loss; `questions` makes the questions; `sample` holds a question with the
hand-in's answer; `search` finds the formula; `scale` finds its factor; `words` writes
the formula as text. `slopes` computes gradients by the formula, for learning. The code
runs in the grader's process and imports `contract`.
"""
