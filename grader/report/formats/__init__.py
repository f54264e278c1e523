"""Write a report for other programs: one module for each format.

Each module has a function `render`. It takes a report, or None if grading crashed or
was cut off before there was one. For None, and for a report of a grader that failed,
the result is valid as well, and says that nothing was graded.

It runs in the grader's own process, which is trusted. May import: contract, escape.
"""
