"""What a person decides about a held supplier: which side is right, or that it is to be created; on record by name."""

from collections.abc import Sequence
from typing import Final

import msgspec

from shared.assembly import Assembly
from shared.cin7.records.suppliers import Supplier
from shared.errors import ConnectorError
from shared.flows import CIN7_SUPPLIERS, SUPPLIERS
from shared.ledger import conflicts, decisions, entries, events, links
from shared.ledger.conflicts import Conflict
from shared.ledger.connection import Cur
from shared.ledger.links import Link, Stored
from shared.ledger.messages import Message
from shared.ledger.views import holds
from shared.ledger.views.holds import Hold
from shared.queues.handing_over import hand_over
from workers.replaying import replay
from workers.writing.merging import Take
from workers.writing.supplier_links import common_of, link_with
from workers.writing.supplier_merging import Common, Merge, Referee, merge

#: What findings call a field that the comparison knows by another name.
_FIELDS: Final = {"PaymentTerm": "payment_term", "TaxRule": "tax_rule"}
_CREATED_FOR: Final = frozenset({"supplier.unknown", "supplier.possible-duplicate"})


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided: `fields` by account, and the entries that go on."""

    take: Take
    fields: dict[str, list[str]]
    replayed: list[int]


def resolve(parts: Assembly, entry_id: int, take: Take, field: str, *, person: str) -> Resolved:
    """Settle what an entry is held for.

    Args:
        field: only this one, or those of a group such as `contacts`; empty: all that it is held for.
        person: on record.

    Raises:
        ConnectorError: it is not held, for nothing that can be settled so, or the supplier was changed meanwhile.
    """
    with parts.ledger.transaction() as cur:
        found = holds.holds(cur, ids=[entry_id])
        held = cur.execute("select 1 from entry where id = %s and state = 'held'", (entry_id,)).fetchone()
        differing = conflicts.of_entry(cur, entry_id)
    if not found or held is None:
        raise ConnectorError(f"Entry {entry_id} is not held.")
    hold = found[0]
    if differing:
        return _settle(parts, hold, differing, take, field, person)
    codes = {finding.code for finding in hold.findings}
    if hold.flow == CIN7_SUPPLIERS.name and codes & _CREATED_FOR and not field:
        return _create(parts, hold, take, person)
    raise ConnectorError(f"Entry {entry_id} is held for {', '.join(sorted(codes))}, which no side can be taken for.")


def _create(parts: Assembly, hold: Hold, take: Take, person: str) -> Resolved:
    """Let a supplier of Cin7 be created in IFS."""
    if take == "ifs":
        raise ConnectorError(
            f"IFS has no such supplier: close it with `connector holds dismiss {hold.id} --reason TEXT`, or take cin7."
        )
    with parts.ledger.transaction() as cur:
        decisions.create_in_ifs(cur, hold.id, actor=parts.actor, why=f"decided by {person}")
    sent = replay(parts.ledger, parts.redis, [hold.id], actor=parts.actor, why=f"to be created, by {person}")
    return Resolved(take=take, fields={}, replayed=sent)


def _settle(
    parts: Assembly, hold: Hold, differing: Sequence[Conflict], take: Take, field: str, person: str
) -> Resolved:
    wanted = {_FIELDS.get(finding.field, finding.field) for finding in hold.findings}
    settled: dict[str, list[str]] = {}
    with parts.ledger.transaction() as cur:
        for conflict in differing:
            labels = [
                label
                for label in _labels(_merged(conflict, {}))
                if any(_is_of(label, one) for one in wanted) and (not field or _is_of(label, field))
            ]
            if labels:
                _decide(cur, conflict, dict.fromkeys(labels, take))
                settled[conflict.account] = labels
        if not settled:
            known = ", ".join(sorted({label for one in differing for label in _labels(_merged(one, {}))}))
            raise ConnectorError(
                f"Entry {hold.id} is not held for {field or 'anything that differs'}; it is for {known}."
            )
        said = "; ".join(f"{account}: {', '.join(labels)}" for account, labels in settled.items())
        events.note(cur, hold.id, actor=parts.actor, why=f"{person} takes {take} for {said}")
        others, messages = _both_directions(cur, parts, differing, f"settled by {person}")
    hand_over(parts.redis, parts.ledger, messages)
    ids = sorted({hold.id, *others})
    sent = replay(parts.ledger, parts.redis, ids, actor=parts.actor, why=f"settled by {person}: take {take}")
    return Resolved(take=take, fields=settled, replayed=sent)


def _both_directions(
    cur: Cur, parts: Assembly, differing: Sequence[Conflict], why: str
) -> tuple[list[int], list[Message]]:
    """Return what is held for the same suppliers, and messages that have them looked at from the other side too."""
    held: list[int] = []
    messages: list[Message] = []
    for conflict in differing:
        link = links.find(cur, SUPPLIERS.name, conflict.ifs_key, conflict.account)
        keys = {SUPPLIERS.name: conflict.ifs_key}
        if link is not None:
            keys[CIN7_SUPPLIERS.name] = f"{link.cin7_account}/{link.cin7_id}"
        for flow, key in keys.items():
            held += conflicts.held_elsewhere(cur, flow, conflict.ifs_key, conflict.account)
            messages += entries.ask(cur, flow, key, actor=parts.actor, why=why)
    return held, messages


def _decide(cur: Cur, conflict: Conflict, takes: dict[str, Take]) -> None:
    """Change what both sides have in common, so that the chosen value goes its way like any change.

    Raises:
        ConnectorError: either direction has written the supplier since it was held.
    """
    link = links.find(cur, SUPPLIERS.name, conflict.ifs_key, conflict.account)
    cur.execute(
        "select 1 from link where flow = %s and ifs_key = %s and cin7_account = %s for update",
        (SUPPLIERS.name, conflict.ifs_key, conflict.account),
    )
    before = msgspec.json.decode(conflict.before, type=Common)
    if link is None or common_of(link) != before:
        raise ConnectorError(
            f"Supplier {conflict.ifs_key} was written since: replay it, and look at what it is held for then."
        )
    decided = _merged(conflict, takes).decided
    known: Link = link_with(link, decided)
    links.store(cur, [Stored(known)])


def _merged(conflict: Conflict, takes: dict[str, Take]) -> Merge:
    return merge(
        msgspec.json.decode(conflict.before, type=Common),
        msgspec.json.decode(conflict.ifs, type=Supplier),
        msgspec.json.decode(conflict.cin7, type=Supplier),
        Referee(takes=takes),
        silent=conflict.silent,
    )


def _labels(found: Merge) -> list[str]:
    """Return all that differs, by the names that findings use."""
    return list(dict.fromkeys([*(one.field for one in found.findings), *found.to_cin7, *found.to_ifs]))


def _is_of(label: str, name: str) -> bool:
    """Say whether a label is the named field, or one of the named entry or group."""
    return label == name or label.startswith(f"{name} ") or name.startswith(f"{label} ")
