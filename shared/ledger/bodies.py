"""Bodies: what was received and what mapping made of it, kept as bytes beside their digests."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from shared.ledger.connection import Cur

_COPY = "copy body (entry_id, kind, round, at, raw, digest) from stdin (format binary)"
_TYPES = ["int8", "text", "int4", "timestamptz", "bytea", "text"]


def keep(cur: Cur, kind: Literal["source", "mapped"], found: Iterable[tuple[int, int, datetime, bytes, str]]) -> None:
    """Keep bodies, as (entry, round, the entry's `detected_at`, bytes, their digest)."""
    # COPY: as parameters of an insert, large bytes cost several times as much on both sides.
    with cur.copy(_COPY) as copy:
        copy.set_types(_TYPES)
        for entry, round_, at, raw, mark in found:
            copy.write_row((entry, kind, round_, at, raw, mark))
