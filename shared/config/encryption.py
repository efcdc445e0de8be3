"""Bytes to sealed bytes and back under the master keys (AES-256-GCM). Pure but for its nonces.

A blob is: version (1 byte), key id (4), nonce (12), ciphertext with its tag. The key id says which of several keys
opens it, so that keys can be changed without a moment in which nothing can be read.
"""

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import Misconfigured

KEY_BYTES: Final = 32
_VERSION: Final = b"\x01"
_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_HEADER_BYTES: Final = len(_VERSION) + _ID_BYTES


class Cipher:
    """Encrypts with the newest key, decrypts with any of them.

    Args:
        keys: newest first, each of 32 bytes.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise Misconfigured(f"A master key is {KEY_BYTES} bytes: `connector credentials new-key` prints one.")
        self._newest = _id_of(keys[0])
        self._keys = {_id_of(key): AESGCM(key) for key in keys}

    def __repr__(self) -> str:
        return f"Cipher(newest={self.key_id!r}, keys={len(self._keys)})"

    @property
    def key_id(self) -> str:
        """The id of the key that encrypts; it reveals nothing of the key."""
        return self._newest.hex()

    def encrypt(self, plain: bytes, context: bytes) -> bytes:
        """Return `plain` sealed to `context`: what it is, such as `credential:ifs`, so that blobs cannot be swapped."""
        header = _VERSION + self._newest
        nonce = os.urandom(_NONCE_BYTES)
        return header + nonce + self._keys[self._newest].encrypt(nonce, plain, header + context)

    def decrypt(self, blob: bytes, context: bytes) -> bytes:
        """Return what `encrypt` was given.

        Raises:
            Misconfigured: the key is not among ours, or the blob was changed or belongs to another context.
        """
        header, nonce = blob[:_HEADER_BYTES], blob[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES]
        name = context.decode(errors="replace")
        if header[:1] != _VERSION or len(nonce) < _NONCE_BYTES:
            raise Misconfigured(f"{name} is not in a form that this connector can decrypt: store it again.")
        key = self._keys.get(header[1:])
        if key is None:
            raise Misconfigured(
                f"{name} was encrypted with master key {header[1:].hex()}, which is not configured: "
                "add that key after the newest one, or store it again."
            )
        try:
            return key.decrypt(nonce, blob[_HEADER_BYTES + _NONCE_BYTES :], header + context)
        except InvalidTag as error:
            raise Misconfigured(f"{name} was changed since it was encrypted: store it again.") from error


def new_key() -> str:
    """Return a fresh master key as text."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def keys_from_text(text: str, source: str) -> list[bytes]:
    """Return the keys that `text` holds, newest first, separated by commas or white space.

    Raises:
        Misconfigured: there is none, or one is not 32 bytes in base64; its text is never shown.
    """
    words = [word for word in re.split(r"[,\s]+", text) if word]
    keys: list[bytes] = []
    for number, word in enumerate(words, start=1):
        try:
            key = base64.b64decode(word, validate=True)
        except (binascii.Error, ValueError):  # ValueError: not ASCII.
            key = b""
        if len(key) != KEY_BYTES:
            raise Misconfigured(
                f"{source}: key {number} of {len(words)} is not {KEY_BYTES} bytes in base64: "
                "`connector credentials new-key` prints one."
            )
        keys.append(key)
    if not keys:
        raise Misconfigured(f"{source} holds no key: `connector credentials new-key` prints one.")
    return keys


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(b"connector master key id" + key).digest()[:_ID_BYTES]
