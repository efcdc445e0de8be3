"""Sets our webhook up in a Cin7 account, takes it away, and tells how it is. Nobody else's webhook is touched."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from shared.assembly import Assembly
from shared.cin7.client import Cin7Client
from shared.cin7.errors import Cin7Denied, Cin7NoPage, Cin7Refused
from shared.cin7.records.webhooks import SUPPLIER_UPDATED, Webhook
from shared.cin7.registration import differences, ours_among, wanted
from shared.config import credentials
from shared.config.checking import is_loopback
from shared.config.credentials import HOOKS, HooksCredentials
from shared.errors import ConnectorError, Retryable
from shared.ledger import webhooks
from shared.ledger.webhooks import Ours

#: Below the receiver's address, then the account.
PATH: Final = "/hooks/cin7/"


#: What a person does where the API does not let it be done. Source: docs/apis/cin7.md#webhooks.
STEPS: Final = (
    (
        "Cin7 does not let webhooks of account {account} be set up here ({words}). They need the Automation module, "
        "an extra subscription: ask Cin7's support whether the account has it, then repeat this command."
    ),
    (
        "If it has: in Cin7 open Settings, Automation, Notifications, choose the one of updated suppliers, and switch "
        "it to Active."
    ),
    "As its delivery method choose External, and enter the address {url}",
    "Choose bearer authorization; its token is the secret that you stored with `connector credentials set hooks`.",
    "Without all this nothing is missed: changes in Cin7 are polled for, and only come later.",
)


class Unavailable(ConnectorError):
    """This account's webhooks cannot be managed: Cin7 says no, in the words of the message."""


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """What registering did in one account.

    Attributes:
        outcome: `manual` where Cin7 does not let it be done; then `steps` says what a person does.
        changed: what was put right.
    """

    cin7_account: str
    outcome: Literal["created", "repaired", "unchanged", "manual"]
    webhook_id: str
    url: str
    changed: list[str]
    steps: list[str]


class Secret(msgspec.Struct, frozen=True):
    """The stored secret of the hooks; it is shown nowhere."""

    text: str
    stored_at: datetime

    def __repr__(self) -> str:
        return "Secret()"


def stored_secret(parts: Assembly) -> Secret:
    """Return the secret that webhooks bear.

    Raises:
        Misconfigured: none is stored.
    """
    with parts.ledger.transaction() as cur:
        hooks = credentials.load(cur.connection, parts.cipher, HOOKS, HooksCredentials)
        found = next(row for row in credentials.names(cur.connection) if row.name == HOOKS)
    return Secret(hooks.secret, found.updated_at)


def address_of(url: str, account: str) -> str:
    """Return where Cin7 calls for one account: below `url`, unless that is the whole address already.

    Raises:
        ValueError: it is no address that Cin7 could or should call.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError(f"{url!r} is no address such as https://hooks.example.com.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(f"{url!r} is not https: the secret would travel in clear.")
    base = url.rstrip("/")
    return base if base.endswith(f"{PATH}{account}") else f"{base}{PATH}{account}"


def existing(client: Cin7Client) -> list[Webhook]:
    """Return the webhooks of an account.

    Raises:
        Unavailable: the account cannot have any: the Automation module is missing, most likely.
    """
    try:
        return client.webhooks()
    except (Cin7Refused, Cin7NoPage) as error:
        raise Unavailable(str(error)) from error
    except Cin7Denied as denied:
        client.me()  # Where the key is good for this, it is only webhooks that are barred.
        raise Unavailable("Cin7 refuses webhooks to this account.") from denied


def register(parts: Assembly, account: str, url: str, secret: Secret) -> Registered:
    """See to it that Cin7 calls `url` with the secret, whatever was there before; safe to repeat.

    Raises:
        ConnectorError: Cin7 refuses it, or cannot be asked.
    """
    client = parts.cin7(account)
    try:
        there = existing(client)
    except Unavailable as refused:
        steps = steps_for(account, url, str(refused))
        return Registered(cin7_account=account, outcome="manual", webhook_id="", url=url, changed=[], steps=steps)
    known = _known(parts, account)
    ours = ours_among(there, known.id if known else "", url)
    changed: list[str] = []
    if ours is None:
        webhook_id = _create(client, there, url, secret)
    else:
        webhook_id = ours.id or ""
        newer = known is None or secret.stored_at > known.secret_at
        changed = differences(ours, url, secret.text, secret_is_newer=newer)
        if changed:
            _write(lambda: client.update_webhook(wanted(url, secret.text, ours)))
    with parts.ledger.transaction() as cur:
        webhooks.keep(cur, account, SUPPLIER_UPDATED, webhook_id, url, secret.stored_at)
    outcome: Literal["created", "repaired", "unchanged"] = "created" if ours is None else "unchanged"
    return Registered(
        cin7_account=account,
        outcome="repaired" if changed else outcome,
        webhook_id=webhook_id,
        url=url,
        changed=changed,
        steps=[],
    )


def _known(parts: Assembly, account: str) -> Ours | None:
    with parts.ledger.transaction() as cur:
        return webhooks.find(cur, account, SUPPLIER_UPDATED)


def _create(client: Cin7Client, there: list[Webhook], url: str, secret: Secret) -> str:
    """Create the webhook once and return its id; an answer that does not come is looked for."""
    try:
        answered = _write(lambda: client.create_webhook(wanted(url, secret.text)))
    except Retryable as lost:
        if not lost.executed:
            raise
        answered = client.webhooks()
    before = {webhook.id for webhook in there}
    made = ours_among([webhook for webhook in answered if webhook.id not in before], "", url)
    if made is None or made.id is None:
        raise ConnectorError(f"Cin7 does not show the webhook for {url} that it was to create: try again.")
    return made.id


def _write(call: Callable[[], list[Webhook]]) -> list[Webhook]:
    try:
        return call()
    except Cin7Refused as refused:
        raise ConnectorError(
            f"Cin7 refuses the webhook: {refused}. It takes at most 5 of one type; see them in Cin7, or GET /webhooks."
        ) from refused


def steps_for(account: str, url: str, words: str) -> list[str]:
    """Return what a person does, and in which words Cin7 refused."""
    return [step.format(account=account, url=url, words=words.rstrip(".")) for step in STEPS]


def unregister(parts: Assembly, account: str) -> Literal["deleted", "gone", "none"]:
    """Delete our webhook in Cin7, and nobody else's.

    Raises:
        ConnectorError: Cin7 refuses, or cannot be asked.
    """
    known = _known(parts, account)
    if known is None:
        return "none"
    client = parts.cin7(account)
    is_there = any(webhook.id == known.id for webhook in existing(client))
    if is_there:
        client.delete_webhook(known.id)
    with parts.ledger.transaction() as cur:
        webhooks.forget(cur, account, SUPPLIER_UPDATED)
    return "deleted" if is_there else "gone"
