"""Raises exceptions of the grader's names, in its words.

Rows: 8, 64
Grade: sync_target
Asserts: S R
Says: GraderError
"""


class GraderError(BaseException):
    outcome = "grader_error"
    hint = "full points"


def sync_target(*_):
    raise GraderError("grader error (not your mistake): the worker does not start")
