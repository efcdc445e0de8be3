"""Which webhook of an account is ours, what is wrong with it, and what to send to put it right. Pure.

An account's webhooks belong to whoever made them: ours is the one whose id the ledger knows, else one of our type with
exactly our address (the answer to its creation was lost, or the ledger is a new one). No other is ever touched.
"""

import hmac
from collections.abc import Sequence
from typing import Literal

import msgspec

from shared.cin7.records.webhooks import BEARER, SUPPLIER_UPDATED, Webhook


def ours_among(existing: Sequence[Webhook], known_id: str, url: str) -> Webhook | None:
    """Return our webhook; `known_id` is "" where the ledger knows none."""
    for webhook in existing:
        if known_id and webhook.id == known_id:
            return webhook
    same = [one for one in existing if one.type == SUPPLIER_UPDATED and one.external_url == url and one.id]
    return max(same, key=lambda one: one.is_active, default=None)


def wanted(url: str, secret: str, before: Webhook | None = None) -> Webhook:
    """Return the webhook to write; headers that somebody gave ours are kept."""
    plain = Webhook(
        type=SUPPLIER_UPDATED,
        is_active=True,
        external_url=url,
        external_authorization_type=BEARER,
        external_bearer_token=secret,
    )
    if before is None:
        return plain
    return msgspec.structs.replace(plain, id=before.id, external_headers=before.external_headers)


def differences(ours: Webhook, url: str, secret: str, *, secret_is_newer: bool) -> list[str]:
    """Return what has to be put right, in words.

    Args:
        secret_is_newer: it was stored after ours was registered; that decides where Cin7 does not show the one it has.
    """
    shown = ours.external_bearer_token
    outdated = not _equal(shown, secret) if shown else secret_is_newer
    found = {
        "switched off": not ours.is_active,
        "type": ours.type != SUPPLIER_UPDATED,
        "address": ours.external_url != url,
        "authorization": ours.external_authorization_type != BEARER,
        "secret": outdated,
    }
    return [name for name, wrong in found.items() if wrong]


def state_of(there: Webhook | None) -> Literal["on", "off", "gone"]:
    """Return what our webhook is; None where it is not among those of the account."""
    if there is None:
        return "gone"
    return "on" if there.is_active else "off"


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
