"""Ends the supervised processes when the supervisor itself is killed.

Run as a script (`python -I -S guard.py`) with one end of a socket pair as its standard input, over which the
supervisor names each process it starts and each that has ended. End of file means that the supervisor is gone.
It also keeps the reading end of every process's output open, so that until they end none of them fails for want of
a listener.
"""

import contextlib
import os
import signal
import socket
import struct
import time
from collections.abc import Callable

#: `+` started or `-` ended, and the process id, which is also the id of its group.
MESSAGE = struct.Struct("!cq")
_GRACE_S = 5.0


def main() -> None:
    outputs = _watch(socket.socket(fileno=0))
    for group in outputs:
        _send(os.kill, group, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_S
    while time.monotonic() < deadline and any(_send(os.kill, group, 0) for group in outputs):
        time.sleep(0.05)
    for group in outputs:
        _send(os.killpg, group, signal.SIGKILL)


def _watch(supervisor: socket.socket) -> dict[int, list[int]]:
    """Listen until the supervisor is gone; return its processes, each with the descriptors kept for it."""
    outputs: dict[int, list[int]] = {}
    while True:
        message, descriptors, _, _ = socket.recv_fds(supervisor, MESSAGE.size, 1)
        if len(message) < MESSAGE.size:
            return outputs
        sign, group = MESSAGE.unpack(message)
        if sign == b"+":
            outputs[group] = list(descriptors)
        else:
            for descriptor in outputs.pop(group, []):
                os.close(descriptor)


def _send(how: Callable[[int, int], None], group: int, number: int) -> bool:
    """Send a signal; return False where nobody is left to get it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        how(group, number)
        return True
    return False


if __name__ == "__main__":
    main()
