"""Start and confine the helper processes, from the grader's own process.

`tiers` chooses a confinement that works on this machine. `launch` prepares the start of
a helper. `helper` starts the process, sends requests with a deadline, and ends the
process. `self_test` tests whether the confinement holds. `grader.inside.confinement`
contains the steps by which a helper confines itself.

This room may import `contract`, `escape` and `inside/protocol.py`.
"""
