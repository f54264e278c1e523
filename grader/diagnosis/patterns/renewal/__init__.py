"""The grammar of `sync_target`: rules of steps, and a hint for each mistake.

Pure functions of numbers. Runs in the grader; imports `contract` and `diagnosis`.
"""
