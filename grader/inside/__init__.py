"""The code that runs in the confined helper processes.

`worker.py` runs the hand-in, `runner.py` runs the hand-in's exported programs,
`learner.py` runs the learning loop, and `intruder.py` makes the attempts of the
sandbox's self-test. Every helper has all files of this folder. The grader's own process
imports `protocol.py`; under `INPROCESS=1` it also imports the worker and the runner.

These files may import JAX, Equinox, Optax, gymnasium, NumPy and msgpack, but no other
room of the grader.
"""
