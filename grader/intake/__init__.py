"""Read a hand-in from a file, a notebook, a folder or an archive into a `Submission`.

The code here runs in the grader's own process, which is trusted. So a hand-in is read
once as bytes, and never imported, run or unpacked. `take.take` is the entry.

May import: contract, escape.
"""
