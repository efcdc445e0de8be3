"""How the webhooks of every account are: as Cin7 says now, beside what waits of the calls they made."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec

from console.registering import PATH, Unavailable, existing
from shared.assembly import Assembly
from shared.cin7.records.webhooks import SUPPLIER_UPDATED, Webhook
from shared.cin7.registration import state_of
from shared.config import credentials
from shared.config.credentials import HOOKS
from shared.errors import ConnectorError
from shared.ledger import hints, webhooks
from shared.ledger.hints import Waiting
from shared.ledger.webhooks import Ours

REMEDIES: Final = {
    "off": "Repair what Cin7 cannot reach, then `connector hooks register --account {account} --url {url}`.",
    "gone": "It was deleted in Cin7: `connector hooks register --account {account} --url {url}`.",
    "none": "Changes in Cin7 are polled for; `connector hooks register --url URL` lets it tell of them.",
    "unavailable": "Cin7 does not let this account have webhooks; changes are polled for.",
}


class HookState(msgspec.Struct, frozen=True, kw_only=True):
    """Our webhook of one account.

    Attributes:
        state: `off` where Cin7 switched it off, `gone` where it was deleted there, `none` where it was never
            registered, `unavailable` where the account cannot have any.
        since: when it was first seen in that state.
        secret: `current`, or `outdated` where another one was stored since; "" where there is no webhook.
        waiting, oldest_s, calls, reads: of the hints that calls brought, however they were set up.
        error: why Cin7 could not be asked; then `state` is what was known before.
    """

    cin7_account: str
    state: Literal["on", "off", "gone", "none", "unavailable"]
    since: datetime | None
    webhook_id: str
    type: str
    url: str
    secret: Literal["current", "outdated", ""]
    waiting: int
    oldest_s: float | None
    calls: int
    reads: int
    remedy: str
    error: str


def hook_states(parts: Assembly, accounts: Sequence[str]) -> list[HookState]:
    """Ask Cin7 about every account, and record what it says."""
    with parts.ledger.transaction() as cur:
        waiting = {one.account: one for one in hints.waiting(cur, accounts)}
        stored = [row.updated_at for row in credentials.names(cur.connection) if row.name == HOOKS]
    return [_state_of(parts, account, waiting[account], max(stored, default=None)) for account in accounts]


def _state_of(parts: Assembly, account: str, waiting: Waiting, secret_at: datetime | None) -> HookState:
    error, there = "", None
    available = True
    try:
        there = existing(parts.cin7(account))
    except Unavailable as refused:
        available, error = False, str(refused)
    except ConnectorError as failed:
        error = str(failed)
    ours = _looked(parts, account, there, error)
    state = ours.state if ours else "none" if available else "unavailable"
    outdated = ours is not None and (secret_at is None or secret_at > ours.secret_at)
    return HookState(
        cin7_account=account,
        state=state,
        since=ours.since if ours else None,
        webhook_id=ours.id if ours else "",
        type=ours.type if ours else "",
        url=ours.url if ours else "",
        secret="" if ours is None else "outdated" if outdated else "current",
        waiting=waiting.waiting,
        oldest_s=waiting.oldest_s,
        calls=waiting.calls,
        reads=waiting.reads,
        remedy=_remedy(state, ours, outdated=outdated) or _stranger(account, there or ()) or REMEDIES.get(state, ""),
        error=error,
    )


def _looked(parts: Assembly, account: str, there: Sequence[Webhook] | None, error: str) -> Ours | None:
    """Record what Cin7 said, and return our webhook as it is known then."""
    with parts.ledger.transaction() as cur:
        ours = webhooks.find(cur, account, SUPPLIER_UPDATED)
        if ours is None:
            return None
        if there is None:
            webhooks.unseen(cur, account, error)
        else:
            found = next((webhook for webhook in there if webhook.id == ours.id), None)
            webhooks.seen(cur, ours, state_of(found))
        return webhooks.find(cur, account, SUPPLIER_UPDATED)


def _remedy(state: str, ours: Ours | None, *, outdated: bool) -> str:
    if state == "on" and outdated and ours is not None:
        return f"It bears an older secret: `connector hooks register --account {ours.account} --url {ours.url}`."
    return REMEDIES.get(state, "").format(url=ours.url, account=ours.account) if ours is not None else ""


def _stranger(account: str, there: Sequence[Webhook]) -> str:
    """Return what to do about a webhook that somebody set up by hand, by the look of its address."""
    for webhook in there:
        if webhook.type == SUPPLIER_UPDATED and webhook.external_url.endswith(f"{PATH}{account}"):
            call = f"connector hooks register --account {account} --url {webhook.external_url}"
            return (
                f"Cin7 has one that calls {webhook.external_url}: if it is this installation's, `{call}` takes it over."
            )
    return ""
