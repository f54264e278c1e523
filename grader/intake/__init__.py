"""Take a hand-in in: a file, a notebook, a folder or an archive becomes a Submission.

It runs in the grader's own process, which is trusted: a hand-in is read once as bytes,
and never imported, run or unpacked. `take.take` is the entry, `Submission` the result.

May import: contract, escape.
"""
