"""The grammar of `discounted_returns`: the choices from which formulas are made.

Runs in the grader's process. `weights` and `choices` are tables to which mistakes are
added. Imports `contract`.
"""
