"""The grammar of `epsilon_greedy`, and its fit to the actions of many calls.

A pattern of this grammar has three parts: a rule for the greedy action, a distribution
of the actions when exploring, and a formula (`Law`) of the probability of exploring.
`questions` asks the hand-in; all other modules have pure functions. The code runs in
the grader and imports `contract` and `diagnosis`.
"""
