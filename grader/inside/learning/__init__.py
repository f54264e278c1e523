"""The modules that `inside/learner.py` uses to learn tasks with the hand-in's parts.

This code runs in the learner, which also has `starter/train.py` and `starter/tasks.py`.
The learner runs the hand-in's programs, but not the hand-in's Python. It asks the
grader questions to the replay buffer and to `sync_target`; the grader passes them on to
a worker.

These modules may import JAX, gymnasium, `train`, `tasks` and `grader.inside`.
"""
