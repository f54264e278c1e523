"""The report for other programs: one file for each format.

Each has a `render`: of a report, or of None where grading crashed or was cut off
before there was one. Then, and where the grader could not do its work, what comes out
is valid as well, and says that it is no judgement.
"""
