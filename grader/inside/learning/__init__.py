"""The modules of `learner.py`, which learns the tasks with the hand-in's parts.

This code runs in the learner, which also has `starter/train.py` and `starter/tasks.py`.
The learner runs programs of the hand-in, and none of its Python. Through the grader it
asks the worker for the hand-in's buffer and `sync_target`.

May import JAX, gymnasium, `train`, `tasks` and the modules of `grader.inside`.
"""
