"""One remote origin over HTTP: one exchange per call, within its deadlines, and nothing that leads elsewhere."""

import ipaddress
import re
import ssl
import threading
import time
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

import httpcore
import httpx
import msgspec

from shared.errors import Misconfigured, Retryable

#: Seconds to reach the other side at all; a host that is there answers in well under one.
CONNECT_S_MAX: Final = 10.0
#: Idle connections outlive most polls; servers that close earlier are noticed before a connection is used again.
KEEP_ALIVE_S: Final = 30.0
#: Bytes handed to the socket at once, so that a peer that reads slowly meets the deadline.
WRITE_BYTES: Final = 65_536

_PORTS: Final = {"http": 80, "https": 443}
#: What may stand in a request line: printable ASCII without space and fragment.
_TARGET: Final = re.compile(r"[!\"$-~]+")


class ForeignOrigin(Misconfigured):
    """An address outside the configured origin; credentials go with every request, so none is sent there."""


class Answer(msgspec.Struct, frozen=True):
    """What came back: header names in lower case, the body decoded."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """The connections of this process to one origin, shared by its threads.

    No redirect is followed, no cookie kept, no proxy taken from the environment and nothing tried twice.

    Args:
        origin: an address whose scheme, host and port count: https, or http to this machine itself.
        timeout_s: seconds one whole exchange may take, waiting for a connection included.
        max_bytes: the decoded bytes of one body.
        connections: at least the number of threads that share them, so that none waits for another.

    Raises:
        Misconfigured: the origin is none, or not https.
    """

    def __init__(self, origin: str, *, timeout_s: float, max_bytes: int = 32 * 2**20, connections: int = 16) -> None:
        self._scheme, self._host, self._port = _parts(origin)
        if self._scheme != "https" and not _loopback(self._host):
            raise Misconfigured(f"{self._scheme}://{self._host} is not https: only this machine is spoken to in clear.")
        literal = f"[{self._host}]" if ":" in self._host else self._host
        standard = _PORTS[self._scheme] == self._port
        self._netloc = literal if standard else f"{literal}:{self._port}"
        self._prefix = f"{self._scheme}://{self._netloc}"
        self._origin = httpcore.Origin(self._scheme.encode(), self._host.encode(), self._port)
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        connect_s = min(CONNECT_S_MAX, timeout_s)
        self._timeouts = {"connect": connect_s, "read": timeout_s, "write": timeout_s}
        self._deadline = _Deadline()
        self._tls = httpx.create_ssl_context() if self._scheme == "https" else None
        self._network = _Network(self._deadline)
        # The pool of httpcore may close a connection that another thread has just been given; here each is in one
        # pair of hands at a time: taken from the idle ones, returned to them.
        self._idle: deque[httpcore.HTTPConnection] = deque()
        self._places = threading.BoundedSemaphore(connections)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """Make one exchange and return the answer, whatever its status.

        Args:
            method: as it stands in the request line.
            url: absolute, or a path from the root; sent exactly as it is.
            headers: beside Host, Accept-Encoding and Content-Length, which are added.
            content: the body, if there is one.
            timeout_s: seconds this exchange may take, where that is less than others may.

        Raises:
            ForeignOrigin: `url` leads elsewhere; nothing was sent.
            Misconfigured: the address or a header cannot be sent at all.
            Retryable: there was no complete answer; `executed` tells whether the other side may have acted.
        """
        request = self._request(method, self._target(url), headers, content)
        allowed_s = self._timeout_s if timeout_s is None else min(timeout_s, self._timeout_s)
        self._deadline.at = time.monotonic() + allowed_s
        try:
            with self._connection(allowed_s) as connection:
                response = connection.handle_request(request)
                try:
                    return self._answer(response)
                finally:
                    response.close()
        except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout) as error:
            message = f"{self._prefix} cannot be reached ({_cause(error)})."
            raise Retryable(message, executed=False) from error
        except httpcore.LocalProtocolError as error:
            raise Misconfigured(f"A request to {self._prefix} has a header that cannot be sent.") from error
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise Retryable(f"{self._prefix} did not complete its answer ({_cause(error)}).") from error

    def close(self) -> None:
        """Close the idle connections; to be called when no thread sends any more."""
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    @contextmanager
    def _connection(self, allowed_s: float) -> Iterator[httpcore.HTTPConnection]:
        if not self._places.acquire(timeout=allowed_s):
            raise httpcore.PoolTimeout("all connections are in use")
        connection = self._warm() or httpcore.HTTPConnection(
            self._origin, ssl_context=self._tls, keepalive_expiry=KEEP_ALIVE_S, network_backend=self._network
        )
        try:
            yield connection
        finally:
            if connection.is_idle():
                self._idle.append(connection)
            else:
                connection.close()
            self._places.release()

    def _warm(self) -> httpcore.HTTPConnection | None:
        """Return the idle connection used last that the other side has kept open, if there is one."""
        with suppress(IndexError):
            while connection := self._idle.pop():
                if not connection.has_expired():
                    return connection
                connection.close()
        return None

    def _target(self, url: str) -> str:
        """Return what stands in the request line for `url`, once it is certain that it stays on the origin."""
        if url.startswith(self._prefix + "/"):
            target = url[len(self._prefix) :]
        elif url.startswith("/") and not url.startswith("//"):
            target = url
        else:
            if _parts(url) != (self._scheme, self._host, self._port):
                raise ForeignOrigin(f"An address leads away from {self._prefix}: it is not followed.")
            split = urlsplit(url)
            target = f"{split.path or '/'}?{split.query}" if split.query else split.path or "/"
        if not _TARGET.fullmatch(target):
            raise Misconfigured(f"An address on {self._prefix} holds characters that must be percent-encoded.")
        return target

    def _request(self, method: str, target: str, headers: Mapping[str, str], content: bytes | None) -> httpcore.Request:
        try:
            lines = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
        except UnicodeEncodeError as error:
            raise Misconfigured(f"A request to {self._prefix} has a header that is not plain ASCII.") from error
        lines += [(b"Host", self._netloc.encode()), (b"Accept-Encoding", b"gzip")]
        if content is not None:
            lines.append((b"Content-Length", str(len(content)).encode()))
        scheme, host, port = self._origin.scheme, self._origin.host, self._origin.port
        address = httpcore.URL(scheme=scheme, host=host, port=port, target=target.encode("ascii"))
        return httpcore.Request(method, address, headers=lines, content=content, extensions={"timeout": self._timeouts})

    def _answer(self, response: httpcore.Response) -> Answer:
        headers: dict[str, str] = {}
        for raw_name, raw_value in response.headers:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        body = self._body(response.iter_stream(), headers.get("content-encoding", "identity").lower())
        return Answer(response.status, headers, body)

    def _body(self, chunks: Iterable[bytes], coding: str) -> bytes:
        if coding not in {"identity", "gzip", "x-gzip", ""}:
            raise Retryable(f"{self._prefix} answered in the coding {coding!r}, which was not asked for.")
        # The cap holds inside the decoder too: a few kilobytes can stand for gigabytes.
        unpack = zlib.decompressobj(wbits=31) if coding.endswith("gzip") else None
        parts: list[bytes] = []
        left = self._max_bytes
        try:
            for chunk in chunks:
                part = unpack.decompress(chunk, left + 1) if unpack else chunk
                left -= len(part)
                if left < 0:
                    raise Retryable(f"{self._prefix} answered with more than {self._max_bytes} bytes.")
                parts.append(part)
        except zlib.error as error:
            raise Retryable(f"{self._prefix} answered with a broken gzip body.") from error
        if unpack and parts and not unpack.eof:
            raise Retryable(f"{self._prefix} answered with a gzip body that ends too early.")
        return b"".join(parts)


class _Deadline(threading.local):
    """When the exchange of this thread must be over, on the monotonic clock."""

    at: float = 0.0

    def left(self, timeout: float | None, error: type[Exception]) -> float:
        left = self.at - time.monotonic()
        if left <= 0:
            raise error("the whole exchange took too long")
        return left if timeout is None else min(left, timeout)


class _Network(httpcore.NetworkBackend):
    """The usual sockets, but every wait ends with the exchange: a byte now and then does not prolong it."""

    def __init__(self, deadline: _Deadline) -> None:
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._sockets.connect_tcp(host, port, left, local_address, socket_options), self._deadline)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), WRITE_BYTES):
            left = self._deadline.left(timeout, httpcore.WriteTimeout)
            self._stream.write(buffer[start : start + WRITE_BYTES], left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _parts(address: str) -> tuple[str, str, int]:
    """Return scheme, host and port of an absolute address."""
    try:
        split = urlsplit(address)
        scheme, host, port = split.scheme, (split.hostname or "").encode("idna").decode(), split.port
    except ValueError:  # Unicode's errors among them.
        scheme, host, port = "", "", None
    if scheme not in _PORTS or not host or "@" in split.netloc or "\\" in address:
        raise ForeignOrigin("An address is not of the form https://host/path: correct it, or ask who sent it.")
    return scheme, host, port or _PORTS[scheme]


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _cause(error: Exception) -> str:
    return str(error) or type(error).__name__
