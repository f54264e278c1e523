"""Hold the checks: one pytest file for each exercise, and helpers for several files.

The checks run in the grader's process, which is trusted. The fixture `student` gives
the answers of the hand-in, and the fixture `reference` those of the reference. Students
read the first line of a check's docstring. This room may import `contract`, `oracle`,
`diagnosis` and `escape`, and no JAX.
"""
