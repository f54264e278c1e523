"""Find hand-ins with nearly the same code, and code in strings; people judge them.

The comparison uses the syntax tree of the graded text (`normal_form`): its statements
with an effect (`live`), cut into units (`tokens`). `clusters` compares a class. Runs in
the trusted process for a class; no code of a hand-in is run.
"""
