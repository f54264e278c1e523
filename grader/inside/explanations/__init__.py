"""Sentences that explain frequent exceptions; a table has one entry for each kind.

The sentence is chosen in the worker, so a hand-in can change it. Therefore the grader
shows the sentence as untrusted text, like the hand-in's own words. The modules import
the standard library and each other.
"""
