"""What a read of either system yields: whole records as they came, a batch per page."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from shared.rows import Row

#: Whether a header belongs to the flow.
Admit = Callable[[Row], bool]
#: Those of the given (key, tag) pairs that need not be read again.
Known = Callable[[Sequence[tuple[str, str]]], set[str]]


class RawDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One record as its system holds it.

    Attributes:
        key: its parts joined by `/`.
        raw: JSON from the exact bytes of its rows.
        stamp: the header's time of last change as the system wrote it; empty where there is none.
        header_tag: changes exactly when the header row does; a child's change does not show in it.
    """

    key: str
    raw: bytes
    stamp: str
    header_tag: str


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What one page led to.

    Attributes:
        documents: whole, of the page's rows that are admitted and not known already.
        skipped: key and values of the headers that are not admitted.
        rows: on the page.
        pages: of the polled set, always 1; those of children do not count.
        filter: as it was sent.
        reached: the watermark once all of this is stored; empty: it stays where it is.
    """

    documents: list[RawDocument]
    skipped: list[tuple[str, Mapping[str, object]]]
    rows: int
    pages: int = 1
    filter: str
    reached: str
