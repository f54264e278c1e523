"""Finds the formula that a wrong part computes, in a grammar of right and wrong code.

Runs in the grader's process. `grammar` combines choices into formulas; `rows` holds the
numbers of one question; `reward`, `mask`, `target` and `value` hold the choices for the
terms of a target; `combine` computes the targets; `constants` computes a constant that
is in no list of choices. `losses` reads the parts `td_loss` and `mc_loss`; `table`
reads `update_Q_TD0`. Imports `contract`.
"""
