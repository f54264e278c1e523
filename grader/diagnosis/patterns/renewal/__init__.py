"""The rules and contents with which the reader of `sync_target` explains answers.

A rule says at which steps θ_T is replaced; this is called a renewal. A content says
what the returned parameters are, such as a copy of θ_Q. Each mistake has a hint for
students. All functions are pure. The code runs in the grader and imports `contract` and
`diagnosis`.
"""
