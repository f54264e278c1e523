"""The grammar of `epsilon_greedy`, and its fit to the actions of many calls.

A pattern of this grammar has a rule for the greedy action, a distribution of the
actions when exploring, and a law by which the probability of exploring depends on ε.
Pure functions of numbers, except in `questions`, which asks the hand-in. Runs in the
grader; imports `contract` and `diagnosis`.
"""
