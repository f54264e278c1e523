"""Start and confine the helper processes, from the grader's own process.

`tiers` chooses a confinement that works on this machine. `launch` prepares the start of
a helper. `helper` starts the process, sends requests with a deadline, and ends it.
`self_test` tests whether the confinement holds. `grader.inside.confinement` contains
the steps by which a helper confines itself.

May import: contract, escape, inside.protocol.
"""
