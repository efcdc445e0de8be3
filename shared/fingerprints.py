"""A record's canonical form and its hash. Pure."""

import hashlib

import msgspec

_ENCODER = msgspec.json.Encoder()


def canonical(record: object) -> bytes:
    """Return the bytes that are equal for equal structs: fields in their declared order, Decimals as text."""
    return _ENCODER.encode(record)


def fingerprint(record: object) -> str:
    """Return 32 hex digits that change exactly when the canonical form does."""
    return hashlib.blake2b(canonical(record), digest_size=16).hexdigest()


def digest(body: bytes) -> str:
    """Return the SHA-256 of `body` in hex, as kept in the ledger for an auditor."""
    return hashlib.sha256(body).hexdigest()
