"""Find hand-ins with nearly equal code, or with code in strings, for people to judge.

`normal_form` parses the graded text of a hand-in. `live` removes statements without an
effect from the syntax tree. `tokens` cuts the tree into units: single statements and
expressions, written as rows of tokens. `strings` finds code in strings. `clusters`
compares the units of all hand-ins of a class. No code of a hand-in is run.
"""
