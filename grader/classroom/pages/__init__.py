"""Make the HTML pages: one for the whole class, and one for each hand-in.

A page is one file and loads no other file; a policy in the page forbids loading. The
Python code computes the values that a page shows. The templates hold all markup and
escape every value.
"""
