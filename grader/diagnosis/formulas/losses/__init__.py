"""Reading of losses: `td_loss` and `mc_loss`.

Runs in the grader's process. `loss` holds the choices; `sample` is a question with its
answer; `search` finds the formula, `scale` its factor, `words` says it.
Imports `contract`.
"""
