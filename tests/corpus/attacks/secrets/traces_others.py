"""Attaches to other processes with ptrace, and reads them by process_vm_readv.

Rows: 35
Grade: sync_target
Asserts: S R T
Says: tried
"""

import ctypes
import os

PTRACE_SEIZE, PTRACE_DETACH = 0x4206, 17
libc = ctypes.CDLL(None, use_errno=True)


def sync_target(*_):
    for pid in {1, os.getppid()} - ({1} if os.getppid() != 1 else set()):
        libc.ptrace(PTRACE_SEIZE, pid, 0, 0)
        libc.ptrace(PTRACE_DETACH, pid, 0, 0)
    raise RuntimeError("tried")
