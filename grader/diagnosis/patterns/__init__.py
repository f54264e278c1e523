"""Readers that describe what a wrong part does, and the words for each mistake.

Runs in the grader's process. Each module in this folder, except `arrays`, reads one
part: `read(student, rng)` draws questions, asks the hand-in, and hands the answers to
pure functions. Imports `contract` and `oracle`.
"""
