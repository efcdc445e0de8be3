"""`connector suppliers`: which vendors of Cin7 are suppliers of IFS, decided by a person and on record."""

from typing import Final

import click
import msgspec

from console import linking
from console.context import Context
from console.doubling import Twins, twins_of
from console.output import json_option, print_json, print_table, say
from console.proposing import Proposal, Proposals, Proposer
from console.supplier_decisions import create, ignore, link, require_account, unlink
from shared.errors import ConnectorError

#: Pairs that people are shown; --json lists all.
SHOWN_MAX: Final = 100


@click.group()
def command() -> None:
    """Link suppliers that Cin7 holds already, or let them be created."""


@command.command("match")
@click.option("--accept", type=click.Choice(["exact"]), default=None, help="Link all that are certain.")
@click.option("--account", default="", help="Only this Cin7 account.")
@json_option
@click.pass_obj
def match(context: Context, accept: str | None, account: str, as_json: bool) -> None:
    """Propose links between suppliers and the vendors that Cin7 has, with a score and what speaks for each.

    `marker` (Cin7 shows the supplier's number) and `exact` (equal name and equal tax number) are certain: --accept
    exact links these and sends on what they held. All others need a person: `suppliers link`, `create` or `ignore`.
    Listed too is what one system holds twice.
    """
    parts = context.parts
    require_account(parts, account)
    proposer = Proposer(parts, account)
    found = proposer.propose()
    twins = twins_of(parts, proposer)
    linked: list[Proposal] = []
    refused: list[str] = []
    replayed: list[int] = []
    if accept:
        for one in found.proposals:
            if one.kind != "possible":
                _accept(context, one, linked, refused)
        keys = [one.ifs_key for one in linked]
        vendors = [(one.account, one.candidates[0].supplier_id) for one in linked]
        why = f"linked by {context.person}"
        replayed = linking.replay_held(parts, keys, why=why, vendors=vendors) if keys else []
    if as_json:
        accepted = [
            {"ifs_key": one.ifs_key, "cin7_account": one.account, "cin7_id": one.candidates[0].supplier_id}
            for one in linked
        ]
        told = {"doubled": twins, "linked": accepted, "replayed": replayed}
        print_json(msgspec.structs.asdict(found) | told)
    else:
        _show(found, linked, replayed)
        _show_twins(twins)
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
        (one.ifs_key, one.name, one.tax_number, one.account, "linked" if one in linked else one.kind,
         f"{candidate.score:.2f}", candidate.name, candidate.tax_number, candidate.supplier_id,
         ", ".join(candidate.evidence), ", ".join(candidate.against))
        for one in found.proposals
        for candidate in one.candidates
    ]  # fmt: skip
    headings = ("IFS key", "name", "tax number", "account", "kind", "score", "Cin7 name", "Cin7 tax number", "Cin7 id")
    print_table((*headings, "for it", "against it"), rows, empty="Nothing in Cin7 resembles a supplier without link.")
    say(f"{found.new} would be created; {found.held} are not mapped yet (`connector holds`).")
    if found.ignored:
        say(f"{len(found.ignored)} pairs are ignored, as somebody decided; `ignored` in --json lists them.")
    if linked:
        say(f"Linked {len(linked)} and sent on {len(replayed)} held entries.")


def _show_twins(twins: list[Twins]) -> None:
    if not twins:
        return
    rows = [
        (one.system, one.account, f"{one.score:.2f}", one.keys[0], one.names[0], one.keys[1], one.names[1],
         ", ".join(one.evidence), ", ".join(one.against))
        for one in twins[:SHOWN_MAX]
    ]  # fmt: skip
    say("Held twice within one system, perhaps:")
    print_table(("system", "account", "score", "one", "name", "other", "name", "for it", "against it"), rows)
    if len(twins) > SHOWN_MAX:
        say(f"{len(twins) - SHOWN_MAX} more are in --json.")


for decision in (link, unlink, ignore, create):
    command.add_command(decision)
