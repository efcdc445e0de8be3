"""Becomes a server program that ends with the process that started it and does not run as root.

Run as a script (`python -I -S launch.py PARENT SIGNAL IDENTITY PROGRAM ARG...`), so that nothing but the standard
library is loaded, and so that a caller with threads forks nothing but this.
"""

import ctypes
import os
import pwd
import sys
from pathlib import Path

#: Source: Linux headers `linux/sched.h` (CLONE_NEWUSER) and `linux/prctl.h` (PR_SET_PDEATHSIG).
CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
#: The conventional id of `nobody`, used inside the user namespace, where it needs no account.
UNPRIVILEGED = 65534


def enter_user_namespace() -> None:
    """Go on as an unprivileged user whose files are still the caller's: nothing to create, chown or chmod.

    Raises:
        OSError: the kernel or a container's seccomp profile forbids it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "user namespaces are not allowed here")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{UNPRIVILEGED} 0 1")
    Path("/proc/self/gid_map").write_text(f"{UNPRIVILEGED} 0 1")


def become_nobody() -> None:
    """Go on as the system's `nobody`."""
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)


def end_with_parent(parent: int, signal_number: int) -> None:
    """Have the kernel send the signal when the parent ends; only Linux can."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:  # It ended before the kernel was told.
        sys.exit("the starting process is gone")


def main(parent: str, signal_number: str, identity: str, program: str, *arguments: str) -> None:
    # Each of these clears the parent's death signal, so it is set after them.
    if identity == "namespace":
        enter_user_namespace()
    elif identity == "nobody":
        become_nobody()
    end_with_parent(int(parent), int(signal_number))
    os.execv(program, [program, *arguments])  # noqa: S606 - the caller's own program, without a shell.


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (OSError, KeyError) as error:
        sys.exit(f"cannot start {sys.argv[4]}: {error}")
