"""What the stand-in says: HTTP answers, and the error bodies of IFS. Source: docs/apis/ifs.md#errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import msgspec

JSON: Final = "application/json;odata.metadata=minimal;IEEE754Compatible=false"
_NUMBERS: Final = msgspec.json.Encoder(decimal_format="number")
_TEXTS: Final = msgspec.json.Encoder(decimal_format="string")
#: Reads numbers without a detour through binary fractions.
DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True, kw_only=True)
class Request:
    """`path` and `query` are as sent, percent-encoded; names of `headers` are in small letters."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def origin(self) -> str:
        return f"http://{self.headers.get('host', 'localhost')}"

    @property
    def numbers_as_text(self) -> bool:
        return "ieee754compatible=true" in self.headers.get("accept", "").lower()


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class Refused(Exception):  # Named for what happened, like every outcome here.
    """IFS would answer an error: `code` and `details` as in docs/apis/ifs.md#errors."""

    def __init__(
        self, status: int, code: str, message: str, *, details: Sequence[tuple[str, str]] = (), body: object = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.details = tuple(details)
        self._body = body

    def answer(self) -> Answer:
        if self._body is not None:
            return data(self._body, status=self.status)
        error: dict[str, Any] = {"code": self.code, "message": str(self)} if self.code else {"message": str(self)}
        if self.details:
            error["details"] = [{"code": code, "message": text} for code, text in self.details]
        return data({"error": error}, status=self.status)


def data(
    content: object,
    *,
    status: int = 200,
    numbers_as_text: bool = False,
    content_type: str = "application/json",
    headers: tuple[tuple[str, str], ...] = (),
) -> Answer:
    encoder = _TEXTS if numbers_as_text else _NUMBERS
    return Answer(status=status, body=encoder.encode(content), content_type=content_type, headers=headers)


def html(status: int, title: str) -> Answer:
    """Return the page of an ingress that never reached IFS."""
    page = f"<html><head><title>{status} {title}</title></head><body><h1>{status} {title}</h1></body></html>"
    return Answer(status=status, body=page.encode(), content_type="text/html")


def database_error(message: str, oracle_code: str = "20110") -> Refused:
    """Return what a broken business rule gets. Status inferred: docs/apis/ifs.md#errors."""
    return Refused(400, "DATABASE_ERROR", f"ORA-{oracle_code}: {message}", details=[(oracle_code, message)])
