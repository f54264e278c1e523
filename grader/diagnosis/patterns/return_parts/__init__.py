"""The grammar of `discounted_returns`: the choices that formulas are made of.

Runs in the grader's process. To add a mistake, add a line to a table in `weights`,
`choices` or `facts`. Imports `contract` and `diagnosis`.
"""
