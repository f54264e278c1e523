"""What `learner.py` is made of: learning CartPole with the hand-in's programs.

It runs in the learner, a runner that also has `starter/train.py`. The hand-in's code
is not here: its programs are functions of arrays, its buffer and sync answer from the
worker. May import JAX, gymnasium, `train` and the modules of `grader.inside`.
"""
