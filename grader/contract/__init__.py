"""The contract: exercises, cases, small MDPs, comparison, outcomes, limits and seeds.

The code of this package starts no process and writes no file. `exercises` is the
registry of exercises and parts. The package imports no other package of the grader.
"""
