"""Sealed bytes: who can open them, and what is said when nobody can."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config.encryption import Cipher, keys_from_text, new_key
from shared.errors import Misconfigured

OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_what_is_encrypted_decrypts_to_the_same(plain: bytes, context: bytes) -> None:
    cipher = Cipher([NEW, OLD])
    assert cipher.decrypt(cipher.encrypt(plain, context), context) == plain


def test_a_new_key_in_front_still_opens_what_the_old_one_sealed() -> None:
    blob = Cipher([OLD]).encrypt(b"secret", b"a")
    both = Cipher([NEW, OLD])
    assert both.decrypt(blob, b"a") == b"secret"
    assert Cipher([NEW]).decrypt(both.encrypt(b"secret", b"a"), b"a") == b"secret"


def test_a_key_that_is_not_configured_is_named_by_its_id() -> None:
    stranger = Cipher([OTHER])
    with pytest.raises(Misconfigured, match=f"master key {stranger.key_id}"):
        Cipher([NEW, OLD]).decrypt(stranger.encrypt(b"secret", b"a"), b"a")


def test_a_blob_moved_to_another_place_does_not_open() -> None:
    cipher = Cipher([NEW])
    with pytest.raises(Misconfigured, match="changed"):
        cipher.decrypt(cipher.encrypt(b"secret", b"credential:cin7/one"), b"credential:cin7/two")


@given(st.data())
def test_a_blob_changed_or_cut_anywhere_never_opens(data: st.DataObject) -> None:
    cipher = Cipher([NEW])
    blob = bytearray(cipher.encrypt(b"secret", b"a"))
    place = data.draw(st.integers(0, len(blob) - 1))
    if data.draw(st.booleans()):
        blob = blob[:place]
    else:
        blob[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Misconfigured):
        cipher.decrypt(bytes(blob), b"a")


def test_the_same_secret_never_looks_the_same_twice() -> None:
    cipher = Cipher([NEW])
    blobs = {cipher.encrypt(b"secret", b"a") for _ in range(50)}
    assert len(blobs) == 50
    assert not any(b"secret" in blob or NEW[:4] in blob for blob in blobs)


def test_keys_are_read_newest_first_from_commas_or_lines() -> None:
    text = f"{base64.b64encode(NEW).decode()},\n {base64.b64encode(OLD).decode()}\n"
    assert keys_from_text(text, "here") == [NEW, OLD]


def test_a_printed_key_can_be_used() -> None:
    assert len(keys_from_text(new_key(), "here")[0]) == 32
    assert new_key() != new_key()


@pytest.mark.parametrize("text", ["hunter2", base64.b64encode(b"short").decode(), "hüntér2", "=" * 44, "*" * 44])
def test_a_key_of_another_form_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        keys_from_text(f"{new_key()} {text}", "CONNECTOR_MASTER_KEY")
    assert "key 2 of 2" in str(caught.value)
    assert text not in str(caught.value)


def test_no_key_at_all_is_refused() -> None:
    with pytest.raises(Misconfigured, match="new-key"):
        keys_from_text(" ,\n", "here")
    with pytest.raises(Misconfigured, match="new-key"):
        Cipher([])


def test_showing_a_cipher_shows_no_key() -> None:
    assert repr(Cipher([NEW])) == f"Cipher(newest='{Cipher([NEW]).key_id}', keys=1)"
