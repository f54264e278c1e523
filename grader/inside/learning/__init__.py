"""The modules of `learner.py`, which learns the tasks with the hand-in's programs.

The code here runs in the learner, which also has `starter/train.py` and
`starter/tasks.py`. The learner runs no Python of the hand-in: it has the hand-in's
programs, and the worker answers for the hand-in's buffer and sync.

May import JAX, gymnasium, `train`, `tasks` and the modules of `grader.inside`.
"""
