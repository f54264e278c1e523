"""Write a report for other programs: one module for each format.

Each module has a function `render`, which returns the text of a file. Its argument is a
report, or None if the grading ended without a report. For None the text is valid, too,
and says that nothing was graded. It says this also if the report has a fault of the
grader.
"""
