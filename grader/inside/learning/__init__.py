"""The modules that `inside/learner.py` uses to learn tasks with the hand-in's parts.

This code runs in the learner, which also has `starter/train.py` and `starter/tasks.py`.
The learner runs the hand-in's programs, but not the hand-in's Python. It sends the
grader questions for the replay buffer and `sync_target`; the grader passes these
questions on to a worker.

These modules may import JAX, Optax, NumPy, `train`, `tasks` and `grader.inside`.
"""
