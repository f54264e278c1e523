"""Confine the current process: resource limits, Landlock, a filter of system calls.

The code here runs in every helper before any library is imported, because a library can
start threads, and Landlock does not confine threads that run already. So Landlock and
seccomp are called by ctypes, without a library.

May import the standard library and the modules of this folder.
"""
