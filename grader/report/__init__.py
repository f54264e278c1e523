"""Hold the results of a grading, and show them to people and to other programs.

This room's code runs in the grader's process. `model` holds the results, and `progress`
adds those of earlier runs. `terminal`, `picture` and `formats/` show them. This room
may import `contract` and `escape`.
"""
