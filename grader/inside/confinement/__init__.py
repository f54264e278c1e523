"""Confine the current process: resource limits, Landlock, a filter of system calls.

This code runs in every helper before any library is imported, because a library can
start threads, and Landlock does not confine threads that already run. For the same
reason, Landlock and seccomp are called by ctypes, without a library. The modules may
import the standard library and each other.
"""
