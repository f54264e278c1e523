"""Tests of the grader, the hand-ins that the tests grade, and tools for the staff."""
