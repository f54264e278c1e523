"""The tests of the grader, what they grade, and the tools of its staff."""
