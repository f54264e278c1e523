"""A choice of `epsilon_greedy`: rules, distributions, their fit, and the words for it.

Pure functions of numbers. Runs in the grader; imports `contract` and `diagnosis`.
"""
