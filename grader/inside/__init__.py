"""Everything that runs confined: the helper processes and what they need.

`worker.py` runs the hand-in, `runner.py` its exported programs, `learner.py` the
learning loop, `intruder.py` the sandbox's self-test; each of them has all of this
folder. The trusted side imports `protocol.py` and, to debug in its own process only,
the worker and the runner. May import JAX, Equinox, Optax, gymnasium and NumPy, and
nothing of the grader's other rooms.
"""
