"""Sentences that explain frequent exceptions; a kind of them is one entry of a table.

They are chosen in the worker, so a hand-in can change them: like its own words they are
shown as data. The modules import the standard library and each other.
"""
