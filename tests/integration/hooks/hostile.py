"""Calls that nobody would send on purpose: random bodies, headers, encodings, pieces and ends; reproducible by seed."""

import gzip
import json
import random
import string
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.integration.hooks.receiving import BEARER, PATH

OTHER_TYPES = (
    "Purchase/Updated",
    "Purchase/OrderAuthorised",
    "Purchase/InvoiceAuthorised",
    "Sale/Created",
    "Customer/Updated",
    "Product/Updated",
    "Supplier/Deleted",
    "Lead/Converted",
)


class Hostile(NamedTuple):
    """One call. `cut`: the client goes away before the end."""

    path: str
    headers: list[tuple[bytes, bytes]]
    chunks: list[bytes]
    cut: bool


class Hostility:
    """Draws calls. `unlisted` are the ids that were only ever named by types which are not listened to."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - made-up calls
        self.known = [str(uuid.UUID(int=self.random.getrandbits(128), version=4)) for _ in range(50)]
        self.unlisted = [str(uuid.UUID(int=self.random.getrandbits(128), version=4)) for _ in range(50)]
        self._bodies: list[Callable[[], bytes]] = [
            self._noise,
            self._document,
            self._supplier,
            lambda: self._spoiled(self._supplier()),
            lambda: self._spoiled(self._supplier()),
            self._other,
            self._other,
            lambda: self._spoiled(self._document()),
            self._deep,
            self._encoded,
        ]

    def draw(self) -> Hostile:
        chance = self.random
        odd = ["/hooks/cin7/second", "/hooks/cin7/nobody", "/hooks/cin7/\x00"]
        odd += [f"/hooks/cin7/{self._word()}", f"/{self._word()}"]
        path = PATH if chance.random() < 0.9 else chance.choice(odd)
        headers = [BEARER] if chance.random() < 0.97 else []
        headers += [self._header() for _ in range(chance.randrange(3))]
        body = chance.choice(self._bodies)()
        return Hostile(path, headers, self._pieces(body), cut=chance.random() < 0.02)

    def _pieces(self, body: bytes) -> list[bytes]:
        if self.random.random() < 0.8:
            return [body]
        places = sorted(self.random.randrange(len(body) + 1) for _ in range(self.random.randrange(1, 5)))
        return [body[start:end] for start, end in zip([0, *places], [*places, len(body)], strict=True)]

    def _header(self) -> tuple[bytes, bytes]:
        chance = self.random
        known = [
            (b"content-type", chance.choice([b"application/json", b"text/plain", b"multipart/form-data", b"\xff"])),
            (b"content-encoding", chance.choice([b"gzip", b"br", b"x"])),
            (b"content-length", chance.choice([b"0", b"-1", b"99999999999999999999", b"1e3", b"abc", b"\xb2"])),
            (b"transfer-encoding", b"chunked"),
            (
                b"authorization",
                chance.choice([b"Bearer x", b"", b"Basic eDp5", b"\xff\xfe", b"Bearer " + b"x" * 5_000]),
            ),
            (b"expect", b"100-continue"),
            (b"x-forwarded-for", self._noise(60)),
        ]
        return chance.choice(known)

    def _noise(self, most: int = 300) -> bytes:
        return self.random.randbytes(self.random.randrange(most))

    def _word(self) -> str:
        return "".join(self.random.choices(string.printable + "åß€\ud800", k=self.random.randrange(1, 12)))

    def _value(self, depth: int = 0) -> Any:  # noqa: ANN401 - JSON of any shape
        chance = self.random
        kind = chance.randrange(8 if depth < 3 else 6)
        if kind == 6:
            return [self._value(depth + 1) for _ in range(chance.randrange(4))]
        if kind == 7:
            keys = ["Supplier", "ID", "SupplierID", "EventType", "SupplierDetailsList", "SupplierList", self._word()]
            return {chance.choice(keys): self._value(depth + 1) for _ in range(chance.randrange(4))}
        return [None, True, chance.random(), chance.getrandbits(80), self._word(), ""][kind]

    def _document(self) -> bytes:
        return json.dumps(self._value()).encode()

    def _details(self, pool: list[str], kind: str) -> bytes:
        chance = self.random
        ids = [chance.choice([str.upper, str.lower])(chance.choice(pool)) for _ in range(chance.randrange(1, 3))]
        entries = [{"Supplier": {"ID": one, "Name": self._word()}, "Contacts": [], "Addresses": []} for one in ids]
        parts = [("NumberOfSuppliers", len(ids)), ("SupplierDetailsList", entries), ("EventType", kind)]
        chance.shuffle(parts)
        return json.dumps(dict(parts), ensure_ascii=chance.random() < 0.9).encode("utf-8", "surrogatepass")

    def _supplier(self) -> bytes:
        fresh = [str(uuid.UUID(int=self.random.getrandbits(128), version=4))]
        return self._details(fresh if self.random.random() < 0.05 else self.known, "Supplier/Updated")

    def _other(self) -> bytes:
        kind = self.random.choice(OTHER_TYPES)
        if self.random.random() < 0.5:
            return self._details(self.unlisted, kind)
        one = self.random.choice(self.unlisted)
        return json.dumps({"TaskID": one, "ID": one, "SupplierID": one, "EventType": kind}).encode()

    def _spoiled(self, body: bytes) -> bytes:
        """Cut, change, repeat or insert something."""
        chance = self.random
        place = chance.randrange(len(body) + 1)
        return chance.choice(
            [
                body[:place],
                body[place:],
                body[:place] + self._noise(8) + body[place + chance.randrange(8) :],
                body + body,
                body[:place] + body[place : place + 20] * 3 + body[place:],
                bytes([chance.randrange(256)]) + body,
            ]
        )

    def _deep(self) -> bytes:
        depth = self.random.randrange(1, 3_000)
        opening, closing = self.random.choice([(b"[", b"]"), (b'{"Supplier":', b"}"), (b'{"ID":', b"}")])
        return opening * depth + (b"1" + closing * depth if self.random.random() < 0.5 else b"")

    def _encoded(self) -> bytes:
        body = self._supplier()
        text = body.decode("utf-8", "replace")
        wide = [text.encode("utf-16"), text.encode("utf-32-le")]
        return self.random.choice([gzip.compress(body, 1), *wide, b"\xef\xbb\xbf" + body, b"payload=" + body])
