"""The filter of system calls permits or refuses each call, on x86-64 and AArch64."""

import errno
import os
import sys

import pytest

from grader.inside.confinement import seccomp

linux = pytest.mark.skipif(sys.platform != "linux", reason="the tiers are Linux's")


# ---------------------------------------------------------------- the filter


def answer(program, architecture: int, number: int, *arguments: int) -> int:
    """Run a seccomp filter as the kernel does; return its action for a system call.

    Args:
        program: instructions (code, jump if true, jump if false, operand).
        architecture: number of the machine's architecture.
        number: number of the system call.
        arguments: arguments of the system call.
    """
    data = {0: number, 4: architecture}
    data |= {16 + 8 * i: value & 0xFFFFFFFF for i, value in enumerate(arguments)}
    value, at = 0, 0
    while True:
        code, yes, no, operand = program[at]
        at += 1
        if code == 0x06:
            return operand
        if code == 0x20:
            value = data.get(operand, 0)
        elif code == 0x54:
            value &= operand
        else:
            holds = {
                0x15: value == operand,
                0x25: value > operand,
                0x45: bool(value & operand),
            }[code]
            at += yes if holds else no


MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
PERMITTED = 0x7FFF0000
REFUSED = 0x00050000 | errno.EPERM
UNKNOWN = 0x00050000 | errno.ENOSYS
ME = os.getpid()
# Each row: the call's numbers on x86-64 and AArch64, the call's arguments, the filter's
# action without a namespace (landlock), and in a namespace (bwrap).
CALLS = [
    ((0, 63), (), PERMITTED, PERMITTED),  # read
    ((9, 222), (), PERMITTED, PERMITTED),  # mmap
    ((101, 117), (), REFUSED, REFUSED),  # ptrace
    ((56, 220), (0x40F00,), REFUSED, PERMITTED),  # a process with our memory
    ((56, 220), (0x10000 | 0x50F00,), PERMITTED, PERMITTED),  # a thread
    ((56, 220), (17,), REFUSED, PERMITTED),  # fork
    ((56, 220), (0x10000000 | 17,), REFUSED, REFUSED),  # into a user namespace
    ((435, 435), (), UNKNOWN, UNKNOWN),  # clone3
    ((463, 463), (), UNKNOWN, UNKNOWN),  # newer than the list
    ((0x40000000, 0x40000000), (), UNKNOWN, UNKNOWN),  # x32
    ((59, 221), (), REFUSED, PERMITTED),  # execve
    ((41, 198), (1,), REFUSED, PERMITTED),  # socket of AF_UNIX
    ((41, 198), (2,), REFUSED, REFUSED),  # of AF_INET
    ((41, 198), (16,), REFUSED, REFUSED),  # of AF_NETLINK
    ((62, 129), (ME, 6), PERMITTED, PERMITTED),  # kill
    ((62, 129), (1, 9), REFUSED, PERMITTED),
    ((62, 129), (-1, 9), REFUSED, PERMITTED),
    ((234, 131), (ME, ME, 6), PERMITTED, PERMITTED),  # tgkill
    ((234, 131), (1, 1, 6), REFUSED, PERMITTED),
    ((302, 261), (0, 7), PERMITTED, PERMITTED),  # prlimit
    ((302, 261), (1, 7), REFUSED, PERMITTED),
    ((157, 167), (1, 0), REFUSED, REFUSED),  # prctl: outlive the grader
    ((157, 167), (15, 0), PERMITTED, PERMITTED),  # a thread's name
    ((72, 25), (5, 8, 1), REFUSED, PERMITTED),  # fcntl: whom to signal
    ((72, 25), (5, 2, 1), PERMITTED, PERMITTED),
    ((16, 29), (5, 0x8901, 1), REFUSED, PERMITTED),  # ioctl: whom to signal
    ((16, 29), (5, 0x8902, 1), REFUSED, PERMITTED),
    ((16, 29), (5, 0x5401, 1), PERMITTED, PERMITTED),  # is it a terminal?
    ((257, 56), (-100, 0, os.O_TRUNC), REFUSED, PERMITTED),  # openat
    ((257, 56), (-100, 0, os.O_TRUNC | 3), REFUSED, PERMITTED),  # no access at all
    ((257, 56), (-100, 0, os.O_TRUNC | os.O_WRONLY), PERMITTED, PERMITTED),
    ((257, 56), (-100, 0, os.O_TRUNC | os.O_RDWR), PERMITTED, PERMITTED),
    ((257, 56), (-100, 0, os.O_RDONLY), PERMITTED, PERMITTED),
    ((268, 53), (), 0x00050000, PERMITTED),  # fchmodat: no error and no effect
    ((260, 54), (), REFUSED, PERMITTED),  # fchownat
    ((319, 279), (), REFUSED, REFUSED),  # memfd_create
]


@linux
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("call", CALLS, ids=range(len(CALLS)))
def test_filter(machine, call):
    """The filter permits or refuses each call as the table `CALLS` says."""
    numbers, arguments, alone, in_namespace = call
    column, architecture = MACHINES[machine]
    for is_alone, expected in ((True, alone), (False, in_namespace)):
        program = seccomp.program(is_alone, column)
        assert answer(program, architecture, numbers[column], *arguments) == expected


@linux
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("alone", [True, False])
def test_filter_for_a_gpu(machine, alone):
    """On a GPU, memfd_create is permitted, which CUDA needs, and ptrace is refused."""
    column, architecture = MACHINES[machine]
    program = seccomp.program(alone, column, gpu=True)
    memfd_create, ptrace = (319, 279)[column], (101, 117)[column]
    assert answer(program, architecture, memfd_create, 0, 0) == PERMITTED
    assert answer(program, architecture, ptrace) == REFUSED


@linux
@pytest.mark.parametrize("machine", MACHINES)
def test_filter_of_another_architecture(machine):
    """A call with numbers of another architecture (32-bit x86) kills the process."""
    column, _ = MACHINES[machine]
    assert answer(seccomp.program(True, column), 0x40000003, 11) == 0x80000000
