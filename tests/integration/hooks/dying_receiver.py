"""The hooks process, killed by itself `before` or `after` it kept its first hint: python -m ... before|after."""

import os
import signal
import sys

from console.hooks.__main__ import main
from console.hooks.receiver import Receiver

keep = Receiver._insert


def insert(receiver: Receiver, account: str, ids: tuple[str, ...]) -> int:
    if sys.argv[1] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    keep(receiver, account, ids)
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


if __name__ == "__main__":
    Receiver._insert = insert  # type: ignore[method-assign,assignment]
    sys.exit(main(os.environ))
