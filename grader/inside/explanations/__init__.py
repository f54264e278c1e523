"""Explain frequent exceptions in sentences for students, by tables of `Kind`.

The worker chooses the sentence, so a hand-in can change it. Therefore the grader treats
the sentence as untrusted text, like the hand-in's own words. The modules may import the
standard library and each other.
"""
