"""Answers rightly in form, with numbers where arrays belong, and the other way round.

Rows: 28
Grade: update_Q_TD0
Asserts: S R
Says: no array came back|no program
"""

import sys


def answer(self, **request):
    return {"Q": [True, None, {"Q": 1.5}], "program": "text", "changed": 7}


sys.modules["__main__"].Worker.do_call = answer
sys.modules["__main__"].Worker.do_export = answer
