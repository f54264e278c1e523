"""Which formula a wrong part computes, found among a grammar of what people write.

Runs in the grader's process. `rows` holds the numbers of one question; `target`, `value`
and `loss` hold the choices, one each; `search` finds the simplest formula that fits all
answers; `td_loss`, `mc_loss` and `td0` ask the questions of one part each.
Imports `contract`.
"""
