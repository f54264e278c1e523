"""The report: one result model, and what people and programs read of it.

Runs in the grader's process. `model` is what is graded; `terminal`, `picture` and
`formats/` show it. Imports `contract` and `escape`.
"""
