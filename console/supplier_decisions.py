"""What a person decides about one supplier: that it is a vendor of Cin7, that it is not, or is to be created."""

from uuid import UUID

import click

from console import linking
from console.context import Context
from console.output import json_option, print_json, say
from console.proposing import mapped
from shared.assembly import Assembly
from shared.config.checking import near
from shared.errors import ConnectorError
from shared.flows import SUPPLIERS
from shared.ledger import links, rejections
from shared.ledger.rejections import CIN7, IFS
from shared.ledger.views import supplier_sources
from workers.mapping.results import SupplierWrites


@click.command("link")
@click.argument("ifs_key", metavar="IFS_KEY")
@click.argument("cin7_id", metavar="CIN7_ID", type=click.UUID)
@click.option("--account", default="", help="The Cin7 account, where there are several.")
@click.option("--reason", default="", help="Why they are one; kept with your name.")
@json_option
@click.pass_obj
def link(context: Context, ifs_key: str, cin7_id: UUID, account: str, reason: str, as_json: bool) -> None:
    """Link supplier IFS_KEY to vendor CIN7_ID, and send on what is held of it."""
    parts = context.parts
    account = _account_of(parts, ifs_key, account)
    vendor = parts.cin7(account).supplier(str(cin7_id))
    if vendor is None:
        raise ConnectorError(f"Cin7 account {account} has no supplier {cin7_id}.")
    why = f"decided by {context.person}{_because(reason)}"
    fresh = linking.link(parts, ifs_key, account, vendor.id or "", vendor.name, origin="person", why=why)
    why = f"linked by {context.person}"
    replayed = linking.replay_held(parts, [ifs_key], why=why, vendors=[(account, vendor.id or "")])
    if as_json:
        told = {"ifs_key": ifs_key, "cin7_account": account, "cin7_id": vendor.id, "cin7_number": vendor.name}
        print_json(told | {"linked": fresh, "replayed": replayed})
        return
    done = "Linked" if fresh else "Already linked:"
    say(f"{done} {ifs_key} to {vendor.name} ({vendor.id}) of {account}; {len(replayed)} held entries sent on.")


@click.command("unlink")
@click.argument("ifs_key", metavar="IFS_KEY")
@click.option("--account", default="", help="The Cin7 account, where it is linked in several.")
@click.option("--reason", required=True, help="Why they are not one; kept with your name.")
@json_option
@click.pass_obj
def unlink(context: Context, ifs_key: str, account: str, reason: str, as_json: bool) -> None:
    """Take the link of supplier IFS_KEY away, and send on what is held of it.

    Nothing is changed in either system, and the same link is not made again by itself: `suppliers link` would. What the
    connector created is not created a second time.
    """
    parts = context.parts
    account = _linked_account(parts, ifs_key, account)
    gone = linking.unlink(parts, ifs_key, account, why=f"decided by {context.person}{_because(reason)}")
    why = f"unlinked by {context.person}"
    replayed = linking.replay_held(parts, [ifs_key], why=why, vendors=[(account, gone.cin7_id)])
    if as_json:
        told = {"ifs_key": ifs_key, "cin7_account": account, "cin7_id": gone.cin7_id, "cin7_number": gone.cin7_number}
        print_json(told | {"replayed": replayed})
        return
    was = f"{gone.cin7_number} ({gone.cin7_id}) of {account}"
    say(f"{ifs_key} is no longer linked to {was}; {len(replayed)} held entries sent on.")


@click.command("ignore")
@click.argument("one", metavar="SUPPLIER")
@click.argument("other", metavar="OTHER")
@click.option("--account", default="", help="The Cin7 account, where there are several.")
@click.option("--reason", required=True, help="Why they are not one, or why that is taken back; kept with your name.")
@click.option("--undo", is_flag=True, help="Let them be proposed again.")
@json_option
@click.pass_obj
def ignore(context: Context, one: str, other: str, account: str, reason: str, undo: bool, as_json: bool) -> None:
    """Say that two suppliers are not one: an IFS key and a Cin7 id, two IFS keys or two Cin7 ids.

    They are not proposed again, nor linked by themselves, until --undo. What is held of the IFS supplier for them goes
    on: it is created where nothing else resembles it.
    """
    parts = context.parts
    names = [_named(one), _named(other)]
    keys = [name.removeprefix(f"{IFS}/") for name in names if name.startswith(f"{IFS}/")]
    if names[0] == names[1]:
        raise click.UsageError("Name two suppliers, not the same one twice.")
    account = _account_for(parts, keys, account) if len(keys) < 2 else ""
    pair = rejections.pair(account, *names)
    linking.reject(parts, pair, rejected=not undo, why=f"decided by {context.person}{_because(reason)}")
    replayed: list[int] = []
    if len(keys) == 1 and not undo:
        vendor = next(name for name in names if name.startswith(f"{CIN7}/")).removeprefix(f"{CIN7}/")
        why = f"{keys[0]} is not {vendor} of {account}, decided by {context.person}"
        replayed = linking.replay_held(parts, keys, why=why, vendors=[(account, vendor)])
    if as_json:
        print_json(
            {"account": account, "one": pair.one, "other": pair.other, "ignored": not undo, "replayed": replayed}
        )
        return
    done = "may be proposed again" if undo else "are not proposed again"
    say(f"{one} and {other} {done}; {len(replayed)} held entries sent on.")


@click.command("create")
@click.argument("ifs_key", metavar="IFS_KEY")
@click.option("--account", default="", help="Only in this Cin7 account.")
@json_option
@click.pass_obj
def create(context: Context, ifs_key: str, account: str, as_json: bool) -> None:
    """Let supplier IFS_KEY, held as a possible duplicate, be created all the same, and send it on."""
    parts = context.parts
    require_account(parts, account)
    accounts = [account] if account else list(parts.settings.cin7)
    linking.decide_creation(parts, ifs_key, accounts, why=f"decided by {context.person}")
    replayed = linking.replay_held(parts, [ifs_key], why=f"to be created, decided by {context.person}")
    if as_json:
        print_json({"ifs_key": ifs_key, "cin7_accounts": accounts, "replayed": replayed})
    else:
        say(f"{ifs_key} will be created; {len(replayed)} held entries sent on.")


def _because(reason: str) -> str:
    return f", because: {reason.strip()}" if reason.strip() else ""


def _named(text: str) -> str:
    """Return how a pair names this supplier: what looks like an id of Cin7 is one."""
    try:
        return rejections.named(CIN7, str(UUID(text)))
    except ValueError:
        return rejections.named(IFS, text)


def _account_for(parts: Assembly, keys: list[str], account: str) -> str:
    if keys:
        return _account_of(parts, keys[0], account)
    require_account(parts, account)
    if account or len(parts.settings.cin7) == 1:
        return account or next(iter(parts.settings.cin7))
    raise click.UsageError(f"Name the Cin7 account with --account: {', '.join(parts.settings.cin7)}.")


def _linked_account(parts: Assembly, key: str, account: str) -> str:
    """Return the account to unlink in: as named, else the only one in which there is a link."""
    require_account(parts, account)
    if account:
        return account
    with parts.ledger.transaction() as cur:
        linked = [link.cin7_account for link in links.of_keys(cur, SUPPLIERS.name, [key]).get(key, ())]
    if not linked:
        raise ConnectorError(f"Supplier {key} is not linked anywhere: see `connector links`.")
    if len(linked) > 1:
        raise click.UsageError(f"Name the Cin7 account with --account: {', '.join(linked)}.")
    return linked[0]


def _account_of(parts: Assembly, key: str, account: str) -> str:
    """Return the account to link in: as named, else the only one that the supplier goes to."""
    require_account(parts, account)
    if account:
        return account
    if len(parts.settings.cin7) == 1:
        return next(iter(parts.settings.cin7))
    with parts.ledger.transaction() as cur:
        source = supplier_sources.one(cur, key)
    if source is None:
        raise ConnectorError(f"The ledger has never seen supplier {key}: run `connector poll suppliers` first.")
    result = mapped(parts, source)
    accounts = [write.account for write in result.writes] if isinstance(result, SupplierWrites) else []
    if len(accounts) == 1:
        return accounts[0]
    raise click.UsageError(f"Name the Cin7 account with --account: {', '.join(accounts or parts.settings.cin7)}.")


def require_account(parts: Assembly, account: str) -> None:
    known = list(parts.settings.cin7)
    if account and account not in known:
        hint = near(account, known) or f"known: {', '.join(known)}."
        raise click.UsageError(f"{account!r} is none of the settings' Cin7 accounts; {hint}")
