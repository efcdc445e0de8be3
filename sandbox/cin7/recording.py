"""Every request the stand-in received, without its keys, in a bounded ring."""

import hashlib
from collections import Counter, deque
from collections.abc import Iterator
from datetime import datetime

from sandbox.cin7.calls import query_of
from sandbox.cin7.wire import Json, stamp

RECORDS_MAX = 200_000


class Record:
    """One request. `status` is 0 while unanswered and where the connection was dropped."""

    __slots__ = (
        "account",
        "at",
        "body",
        "digest",
        "endpoint",
        "fault",
        "key",
        "method",
        "path",
        "query",
        "seq",
        "status",
    )

    def __init__(self, seq: int, at: datetime, method: str, path: str, query: bytes) -> None:
        self.seq = seq
        self.at = at
        self.method = method
        self.path = path
        self.endpoint = ""
        self.query = query
        self.body: bytes | None = None
        self.digest = ""
        self.account = ""
        self.key = ""
        self.status = 0
        self.fault = ""

    def shown(self) -> Json:
        return {
            "seq": self.seq,
            "at": stamp(self.at),
            "account": self.account,
            "key": self.key,
            "method": self.method,
            "path": self.path,
            "endpoint": self.endpoint,
            "query": query_of(self.query),
            "body_sha256": self.digest,
            "body": None if self.body is None else self.body.decode(errors="replace"),
            "status": self.status,
            "fault": self.fault,
        }


class Recording:
    """The ring of requests. `bodies` off keeps only their digests, for long runs."""

    def __init__(self) -> None:
        self.bodies = True
        self._ring: deque[Record] = deque(maxlen=RECORDS_MAX)
        self._seq = 0

    def begin(self, at: datetime, method: str, path: str, query: bytes, body: bytes) -> Record:
        self._seq += 1
        record = Record(self._seq, at, method, path, query)
        if body:
            record.digest = hashlib.sha256(body).hexdigest()
            record.body = body if self.bodies else None
        self._ring.append(record)
        return record

    def clear(self) -> None:
        self._ring.clear()

    def select(self, wanted: dict[str, str]) -> Iterator[Record]:
        """Yield the records that match `account`, `method`, `path` (start of the endpoint) and `since` (a seq)."""
        since = int(wanted.get("since", 0))
        account, method = wanted.get("account", "").lower(), wanted.get("method", "").upper()
        endpoint = wanted.get("path", "").strip("/").lower()
        for record in self._ring:
            if (
                record.seq > since
                and (not account or record.account == account)
                and (not method or record.method == method)
                and record.endpoint.startswith(endpoint)
            ):
                yield record

    def summary(self, wanted: dict[str, str]) -> list[Json]:
        counts = Counter((record.method, record.endpoint, record.status) for record in self.select(wanted))
        return [
            {"method": method, "endpoint": endpoint, "status": status, "calls": calls}
            for (method, endpoint, status), calls in sorted(counts.items())
        ]
