"""What may be stored under which name."""

import pytest

from shared.config.credentials import Cin7Credentials, IfsCredentials, read_credentials, shape_of
from shared.errors import Misconfigured


def test_each_system_has_its_own_form() -> None:
    assert read_credentials("ifs", b'{"client_id": "me", "client_secret": "s"}') == IfsCredentials(
        client_id="me", client_secret="s"
    )
    assert read_credentials("cin7/main", b'{"account_id": "a", "application_keys": ["k", "l"]}') == Cin7Credentials(
        account_id="a", application_keys=("k", "l")
    )


@pytest.mark.parametrize("name", ["", "cin7", "cin7/", "cin7/Main", "cin7/a/b", "ifs/x", "hooks2"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(Misconfigured, match="cin7/<account>"):
        shape_of(name)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("ifs", b""),
        ("ifs", b"hunter2"),
        ("ifs", b'"hunter2"'),
        ("ifs", b'{"client_id": "hunter2"}'),
        ("ifs", b'{"client_id": "hunter2", "client_secret": ""}'),
        ("ifs", b'{"client_id": "me", "client_secret": "hunter2", "scope": "x"}'),
        ("ifs", b'{"client_id": "me", "client_secret": 5}'),
        ("ifs", b'{"client_id": "me", "client_secret": "hunter2\\u0000"}'),
        ("ifs", b'{"client_id": "me", "client_secret": "\xff"}'),
        ("cin7/main", b'{"account_id": "a", "application_keys": []}'),
        ("cin7/main", b'{"account_id": "a", "application_keys": "hunter2"}'),
        ("cin7/main", b'{"account_id": "a", "application_keys": ["hunter2\\r\\nX-Evil: 1"]}'),
        ("cin7/main", b'{"account_id": "a", "application_keys": ["hunter2", "hunter2"]}'),
        ("cin7/main", '{"account_id": "a", "application_keys": ["hunter2é"]}'.encode()),
        ("hooks", b'{"secret": "hunter2"}'),
    ],
)
def test_a_document_that_does_not_fit_is_refused_without_showing_it(name: str, document: bytes) -> None:
    with pytest.raises(Misconfigured) as caught:
        read_credentials(name, document)
    assert name in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_showing_credentials_shows_none_of_them() -> None:
    shown = IfsCredentials(client_id="hunter2", client_secret="hunter3")
    assert "hunter" not in f"{shown!r} {shown} {[shown]}"
