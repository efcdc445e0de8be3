import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shared.errors import Misconfigured, Retryable
from shared.http import ForeignOrigin, Http


@contextmanager
def peer(
    *answers: bytes | list[bytes], pause_s: float = 0.0, keep_open: bool = True
) -> Iterator[tuple[str, list[bytes]]]:
    """A peer that answers each request with the next of `answers`, piece by piece; yields origin and requests seen."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)

        def serve() -> None:
            pending = list(answers)
            while pending:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    while pending and (request := _request(connection)):
                        seen.append(request)
                        answer = pending.pop(0)
                        try:
                            for piece in [answer] if isinstance(answer, bytes) else answer:
                                connection.sendall(piece)
                                time.sleep(pause_s)
                        except OSError:
                            break
                        if not keep_open or not answer:
                            break

        threading.Thread(target=serve, daemon=True).start()  # Ends by itself: each of its waits is bounded.
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen


def _request(connection: socket.socket) -> bytes:
    connection.settimeout(5)
    received = b""
    try:
        while b"\r\n\r\n" not in received:
            if not (piece := connection.recv(65_536)):
                return received
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        wanted = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(body) < wanted:
            body += connection.recv(65_536)
    except OSError:
        return b""
    return head + b"\r\n\r\n" + body


def answer(body: bytes = b"{}", status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def test_an_answer_has_its_status_its_headers_in_lower_case_and_its_body() -> None:
    with peer(answer(b'{"a":1}', "429 Too Many", "Retry-After: 60 Seconds\r\nX-Two: 1\r\nX-Two: 2\r\n")) as (origin, _):
        got = Http(origin, timeout_s=5).send("GET", "/x", headers={})
    assert (got.status, got.body) == (429, b'{"a":1}')
    assert (got.headers["retry-after"], got.headers["x-two"]) == ("60 Seconds", "1, 2")


@pytest.mark.parametrize("absolute", [False, True])
def test_an_address_reaches_the_wire_exactly_as_given(absolute: bool) -> None:
    target = "/a.svc/Set(Key='A%2FB')?$filter=Name%20eq%20'O''Neil'&$orderby=X,Y"
    with peer(answer()) as (origin, seen):
        Http(origin, timeout_s=5).send("GET", origin + target if absolute else target, headers={})
    assert seen[0].startswith(f"GET {target} HTTP/1.1\r\n".encode())


def test_headers_and_body_reach_the_wire() -> None:
    with peer(answer()) as (origin, seen):
        Http(origin, timeout_s=5).send("POST", "/x", headers={"api-auth-accountid": "me"}, content=b"[1]")
    head = seen[0].lower()
    assert b"api-auth-accountid: me\r\n" in head
    assert b"content-length: 3\r\n" in head
    assert seen[0].endswith(b"\r\n\r\n[1]")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2:{port}/x",
        "https://127.0.0.1:{port}/x",
        "http://127.0.0.1:1/x",
        "http://127.0.0.1:{port}@evil.example/x",
        "http://127.0.0.1:{port}.evil.example/x",
        "http://user@127.0.0.1:{port}/x",
        "//evil.example/x",
        "http:\\\\127.0.0.1:{port}\\x",
        "x",
        "",
        "file:///etc/passwd",
        "http://[::1",
    ],
)
def test_nothing_is_sent_to_another_origin(url: str) -> None:
    with peer(answer()) as (origin, seen):
        port = origin.rpartition(":")[2]
        with pytest.raises(ForeignOrigin):
            Http(origin, timeout_s=5).send("GET", url.format(port=port), headers={"authorization": "secret"})
    assert seen == []


@pytest.mark.parametrize("target", ["/a b", "/a\r\nx: y", "/ä", "/a#b", "/a\x00"])
def test_an_address_that_cannot_stand_in_a_request_line_is_refused(target: str) -> None:
    with peer(answer()) as (origin, seen), pytest.raises(Misconfigured, match="percent-encoded"):
        Http(origin, timeout_s=5).send("GET", target, headers={})
    assert seen == []


@pytest.mark.parametrize("value", ["abc\r\nx: y", "ключ", "abc\n"])
def test_a_header_that_cannot_be_sent_is_named_without_its_value(value: str) -> None:
    with peer(answer()) as (origin, seen), pytest.raises(Misconfigured) as caught:
        Http(origin, timeout_s=5).send("GET", "/x", headers={"api-auth-applicationkey": value})
    assert value not in str(caught.value)
    assert seen == []


@pytest.mark.parametrize("origin", ["http://inventory.example", "ftp://127.0.0.1", "inventory.example", "https://", ""])
def test_an_origin_that_is_not_https_nor_this_machine_is_refused(origin: str) -> None:
    with pytest.raises(Misconfigured):
        Http(origin, timeout_s=1)


@pytest.mark.parametrize(
    "origin", ["http://localhost:1", "http://[::1]:1", "https://inventory.example/ExternalApi/v2/"]
)
def test_https_and_this_machine_are_accepted(origin: str) -> None:
    Http(origin, timeout_s=1).close()


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with peer(answer(b"", "302 Found", "Location: /y\r\nSet-Cookie: a=b\r\n"), answer()) as (origin, seen):
        http = Http(origin, timeout_s=5)
        assert http.send("GET", "/x", headers={}).status == 302
        http.send("GET", "/z", headers={})
    assert [request.split()[1] for request in seen] == [b"/x", b"/z"]
    assert b"cookie" not in seen[1].lower()


def test_a_refused_connection_certainly_had_no_effect() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(Retryable) as caught:
        Http(f"http://127.0.0.1:{port}", timeout_s=5).send("POST", "/x", headers={}, content=b"{}")
    assert caught.value.executed is False


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
    ids=["closed at once", "headers cut", "body cut", "other protocol", "chunk cut"],
)
def test_an_answer_that_breaks_off_leaves_open_whether_it_was_executed(reply: bytes) -> None:
    with peer(reply, keep_open=False) as (origin, _), pytest.raises(Retryable) as caught:
        Http(origin, timeout_s=5).send("POST", "/x", headers={}, content=b"{}")
    assert caught.value.executed is True


def test_silence_ends_at_the_deadline() -> None:
    with peer([], pause_s=0) as (origin, _):
        started = time.monotonic()
        with pytest.raises(Retryable) as caught:
            Http(origin, timeout_s=0.2).send("GET", "/x", headers={})
    assert caught.value.executed is True
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_byte_now_and_then_does_not_prolong_the_exchange(part: str) -> None:
    whole = answer(b"x" * 200)
    at_once = whole.index(b"\r\n\r\n") + 4 if part == "body" else 0
    pieces = [whole[:at_once]] if at_once else []
    pieces += [whole[place : place + 1] for place in range(at_once, len(whole))]
    with peer(pieces, pause_s=0.05) as (origin, _):
        started = time.monotonic()
        with pytest.raises(Retryable):
            Http(origin, timeout_s=0.3).send("GET", "/x", headers={})
        assert time.monotonic() - started < 1.5


def test_a_body_above_the_cap_is_not_read_to_its_end() -> None:
    with peer(answer(b"x" * 1001)) as (origin, _), pytest.raises(Retryable, match="more than 1000 bytes"):
        Http(origin, timeout_s=5, max_bytes=1000).send("GET", "/x", headers={})


def test_the_cap_counts_decoded_bytes() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    with (
        peer(answer(bomb, headers="Content-Encoding: gzip\r\n")) as (origin, _),
        pytest.raises(Retryable, match="more"),
    ):
        Http(origin, timeout_s=5, max_bytes=1_000_000).send("GET", "/x", headers={})


def test_a_packed_body_is_unpacked() -> None:
    packed = gzip.compress(b'{"a":1}' * 1000)
    with peer(answer(packed, headers="Content-Encoding: gzip\r\n")) as (origin, seen):
        assert Http(origin, timeout_s=5).send("GET", "/x", headers={}).body == b'{"a":1}' * 1000
    assert b"accept-encoding: gzip\r\n" in seen[0].lower()


# Without a time in it: the name of a test must be the same in every process that collects it.
@pytest.mark.parametrize("packed", [gzip.compress(b"abc" * 100, mtime=0)[:-9], b"not gzip"])
def test_a_broken_packed_body_is_no_answer(packed: bytes) -> None:
    with (
        peer(answer(packed, headers="Content-Encoding: gzip\r\n")) as (origin, _),
        pytest.raises(Retryable, match="gzip"),
    ):
        Http(origin, timeout_s=5).send("GET", "/x", headers={})


def test_connections_are_kept_and_shared_by_threads() -> None:
    with peer(*[answer()] * 20) as (origin, seen):
        http = Http(origin, timeout_s=5, connections=1)
        threads = [
            threading.Thread(target=lambda: [http.send("GET", "/x", headers={}) for _ in range(5)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert len(seen) == 20
