"""The choices that form the formulas of the reader of `discounted_returns`.

To add a mistake, add a line to a table in `weights`, `choices` or `facts`. The code
runs in the grader and imports `contract` and `diagnosis`.
"""
