"""The checks: one pytest file for each exercise, and what they share.

They run in the grader's process, which is trusted, and ask the student's code and the
reference through the fixtures `student` and `reference`. A check's docstring begins
with the line that students read. May import `contract`, `oracle`, `diagnosis` and
`escape`, and no JAX.
"""
