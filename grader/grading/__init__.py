"""Grade one hand-in: run its checks, ask again, diagnose mistakes, make the report.

This room runs in the grader's process, which never imports the hand-in. The exception
is `in_process`, for a student's debugger, which gives no grade. Begin to read with
`pipeline`; `plugin` connects it to pytest. This room may import all rooms except
`checks` and `classroom`.
"""
