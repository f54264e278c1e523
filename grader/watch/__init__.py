"""Grade the edited exercise after each save, for `make grade WATCH=1`.

`command` is the loop. `warm_grader` grades, with helper processes kept ready, `edits`
finds the exercise that was edited, `events` watches the file and the keyboard, and
`screen` draws. This room runs in the grader's process, which never imports the hand-in.
It may import `contract`, `intake`, `sandbox`, `oracle`, `report` and `grading`.
"""
