"""Credentials in PostgreSQL."""

from collections.abc import Iterator

import pytest

from shared.config import credentials
from shared.config.credentials import Cin7Credentials, IfsCredentials
from shared.config.encryption import Cipher
from shared.errors import Misconfigured
from shared.ledger.connection import Conn, connect

OLD, NEW = b"o" * 32, b"n" * 32
IFS = IfsCredentials(client_id="me", client_secret="hunter2")
MAIN = Cin7Credentials(account_id="a-guid", application_keys=("hunter3", "hunter4"))


@pytest.fixture
def conn(database_url: str) -> Iterator[Conn]:
    with connect(database_url) as conn:
        yield conn


def test_what_is_stored_comes_back_and_later_values_replace_it(conn: Conn) -> None:
    cipher = Cipher([OLD])
    credentials.store(conn, cipher, "ifs", IFS)
    credentials.store(conn, cipher, "cin7/main", MAIN)
    credentials.store(conn, cipher, "ifs", IfsCredentials(client_id="you", client_secret="s"))
    assert credentials.load(conn, cipher, "ifs", IfsCredentials).client_id == "you"
    assert credentials.load(conn, cipher, "cin7/main", Cin7Credentials) == MAIN
    assert [row.name for row in credentials.names(conn)] == ["cin7/main", "ifs"]


def test_nothing_readable_is_in_the_database(conn: Conn) -> None:
    credentials.store(conn, Cipher([OLD]), "ifs", IFS)
    rows = conn.execute("select credential::text from credential").fetchall()
    blob = conn.execute("select blob from credential").fetchone()
    assert "hunter2" not in str(rows)
    assert blob is not None
    assert b"hunter2" not in blob[0]


def test_what_is_missing_says_how_to_store_it(conn: Conn) -> None:
    with pytest.raises(Misconfigured, match="connector credentials set cin7 main"):
        credentials.load(conn, Cipher([OLD]), credentials.cin7("main"), Cin7Credentials)


def test_a_rotation_reseals_everything_so_that_the_old_key_can_go(conn: Conn) -> None:
    credentials.store(conn, Cipher([OLD]), "ifs", IFS)
    credentials.store(conn, Cipher([OLD]), "cin7/main", MAIN)
    before = credentials.names(conn)
    assert credentials.rotate(conn, Cipher([NEW, OLD])) == 2
    assert credentials.rotate(conn, Cipher([NEW, OLD])) == 0
    assert credentials.load(conn, Cipher([NEW]), "cin7/main", Cin7Credentials) == MAIN
    assert [row.updated_at for row in credentials.names(conn)] == [row.updated_at for row in before]


def test_a_rotation_that_cannot_open_one_changes_none(conn: Conn) -> None:
    credentials.store(conn, Cipher([OLD]), "cin7/main", MAIN)
    credentials.store(conn, Cipher([b"x" * 32]), "ifs", IFS)
    with pytest.raises(Misconfigured, match="not configured"):
        credentials.rotate(conn, Cipher([NEW, OLD]))
    assert credentials.load(conn, Cipher([OLD]), "cin7/main", Cin7Credentials) == MAIN


def test_a_row_copied_to_another_name_does_not_open(conn: Conn) -> None:
    cipher = Cipher([OLD])
    credentials.store(conn, cipher, "cin7/one", MAIN)
    conn.execute("insert into credential select 'cin7/two', blob, key_id from credential")
    with pytest.raises(Misconfigured, match="changed"):
        credentials.load(conn, cipher, "cin7/two", Cin7Credentials)
