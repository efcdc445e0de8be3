"""The bearer token: asked for once, shared by all processes through Redis, renewed before it expires.

Source: docs/apis/ifs.md#token.
"""

import hashlib
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec
import redis
from redis.exceptions import LockError, RedisError

from shared.config.credentials import IfsCredentials
from shared.config.encryption import Cipher
from shared.config.settings import IfsSettings
from shared.errors import ConnectorError, Misconfigured
from shared.http import Answer, Http
from shared.ifs.errors import IfsDenied, IfsThrottled, IfsUnavailable, IfsUnreadable, read_error

#: Seconds that one process may take to fetch a token before another tries; above the request's own deadline.
_LOCK_S: Final = 40.0
_CONTEXT: Final = b"token:ifs"
#: Seconds a token is taken to live where the answer does not say.
_LIFETIME_S: Final = 60.0
_FORM: Final = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}

T = TypeVar("T")


class Grant(msgspec.Struct, frozen=True):
    """A token, and for how many seconds it is used before a new one is asked for."""

    token: str
    use_s: float

    def __repr__(self) -> str:
        return f"Grant(hidden, use_s={self.use_s})"

    __str__ = __repr__


class _Answer(msgspec.Struct):
    access_token: str
    expires_in: float = _LIFETIME_S


def token_url(settings: IfsSettings) -> str:
    """Return where tokens are asked for."""
    if settings.token_url:
        return settings.token_url
    realm = quote(settings.realm, safe="")
    return f"{settings.base_url.rstrip('/')}/auth/realms/{realm}/protocol/openid-connect/token"


def read_grant(answer: Answer, refresh_s: float) -> Grant:
    """Return the token of an answer. Pure.

    It is used for `refresh_s` at most, and never into the last quarter (at most 30 s) of its life.

    Raises:
        IfsDenied: the client id, the secret, the scope or the realm is refused.
        Retryable: the server failed, or answered something else than a token.
    """
    if answer.status != 200:
        raise _refusal(answer)
    try:
        granted = msgspec.json.decode(answer.body, type=_Answer, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Not chained: the decoder's message might quote the token.
        granted = _Answer("")
    # The token goes into a header: anything but visible ASCII would break the request or smuggle a header in.
    if not granted.access_token or not all("!" <= letter <= "~" for letter in granted.access_token):
        raise IfsUnreadable("The token address answered 200 with something that is no token.")
    lifetime_s = granted.expires_in if granted.expires_in > 0 else _LIFETIME_S
    return Grant(granted.access_token, min(refresh_s, lifetime_s - min(30.0, lifetime_s / 4)))


def _refusal(answer: Answer) -> ConnectorError:
    error = read_error(answer.status, answer.headers, b"", what="a token")
    if isinstance(error, IfsThrottled | IfsUnavailable):
        return error
    try:
        code = msgspec.json.decode(answer.body)["error"]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError):
        code = ""
    # Only a known word is repeated: a description might quote what we sent.
    code = code if isinstance(code, str) and code in _REMEDIES else ""
    if answer.status == 404:
        remedy = "it does not know the realm: correct `realm` or `token_url` in section [ifs]"
    else:
        remedy = _REMEDIES[code]
    return IfsDenied(f"IFS refused a token ({answer.status} {code}".rstrip() + f"): {remedy}.", status=answer.status)


_STORE: Final = "store valid ones with `connector credentials set ifs`"
_REMEDIES: Final = {
    "": f"check the client id and the secret, and {_STORE}",
    "invalid_client": f"the client id or the secret is wrong: {_STORE}",
    "unauthorized_client": f"the client id or the secret is wrong, or the client has no service account: {_STORE}",
    "invalid_scope": "correct `scope` in section [ifs]",
    "unsupported_grant_type": "enable service accounts for the client in IFS",
    "invalid_grant": "enable the client's service account in IFS",
}


class Tokens:
    """Hands out the current token; one process at a time asks for a new one, the others take over what it got.

    Redis is a convenience here: without it, every process asks for a token of its own.
    """

    def __init__(
        self, settings: IfsSettings, credentials: IfsCredentials, shared: "redis.Redis", cipher: Cipher, http: Http
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._redis = shared
        self._cipher = cipher
        self._http = http
        self._url = token_url(settings)
        name = hashlib.blake2b(f"{self._url} {credentials.client_id}".encode(), digest_size=8).hexdigest()
        self._key = f"ifs:token:{name}"
        self._mutex = threading.Lock()
        self._token = ""
        self._until = 0.0

    def token(self) -> str:
        """Return a token that has some time left.

        Raises:
            IfsDenied: the credentials are refused.
            Retryable: the token address cannot be reached, or fails.
        """
        with self._mutex:
            if time.monotonic() >= self._until:
                self._renew(stale="")
            return self._token

    def renew(self, stale: str) -> None:
        """Get another token than `stale`, which IFS has just refused; a token newer than that one stays.

        Raises:
            IfsDenied: the credentials are refused.
            Retryable: the token address cannot be reached, or fails.
        """
        with self._mutex:
            if self._token == stale:
                self._renew(stale)

    def _renew(self, stale: str) -> None:
        grant = self._shared(stale) or self._alone(stale)
        self._token = grant.token
        self._until = time.monotonic() + grant.use_s

    def _alone(self, stale: str) -> Grant:
        """Ask for a token while no other process does; where one just did, take what it got."""
        lock = self._redis.lock(f"{self._key}:lock", timeout=_LOCK_S, sleep=0.05, blocking_timeout=_LOCK_S)
        locked = _without_redis(lock.acquire, otherwise=False)
        try:
            return (self._shared(stale) if locked else None) or self._fetched()
        finally:
            if locked:
                _without_redis(lock.release, otherwise=None)

    def _fetched(self) -> Grant:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
            "scope": self._settings.scope,
        }
        content = urlencode({name: value for name, value in form.items() if value}, quote_via=quote).encode()
        answer = self._http.send("POST", self._url, headers=_FORM, content=content)
        grant = read_grant(answer, self._settings.token_refresh_s)
        sealed = self._cipher.encrypt(msgspec.json.encode(grant), _CONTEXT)
        # It leaves Redis when it is due for renewal: the clocks of the machines take no part.
        milliseconds = max(1, int(grant.use_s * 1000))
        _without_redis(lambda: self._redis.set(self._key, sealed, px=milliseconds), otherwise=None)
        return grant

    def _shared(self, stale: str) -> Grant | None:
        """Return what another process got, with the seconds it has left; None where there is nothing of use."""

        def read() -> list[object]:
            pipeline = self._redis.pipeline()
            pipeline.get(self._key)
            pipeline.pttl(self._key)
            return list(pipeline.execute())

        nothing: list[object] = [None, 0]
        sealed, left_ms = _without_redis(read, otherwise=nothing)
        if not isinstance(sealed, bytes) or not isinstance(left_ms, int) or left_ms <= 0:
            return None
        try:
            grant = msgspec.json.decode(self._cipher.decrypt(sealed, _CONTEXT), type=Grant)
        except (Misconfigured, msgspec.DecodeError):
            return None  # Sealed with a key that is gone, or not by us: a new token takes its place.
        return None if grant.token == stale else Grant(grant.token, left_ms / 1000)


def _without_redis(step: Callable[[], T], *, otherwise: T) -> T:
    try:
        return step()
    except (RedisError, LockError):
        return otherwise
