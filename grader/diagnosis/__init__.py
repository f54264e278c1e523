"""Diagnose wrong parts, and explain why learning failed.

This package runs in the grader's process and asks the hand-in through `oracle`.
`formulas` finds the formula that a wrong `td_loss`, `mc_loss` or `update_Q_TD0`
computes. `patterns` describes what the other parts do. `fingerprints` recognises known
mistakes of parts without a reader. The package imports `contract` and `oracle`.
"""
