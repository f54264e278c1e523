"""Readers that describe what a wrong part does, and the words for each mistake.

Each module in this folder, except `arrays`, reads one part. Its function
`read(student, rng)` draws questions, asks the hand-in, and passes the answers to pure
functions. The code runs in the grader's process and imports `contract` and `oracle`.
"""
