"""What a process learns about a tenant while reading it, so that it need not ask twice. Losing it costs calls only."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from shared.ifs.metadata import Metadata

#: Rows. Shorter pages are taken as whole: no server is known that caps below its default page of 25.
#: Source: docs/apis/ifs.md#paging.
_FLOOR: Final = 25
#: Seconds after which something that was not there (an entity service, a log with rows) is looked for again.
_FORGET_S: Final = 900.0
#: Digests of rows; some 10 MB.
_SEEN_MAX: Final = 50_000


class PageSizes:
    """Tells a last page from one that the server cut short without a word, from what its pages were like so far."""

    def __init__(self) -> None:
        self._largest: dict[str, int] = {}
        self._whole: dict[str, set[int]] = {}
        self._caps: dict[str, set[int]] = {}
        self._floor = _FLOOR

    def is_last(self, name: str, rows: int, top: int, *, strict: bool) -> bool:
        """Say whether a page of `rows` ends the set, with no call spent on it where earlier pages can tell.

        `strict` takes no short page on trust, for reads that must find everything.
        """
        if rows >= top:
            last = False
        elif rows == 0 or rows < self._largest.get(name, 0):
            last = True  # Its cap, if any, is higher than this.
        elif rows < self._floor and not strict:
            last = True
        else:
            # A cap is a round number; a set that once had 217 rows and no more is not capped at 217.
            last = rows in self._whole.get(name, ()) and rows % 5 != 0 and rows not in self._caps.get(name, ())
        self._largest[name] = max(rows, self._largest.get(name, 0))
        return last

    def looked_past(self, name: str, rows: int, *, more: bool) -> None:
        """Learn from the look past a short page of `rows`, which found `more` rows or none."""
        if more:
            self._floor = min(self._floor, rows)
            self._caps.setdefault(name, set()).add(rows)
        else:
            self._whole.setdefault(name, set()).add(rows)


class Memory:
    """Attributes:
    metadata: by service.
    sizes: of the pages of every set.
    present: names of what was found, as against `is_missing`.
    """

    def __init__(self) -> None:
        self.metadata: dict[str, Metadata] = {}
        self.sizes = PageSizes()
        self.present = set[str]()
        self._missing: dict[str, float] = {}
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def is_missing(self, name: str) -> bool:
        """Say whether `name` was found missing a short while ago."""
        return time.monotonic() < self._missing.get(name, 0.0)

    def miss(self, name: str) -> None:
        self._missing[name] = time.monotonic() + _FORGET_S

    def has_seen(self, raw: bytes) -> bool:
        """Say whether exactly this row has already led to its document."""
        return _digest(raw) in self._seen

    def remember(self, rows: Iterable[bytes]) -> None:
        for raw in rows:
            self._seen[_digest(raw)] = None
        while len(self._seen) > _SEEN_MAX:
            self._seen.popitem(last=False)


def _digest(raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=12).digest()
