"""Who is let in over HTTP, how often, and with how much: the secret, the pace, and bodies that end."""

import asyncio
import hashlib
import hmac
import time
from typing import Final

from starlette.requests import ClientDisconnect, Request

from shared.assembly import Assembly
from shared.config import credentials
from shared.config.credentials import HOOKS, HooksCredentials

#: Seconds that a body may take to arrive.
BODY_S: Final = 10.0
#: Seconds for which the stored secret is remembered.
SECRET_KEPT_S: Final = 5.0


class Refused(Exception):
    """The request ends here, with this status and this sentence."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Pace:
    """Counts what happens within a minute of this process's clock."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._since = 0.0
        self._count = 0

    def exceeded(self) -> bool:
        """Count one more; say whether it is too many."""
        now = time.monotonic()
        if now - self._since >= 60:
            self._since, self._count = now, 0
        self._count += 1
        return self._count > self._per_minute


class HooksSecret:
    """The stored secret of the hooks, as its digest; a change of it is seen within seconds."""

    def __init__(self, parts: Assembly) -> None:
        self._parts = parts
        self._read: tuple[float, bytes] | None = None

    @property
    def remembered(self) -> bytes | None:
        """The digest as read a moment ago; empty where nothing is stored, None where it is to be read again."""
        if self._read is None or time.monotonic() - self._read[0] > SECRET_KEPT_S:
            return None
        return self._read[1]

    def digest(self) -> bytes:
        """Return the digest, reading what is stored where that was not done a moment ago; may wait for the ledger.

        Raises:
            Retryable: the ledger is away.
            Misconfigured: the master key does not open what is stored.
        """
        if (known := self.remembered) is not None:
            return known
        with self._parts.ledger.transaction() as cur:
            found = b""
            if any(stored.name == HOOKS for stored in credentials.names(cur.connection)):
                hooks = credentials.load(cur.connection, self._parts.cipher, HOOKS, HooksCredentials)
                found = _digest(hooks.secret.encode())
        self._read = time.monotonic(), found
        return found


def bears(request: Request, known: bytes) -> bool:
    """Say whether a request bears the secret with this digest; how long it takes tells nothing of the secret."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    # Digests are of one length, so that the comparison tells nothing of the secret's.
    matches = hmac.compare_digest(known, _digest(given.strip().encode("latin-1", "replace")))
    return matches and scheme.lower() == "bearer"


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


async def read_body(request: Request, bytes_max: int, advice: str = "") -> bytes:
    """Return the body.

    Args:
        request: nothing of its body is read yet.
        bytes_max: of the body.
        advice: ends the sentence about one that is too large.

    Raises:
        Refused: it is too large, too slow, or ends early.
    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and (len(length) > 9 or int(length) > bytes_max):
        raise _too_large(bytes_max, advice)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > bytes_max:
                    raise _too_large(bytes_max, advice)
    except TimeoutError:
        raise Refused(408, "The body did not arrive in time.") from None
    except ClientDisconnect:
        raise Refused(400, "The body ended early.") from None
    return bytes(body)


def _too_large(bytes_max: int, advice: str) -> Refused:
    return Refused(413, f"The body is larger than {bytes_max} bytes{advice}.")
