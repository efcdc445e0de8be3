"""Failures on demand: what goes wrong, on which calls, how often. Source: docs/apis/ifs.md#errors."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from email.utils import formatdate
from typing import Annotated, Any, Final, Literal

import msgspec

from sandbox.ifs.answers import Answer, Refused, data, html

Kind = Literal[
    "429",
    "modified",
    "ora",
    "502",
    "503",
    "timeout",
    "drop_before",
    "drop_after",
    "drop_late",
    "slow",
    "slow_body",
    "truncated",
    "unauthorized",
    "answer",
    "edit",
]

#: Kind to (status, code, text).
_ERRORS: Final[Mapping[str, tuple[int, str, str]]] = {
    "modified": (500, "MI_MODIFIED_ERROR", "The metadata was modified. Repeat the request."),
    "ora": (500, "", "ORA-00060: deadlock detected while waiting for resource"),
    "timeout": (504, "ODP_OPERATION_TIMEOUT", "The operation timed out."),
    "unauthorized": (401, "", "Unauthorized"),
}


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One thing that goes wrong.

    Attributes:
        kind: `429`, `modified` (MI_MODIFIED_ERROR), `ora`, `502`, `503`, `timeout` (504), `drop_before` and
            `drop_after` (the connection is cut before or after the call took effect), `drop_late` (it is cut, and the
            call takes effect `delay_s` later by the stand-in's clock, as far as it still may), `slow` (waits `delay_s`,
            then answers), `slow_body` (the body trickles over `delay_s`), `truncated` (half the JSON), `unauthorized`
            (401, and every token is void), `answer` (the given status, headers and body), `edit` (answers, then makes
            `edits`).
        times: how many matching calls it hits.
        skip: matching calls that pass before the first hit.
        method: only these calls; empty: any.
        path: only calls whose decoded path and query match this pattern; empty: any but those for tokens.
        retry_after: value of Retry-After for `429` and `503`; `date:N` stands for the date N seconds ahead.
        body: text for `answer`; `body_base64` for bytes that are no text.
    """

    kind: Kind
    times: Annotated[int, msgspec.Meta(ge=1)] = 1
    skip: Annotated[int, msgspec.Meta(ge=0)] = 0
    method: str = ""
    path: str = ""
    retry_after: str | int | None = None
    delay_s: float = 1.0
    status: int = 200
    headers: dict[str, str] = {}
    body: str = ""
    body_base64: str = ""
    edits: list[dict[str, Any]] = []

    def answer(self, now_s: float) -> Answer | None:
        """Return what is said instead of the honest answer; None: that one is still wanted."""
        wait = () if self.retry_after is None else (("Retry-After", _retry_after(self.retry_after, now_s)),)
        error = _ERRORS.get(self.kind)
        if error is not None:
            return Refused(*error).answer()
        match self.kind:
            case "429":
                return data({"error": {"message": "Too many requests"}}, status=429, headers=wait)
            case "502":
                return html(502, "Bad Gateway")
            case "503":
                return replace(html(503, "Service Temporarily Unavailable"), headers=wait)
            case "answer":
                return self._given()
        return None

    def _given(self) -> Answer:
        body = base64.b64decode(self.body_base64) if self.body_base64 else self.body.encode()
        kind = self.headers.get("content-type", "application/json")
        rest = tuple((name, value) for name, value in self.headers.items() if name != "content-type")
        return Answer(status=self.status, body=body, content_type=kind, headers=rest)


class Faults:
    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, faults: Sequence[Fault]) -> None:
        """Queue `faults`; raises re.error for a path that is no pattern."""
        for fault in faults:
            re.compile(fault.path)
        self.waiting += faults

    def take(self, method: str, address: str) -> Fault | None:
        """Return the first fault that hits this call, used up by one."""
        for fault in self.waiting:
            if fault.method and fault.method != method:
                continue
            if not (re.search(fault.path, address) if fault.path else not address.startswith("/auth/")):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            if not fault.times:
                # By identity: two equal faults are still two.
                self.waiting = [other for other in self.waiting if other is not fault]
            return fault
        return None


def _retry_after(value: str | int, now_s: float) -> str:
    text = str(value)
    if text.startswith("date:"):
        return formatdate(now_s + float(text.removeprefix("date:")), usegmt=True)
    return text
