"""Explain the actions that a wrong `epsilon_greedy` chooses in many calls.

An explanation has three parts: a rule for the greedy action, a distribution of the
actions when exploring, and a formula (`Law`) by which the probability of exploring
depends on ε. The functions are pure, except those of `questions`, which ask the
hand-in. The code runs in the grader and imports `contract` and `diagnosis`.
"""
