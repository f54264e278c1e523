"""Find hand-ins with nearly the same code, and code in strings; people judge them.

Compared is the syntax tree of the text that is graded (`normal_form`): its live
statements (`live`), cut into units (`tokens`). `clusters` compares a class. Trusted, in
the process of the class; nothing of a hand-in is run.
"""
