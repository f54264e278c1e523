"""Make the HTML pages: one of the whole class, one for each student.

Each page is a file that loads nothing; a policy in the page forbids it. Python counts
and chooses what is shown; the templates hold all markup and escape every value.
"""
