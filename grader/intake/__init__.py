"""Read a hand-in from a file, a notebook, a folder or an archive into a `Submission`.

This code runs in the grader's own process, which is trusted. So it reads the hand-in
once as bytes, and never imports, runs or unpacks it. `take.take` reads a hand-in; the
other functions serve it.

May import: contract, escape.
"""
