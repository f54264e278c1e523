"""How a process confines itself: limits, Landlock, a filter of system calls.

It runs in every helper process, before anything else is imported there: libraries
start threads, which Landlock would not confine, and could be attacked. So Landlock and
seccomp are written by hand, on ctypes. May import the standard library and its own
modules, nothing else.
"""
