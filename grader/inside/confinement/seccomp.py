"""Filter the system calls of this process and of all that it starts, by seccomp.

The filter refuses calls that no homework needs, and calls by which programs have
escaped from sandboxes before. A refused call fails with "operation not permitted". The
calls in `UNKNOWN`, and all calls with a number above `NEWEST`, fail with "function not
implemented"; libraries then use an older call. If the process has no namespaces, the
calls in `PRETENDED_ALONE` report success and do nothing. See seccomp(2).

The dicts below list system calls by name. A system call has another number on each
architecture in `kernel.MACHINES`.
"""

import ctypes
import errno
import os
import struct

from grader.inside.confinement import kernel

# Numbers of a system call on x86_64 and on aarch64; None if there is no such call.
Numbers = tuple[int | None, int | None]
REFUSED: dict[str, Numbers] = {
    # Other processes' memory, descriptors and scheduling.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    # Parts of the kernel that had many security holes, or that bypass this filter.
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    # Namespaces, mounts.
    "unshare": (272, 97),
    "setns": (308, 268),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "mount": (165, 40),
    "umount2": (166, 39),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    # The machine as a whole.
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "vhangup": (153, 58),
    "iopl": (172, None),
    "ioperm": (173, None),
    # Memory that is not counted as the process's own, or remains when the process ends.
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
}
# These calls are refused, too, if the process has no namespaces. Then the process
# cannot start a second one, open a socket, or change a file in a way that Landlock does
# not control.
REFUSED_ALONE: dict[str, Numbers] = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "truncate": (76, 45),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
}
# If the process has no namespaces, these calls report success and do nothing. If they
# worked, the process could change the permissions of every file of its user, because
# Landlock allows that. If they failed, Python's functions for copying files would fail.
PRETENDED_ALONE: dict[str, Numbers] = {
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
}
# NVIDIA's driver fails to start without these calls: "OS call failed", CUDA error 304.
NEEDED_BY_CUDA = ("memfd_create",)
NEWEST = 462  # the number of mseal, the newest call that was known for these lists
# These calls fail with "function not implemented", because their arguments are in
# memory, which a filter cannot read. Libraries then use an older call.
UNKNOWN: dict[str, Numbers] = {"clone3": (435, 435), "openat2": (437, 437)}

OPEN, OPENAT = (2, None), (257, 56)
CLONE, SOCKET = (56, 220), (41, 198)
KILL, TGKILL = (62, 129), (234, 131)
PRLIMIT, AFFINITY = (302, 261), (203, 122)
PRCTL, FCNTL, IOCTL = (157, 167), (72, 25), (16, 29)

NAMESPACES = 0x7E020000  # CLONE_NEWUSER, NEWNS, NEWPID, NEWNET, NEWIPC, NEWUTS, CGROUP
THREAD = 0x10000
AF_UNIX = 1
# Commands of fcntl and ioctl by which the kernel sends signals to other processes.
SET_OWNER, SET_SIGNAL, SET_OWNER_EX = 8, 10, 15
FIOSETOWN, SIOCSPGRP = 0x8901, 0x8902

LOAD, AND, RETURN = 0x20, 0x54, 0x06
JUMP_EQUAL, JUMP_GREATER, JUMP_BITS = 0x15, 0x25, 0x45
AT_NUMBER, AT_ARCHITECTURE, AT_ARGUMENTS = 0, 4, 16
ARCHITECTURES = (0xC000003E, 0xC00000B7)
ALLOW, ERRNO, KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
EPERM, ENOSYS, NOTHING = ERRNO | errno.EPERM, ERRNO | errno.ENOSYS, ERRNO

Program = list[tuple[int, int, int, int]]
# A rule refuses a system call for some values of one argument. It consists of the
# numbers of the call, the index of the argument, and filter instructions that test the
# argument. `program` puts an instruction after the tests that refuses the call. A test
# that allows the call jumps over this instruction.
Rule = tuple[Numbers, int, Program]


def apply(alone: bool, gpu: bool = False) -> None:
    """Filter the system calls of this process from now on.

    Args:
        alone: True if the filter must separate this process from other processes. This
            is needed if the process has no namespaces.
        gpu: True to allow the calls that CUDA needs.

    Raises:
        Refused: `kernel.MACHINES` does not contain this machine's architecture, or
            Python is not a 64-bit program.
        OSError: the kernel refuses the filter.
    """
    code = program(alone, kernel.machine(), gpu)
    packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
    kept = ctypes.create_string_buffer(packed, len(packed))
    header = struct.pack("@HP", len(code), ctypes.addressof(kept))
    kernel.prctl(kernel.PR_SET_SECCOMP, 2, header)


def program(alone: bool, machine: int, gpu: bool = False) -> Program:
    """Return the instructions of the filter, in the kernel's language BPF.

    Args:
        alone: True if the filter must separate this process from other processes.
        machine: index of this machine's architecture, from `kernel.machine`.
        gpu: True to allow the calls that CUDA needs.
    """
    needed = NEEDED_BY_CUDA if gpu else ()
    refused = {name: REFUSED[name] for name in REFUSED if name not in needed}
    code: Program = [
        (LOAD, 0, 0, AT_ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD, 0, 0, AT_NUMBER),
        (JUMP_GREATER, 0, 1, NEWEST),
        (RETURN, 0, 0, ENOSYS),
    ]
    for names, answer in (
        (refused, EPERM),
        (REFUSED_ALONE if alone else {}, EPERM),
        (PRETENDED_ALONE if alone else {}, NOTHING),
        (UNKNOWN, ENOSYS),
    ):
        for numbers in names.values():
            number = numbers[machine]
            if number is not None:
                code += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, answer)]
    for numbers, argument, tests in rules(alone):
        number = numbers[machine]
        if number is not None:
            code.append((JUMP_EQUAL, 0, len(tests) + 3, number))
            code.append((LOAD, 0, 0, AT_ARGUMENTS + 8 * argument))
            code.extend([*tests, (RETURN, 0, 0, EPERM), (LOAD, 0, 0, AT_NUMBER)])
    code.append((RETURN, 0, 0, ALLOW))
    return code


def rules(alone: bool) -> list[Rule]:
    """Return the rules that refuse a system call for some values of one argument.

    A rule consists of the call's numbers (one for each architecture), the index of the
    argument, and filter instructions that test the argument; see `Rule`.

    Args:
        alone: True if the filter must separate this process from other processes.
    """
    found: list[Rule] = [
        (CLONE, 0, [(JUMP_BITS, 0, 1, NAMESPACES)]),
        # This process is killed when the grader ends, and must not undo this setting.
        (PRCTL, 0, is_not(kernel.PR_SET_PDEATHSIG)),
    ]
    if not alone:
        return [*found, (SOCKET, 0, is_one_of(AF_UNIX))]
    myself = os.getpid()
    found.append((CLONE, 0, [(JUMP_BITS, 1, 0, THREAD)]))
    found += [(numbers, 0, is_one_of(myself)) for numbers in (KILL, TGKILL)]
    found += [(numbers, 0, is_one_of(0, myself)) for numbers in (PRLIMIT, AFFINITY)]
    for command in (SET_OWNER, SET_SIGNAL, SET_OWNER_EX):
        found.append((FCNTL, 1, is_not(command)))
    for command in (FIOSETOWN, SIOCSPGRP):
        found.append((IOCTL, 1, is_not(command)))
    # Opening a file with O_TRUNC empties it, and Landlock controls that only from
    # version 3 on, if the file is not opened for writing. The access mode is then
    # O_RDONLY, which is 0, or 3, which gives access to neither reading nor writing.
    for numbers, flags in ((OPEN, 1), (OPENAT, 2)):
        mask = os.O_TRUNC | os.O_ACCMODE
        tests = [(AND, 0, 0, mask), (JUMP_EQUAL, 1, 0, os.O_TRUNC)]
        tests.append((JUMP_EQUAL, 0, 1, mask))
        found.append((numbers, flags, tests))
    return found


def is_not(value: int) -> Program:
    """Return the tests of a `Rule` that refuses a call for one value of its argument.

    Args:
        value: the value for which the call is refused.
    """
    return [(JUMP_EQUAL, 0, 1, value)]


def is_one_of(*values: int) -> Program:
    """Return the tests of a `Rule` that allows a call for some values of its argument.

    Args:
        values: the only values for which the call is allowed.
    """
    last = len(values)
    return [(JUMP_EQUAL, last - i, 0, value) for i, value in enumerate(values)]
