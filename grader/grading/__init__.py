"""Grade one hand-in: run the checks twice, diagnose mistakes, make the report.

This room runs in the grader's process, which never imports the hand-in. The exception
is `in_process`: it imports the hand-in for a student's debugger, and gives no grade.
Begin to read with `pipeline`; `plugin` connects the pipeline to pytest. This room may
import all rooms except `checks`, `watch` and `classroom`; only `in_process` may import
`inside`.
"""
