"""The grammar of `td_update`: gradients, steps, and a hint for each mistake.

Pure functions of numbers, except in `faults`, which asks the hand-in. Runs in the
grader; imports `contract` and `diagnosis`.
"""
