"""A step of `td_update`: its gradient, what is added to what, and the words for it.

Pure functions of numbers but for `faults`, which asks. Runs in the grader; imports
`contract` and `diagnosis`.
"""
