"""One hand-in graded: its checks are run, judged, diagnosed and reported.

Runs in the grader's process, which never imports the hand-in (`in_process`, for a
student's debugger, is the exception and gives no grade). `pipeline` is read first;
`plugin` is where pytest comes in. Imports all rooms but `classroom` and `cli`.
"""
