"""Confine the processes that run a student's code, from outside.

It runs in the grader's own process, which is trusted, and starts the helper processes:
`tiers` says which confinement works here, `launch` how a helper is started, `helper`
asks it with a deadline, `self_test` tries whether the confinement holds. What a helper
does to confine itself is in `grader.inside.confinement`.

May import: contract, escape, inside.protocol.
"""
