"""Run a hand-in's code: the statements of a notebook, and calls of `jax.debug`."""
