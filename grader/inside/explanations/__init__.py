"""Explain frequent exceptions in sentences for students, by tables of `Kind`.

A `Kind` has patterns for an exception, and the sentence that explains it. `explain.py`
looks for the first `Kind` that fits. This happens in the worker, where a hand-in can
change the sentence. Therefore the grader treats the sentence as untrusted text. The
modules may import the standard library and each other.
"""
