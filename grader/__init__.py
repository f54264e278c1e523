"""The autograder of the deep Q-learning homework, in rooms: one folder for one task.

`contract` says what is asked, `intake` reads the hand-in, `sandbox` confines it,
`inside` holds the code that runs confined, `oracle` asks for answers, `checks` and
`grading` judge them, `diagnosis` names mistakes, `report` shows the result, `classroom`
grades a whole class. `cli` is the command line.

Only `inside` runs in the same process as the hand-in. `tests/unit/test_architecture.py`
has the table of which room may import which.
"""
