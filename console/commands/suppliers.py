"""`connector suppliers`: which vendors of Cin7 are suppliers of IFS, decided by a person and on record."""

from uuid import UUID

import click
import msgspec

from console import linking
from console.context import Context
from console.output import json_option, print_json, print_table, say
from console.proposing import Proposal, Proposals, mapped, propose
from shared.assembly import Assembly
from shared.config.checking import near
from shared.errors import ConnectorError
from shared.ledger.views import supplier_sources
from workers.mapping.results import SupplierWrites


@click.group()
def command() -> None:
    """Link suppliers that Cin7 holds already, or let them be created."""


@command.command("match")
@click.option("--accept", type=click.Choice(["exact"]), default=None, help="Link all that are certain.")
@click.option("--account", default="", help="Only this Cin7 account.")
@json_option
@click.pass_obj
def match(context: Context, accept: str | None, account: str, as_json: bool) -> None:
    """Propose links between suppliers and the vendors that Cin7 has, with what speaks for each.

    `marker` (Cin7 shows the supplier's number) and `exact` (equal name and equal tax number) are certain: --accept
    exact links these and sends on what they held. All others need a person: `suppliers link` or `suppliers create`.
    """
    parts = context.parts
    _require_account(parts, account)
    found = propose(parts, account)
    linked: list[Proposal] = []
    refused: list[str] = []
    replayed: list[int] = []
    if accept:
        for one in found.proposals:
            if one.kind != "possible":
                _accept(context, one, linked, refused)
        keys = [one.ifs_key for one in linked]
        replayed = linking.replay_held(parts, keys, why=f"linked by {context.person}") if keys else []
    if as_json:
        accepted = [
            {"ifs_key": one.ifs_key, "cin7_account": one.account, "cin7_id": one.candidates[0].supplier_id}
            for one in linked
        ]
        print_json(msgspec.structs.asdict(found) | {"linked": accepted, "replayed": replayed})
    else:
        _show(found, linked, replayed)
    if refused:
        raise ConnectorError(" ".join(refused))


def _accept(context: Context, one: Proposal, linked: list[Proposal], refused: list[str]) -> None:
    candidate, parts = one.candidates[0], context.parts
    try:
        why = f"accepted by {context.person} for its {' and '.join(candidate.evidence)}"
        linking.link(parts, one.ifs_key, one.account, candidate.supplier_id, candidate.name, origin="accepted", why=why)
        linked.append(one)
    except ConnectorError as error:
        refused.append(str(error))


def _show(found: Proposals, linked: list[Proposal], replayed: list[int]) -> None:
    rows = [
        (one.ifs_key, one.name, one.tax_number, one.account, "linked" if one in linked else one.kind, candidate.name,
         candidate.tax_number, candidate.supplier_id, ", ".join(candidate.evidence), f"{candidate.likeness:.0%}")
        for one in found.proposals
        for candidate in one.candidates
    ]  # fmt: skip
    headings = ("IFS key", "name", "tax number", "account", "kind", "Cin7 name", "Cin7 tax number", "Cin7 id")
    print_table((*headings, "evidence", "likeness"), rows, empty="Nothing in Cin7 resembles a supplier without link.")
    say(f"{found.new} would be created; {found.held} are not mapped yet (`connector holds`).")
    if linked:
        say(f"Linked {len(linked)} and sent on {len(replayed)} held entries.")


@command.command("link")
@click.argument("ifs_key", metavar="IFS_KEY")
@click.argument("cin7_id", metavar="CIN7_ID", type=click.UUID)
@click.option("--account", default="", help="The Cin7 account, where there are several.")
@json_option
@click.pass_obj
def link(context: Context, ifs_key: str, cin7_id: UUID, account: str, as_json: bool) -> None:
    """Link supplier IFS_KEY to vendor CIN7_ID, and send on what is held of it."""
    parts = context.parts
    account = _account_of(parts, ifs_key, account)
    vendor = parts.cin7(account).supplier(str(cin7_id))
    if vendor is None:
        raise ConnectorError(f"Cin7 account {account} has no supplier {cin7_id}.")
    why = f"decided by {context.person}"
    fresh = linking.link(parts, ifs_key, account, vendor.id or "", vendor.name, origin="person", why=why)
    replayed = linking.replay_held(parts, [ifs_key], why=f"linked by {context.person}")
    if as_json:
        told = {"ifs_key": ifs_key, "cin7_account": account, "cin7_id": vendor.id, "cin7_number": vendor.name}
        print_json(told | {"linked": fresh, "replayed": replayed})
        return
    done = "Linked" if fresh else "Already linked:"
    say(f"{done} {ifs_key} to {vendor.name} ({vendor.id}) of {account}; {len(replayed)} held entries sent on.")


@command.command("create")
@click.argument("ifs_key", metavar="IFS_KEY")
@click.option("--account", default="", help="Only in this Cin7 account.")
@json_option
@click.pass_obj
def create(context: Context, ifs_key: str, account: str, as_json: bool) -> None:
    """Let supplier IFS_KEY, held as a possible duplicate, be created all the same, and send it on."""
    parts = context.parts
    _require_account(parts, account)
    accounts = [account] if account else list(parts.settings.cin7)
    linking.decide_creation(parts, ifs_key, accounts, why=f"decided by {context.person}")
    replayed = linking.replay_held(parts, [ifs_key], why=f"to be created, decided by {context.person}")
    if as_json:
        print_json({"ifs_key": ifs_key, "cin7_accounts": accounts, "replayed": replayed})
    else:
        say(f"{ifs_key} will be created; {len(replayed)} held entries sent on.")


def _require_account(parts: Assembly, account: str) -> None:
    known = list(parts.settings.cin7)
    if account and account not in known:
        hint = near(account, known) or f"known: {', '.join(known)}."
        raise click.UsageError(f"{account!r} is none of the settings' Cin7 accounts; {hint}")


def _account_of(parts: Assembly, key: str, account: str) -> str:
    """Return the account to link in: as named, else the only one that the supplier goes to."""
    _require_account(parts, account)
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
