"""What a wrong part computes, and why learning failed.

Runs in the grader's process and asks the hand-in through `oracle`. `formulas` finds the
formula of a loss or a table's update, `patterns` what the other parts do,
`fingerprints` recognises known mistakes of parts that neither can read.
Imports `contract` and `oracle`.
"""
