"""The rules and contents with which the reader of `sync_target` explains answers.

A rule says at which steps `sync_target` renews θ_T, that is, replaces θ_T by something
new. A content says what the returned parameters are, such as a copy of θ_Q. Each
mistake has a hint for students. All functions are pure. The code runs in the grader
and imports `contract` and `diagnosis`.
"""
