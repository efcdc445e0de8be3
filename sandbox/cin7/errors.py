"""The ways in which the stand-in says no, and the answers they become."""

from collections.abc import Iterable
from typing import NamedTuple

from sandbox.cin7.wire import encode

JSON_TYPE = (b"content-type", b"application/json; charset=utf-8")
TEXT_TYPE = (b"content-type", b"text/plain; charset=utf-8")
HTML_TYPE = (b"content-type", b"text/html; charset=utf-8")

#: Cin7 does not report every problem at once: fixing the listed ones can reveal others.
ERRORS_PER_ANSWER = 2

PAGE_NOT_FOUND = (
    b"<!DOCTYPE html><html><head><title>Page not found</title></head><body><h1>Page not found</h1></body></html>"
)
#: A gateway's page, `000` in place of its status.
BAD_GATEWAY = b"<html><head><title>000</title></head><body><h1>000</h1><hr>gateway</body></html>"


class Answer(NamedTuple):
    """One HTTP answer. `drop` closes the connection in its place; `delay_s` holds it back."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = (JSON_TYPE,)
    drop: bool = False
    delay_s: float = 0.0


class Problem(NamedTuple):
    """One entry of an error array; `code` 404 also means "not in the reference book"."""

    text: str
    code: int = 400


class Refused(Exception):
    """The request fails validation: HTTP 400 with an array of problems, whatever their own codes."""

    def __init__(self, problems: Iterable[Problem | str]) -> None:
        self.problems = [Problem(item) if isinstance(item, str) else item for item in problems]
        super().__init__("; ".join(problem.text for problem in self.problems))


def refusal(problems: list[Problem], *, bare_object: bool = False, status: int = 400) -> Answer:
    """Return the error array, at most two entries of it, or its first entry alone."""
    entries = [{"ErrorCode": item.code, "Exception": item.text} for item in problems[:ERRORS_PER_ANSWER]]
    return Answer(status, encode(entries[0] if bare_object else entries))


def not_in_book(kind: str, name: object, book: str) -> Problem:
    return Problem(f"{kind} '{name}' was not found in {book} reference book", 404)


def message(status: int, text: str) -> Answer:
    """Return the web framework's own error object."""
    return Answer(status, encode({"Message": text}))
