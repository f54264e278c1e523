"""The grammar of `epsilon_greedy`: greedy rules, distributions, laws, and their fit.

Pure functions of numbers. Runs in the grader; imports `contract` and `diagnosis`.
"""
