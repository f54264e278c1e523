"""A renewal by `sync_target`: rules of steps, and the words for them.

Pure functions of numbers. Runs in the grader; imports `contract` and `diagnosis`.
"""
