"""The exit codes that scripts rely on."""

from typing import Final

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
#: Done, but something is held.
HELD: Final = 3
TIMED_OUT: Final = 4
MISCONFIGURED: Final = 5
