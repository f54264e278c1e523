"""Diagnose wrong parts, and explain why learning failed.

Runs in the grader's process and asks the hand-in through `oracle`. `formulas` finds the
formula of a loss or of an update of a table. `patterns` describes what the other parts
do. `fingerprints` recognises known mistakes of parts without a reader.
Imports `contract` and `oracle`.
"""
