"""Find hand-ins with nearly equal code, or with code in strings, for people to judge.

The comparison uses units. A unit is one statement or one expression of a hand-in, in a
form that does not depend on the names that the student has chosen.

`normal_form` parses the graded text of a hand-in. `live` removes statements without an
effect from the syntax tree. `tokens` cuts the tree into units. `strings` finds code in
strings. `clusters` compares the units of all hand-ins of a course. No code of a hand-in
is run.
"""
