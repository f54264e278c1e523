"""Finds the formula that a wrong part computes, in a grammar of right and wrong code.

A formula has slots, such as the reward or the mask. For each slot there is a list of
choices, of which code takes one. `grammar` combines choices into formulas; `rows` holds
the numbers of one question; `reward`, `mask`, `target` and `value` hold the choices for
the slots of a target; `combine` computes the targets; `constants` computes a constant
that is in no list of choices. `losses` reads the parts `td_loss` and `mc_loss`; `table`
reads `update_Q_TD0`. The code runs in the grader's process and imports `contract`.
"""
