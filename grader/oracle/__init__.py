"""Answer cases by the candidate (the hand-in) and by the reference.

This room runs in the grader's process. Through `sandbox` it asks helpers: the worker,
which runs the hand-in's Python, and the runner, which runs exported programs. `budget`
measures the time of the hand-in, and `learning` trains agents made of the hand-in's
parts. This room may import `contract`, `escape`, `intake` and `sandbox`.
"""
