"""The grammar of `epsilon_greedy`: greedy rules, distributions, laws, and their fit.

Pure functions of numbers, except in `questions`, which asks the hand-in. Runs in the
grader; imports `contract` and `diagnosis`.
"""
