"""Write a report for other programs: one module for each format.

Each module has a function `render`, which returns the text of a file. Its first
argument is a report, or None if the grading ended without a report. For None, and for a
report with a fault of the grader, the text is still valid. It then says that nothing
was graded.
"""
