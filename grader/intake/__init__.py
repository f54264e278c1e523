"""Read a hand-in from a file, a notebook, a folder or an archive into a `Submission`.

This room's code runs in the grader's own process, which is trusted. So a hand-in is
only read, once and as bytes, and is never imported, run or unpacked. `take.take` reads
the hand-in at a path.

This room may import `contract` and `escape`.
"""
