"""The modules of `learner.py`, which learns CartPole with the hand-in's programs.

The code here runs in the learner, which also has `starter/train.py`. The learner runs
no Python of the hand-in: it has the hand-in's programs, and the worker answers for the
hand-in's buffer and sync.

May import JAX, gymnasium, `train` and the modules of `grader.inside`.
"""
