"""Finds the formula that a wrong part computes, in a grammar of right and wrong code.

A formula has slots (terms), such as the reward or the mask. Each slot has a list of
choices, and a formula has one choice for each slot. `grammar` combines choices into
formulas; `rows` holds the numbers of one question; `reward`, `mask`, `target` and
`value` hold the choices for the slots of a target; `combine` computes the targets;
`constants` and `bounds` compute a constant that is in no list of choices. `losses`
reads the parts `td_loss` and `mc_loss`; `table` reads `update_Q_TD0`. The code runs in
the grader's process and imports `contract`.
"""
