"""The grammar of `sync_target`: rules of steps, contents, and a hint for each mistake.

Pure functions of numbers. Runs in the grader; imports `contract` and `diagnosis`.
"""
