"""The stand-in as a program, and the HTTP it speaks when a client is not polite."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.cin7 import Cin7Sandbox
from sandbox.lean_http import LeanProtocol
from sandbox.serving import serving
from tests.sandbox.cin7_fixtures import ACCOUNT, KEY

HEADERS = {"api-auth-accountid": ACCOUNT, "api-auth-applicationkey": KEY}


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a POST with its body in two pieces; fail on a GET of /fail."""
    message = await receive()
    if scope["path"] == "/fail":
        raise ValueError("no")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-path", scope["path"].encode())]})
    await send({"type": "http.response.body", "body": message["body"], "more_body": True})
    await send({"type": "http.response.body", "body": b"."})


@pytest.fixture(name="connection")
def connection_fixture() -> Iterator[socket.socket]:
    with (
        serving(echo, protocol_class=LeanProtocol) as url,
        socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0), timeout=5) as connection,
    ):
        yield connection


def read_until(connection: socket.socket, ending: bytes) -> bytes:
    data = b""
    while not data.endswith(ending):
        piece = connection.recv(4096)
        assert piece, data
        data += piece
    return data


def test_a_request_may_arrive_in_pieces_and_another_follow_on_the_same_connection(connection: socket.socket) -> None:
    for piece in (b"POST /a%20b?x=1 HT", b"TP/1.1\r\ncontent-length: 5\r\n", b"\r\nhel", b"lo"):
        connection.sendall(piece)
    assert b"x-path: /a b" in read_until(connection, b"hello.")
    connection.sendall(b"POST / HTTP/1.1\r\ncontent-length: 1\r\n\r\n1POST / HTTP/1.1\r\ncontent-length: 1\r\n\r\n2")
    assert b"1.HTTP/1.1 200" in read_until(connection, b"2.")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n", b"413"),
        (b"GET / HTTP/1.1\r\nx: " + b"x" * 70_000, b"431"),
    ],
)
def test_what_is_no_request_is_answered_and_the_connection_closed(
    connection: socket.socket, request_bytes: bytes, status: bytes
) -> None:
    connection.sendall(request_bytes)
    assert connection.recv(4096).startswith(b"HTTP/1.1 " + status)
    with suppress(ConnectionResetError):  # Where more was sent than was read.
        assert connection.recv(4096) == b""


def test_a_program_that_fails_answers_500(connection: socket.socket) -> None:
    connection.sendall(b"GET /fail HTTP/1.1\r\n\r\n")
    assert connection.recv(4096).startswith(b"HTTP/1.1 500")


def test_a_drop_on_another_server_is_an_answer_cut_short() -> None:
    sandbox = Cin7Sandbox()
    sandbox.control("POST", "faults", {"kind": "drop"})
    with serving(sandbox, protocol_class=H11Protocol) as url, pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{url}/ExternalApi/v2/me", headers=HEADERS)


def test_the_program_says_when_it_is_ready_and_serves_its_seed(tmp_path: Path) -> None:
    seed = tmp_path / "world.json"
    seed.write_text(json.dumps({"accounts": [{"account_id": ACCOUNT, "keys": [KEY], "company": {"Currency": "NOK"}}]}))
    command = [sys.executable, "-m", "sandbox.cin7", "--port", "0", "--seed-file", str(seed), "--token", "open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            line = program.stdout.readline()
            url = line.split()[-1]
            assert httpx.get(f"{url}me", headers=HEADERS).json()["Currency"] == "NOK"
        finally:
            program.terminate()
    assert line.startswith("Cin7 stand-in ready: http://127.0.0.1:")


def test_a_seed_that_cannot_be_read_stops_the_program_with_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox.cin7", "--port", "0", "--seed-file", str(tmp_path / "none.json")]
    program = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert program.returncode == 2
    assert program.stderr.startswith("The stand-in for Cin7 cannot start:")
    assert program.stderr.count("\n") == 1
