"""What a wrong part does, read off its answers, and the words for it.

Runs in the grader's process. Each module reads one part: `read(student, rng)` builds
questions, asks the hand-in, and hands the numbers to pure functions.
Imports `contract` and `oracle`.
"""
