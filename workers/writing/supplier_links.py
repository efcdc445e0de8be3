"""What a link remembers of a supplier, as the merging reads and leaves it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from shared.cin7.records.suppliers import Supplier
from shared.config.settings import IfsSettings, PolicySettings
from shared.errors import Held
from shared.fingerprints import canonical
from shared.ledger import conflicts, entries, pairs
from shared.ledger.connection import Cur
from shared.ledger.links import Link
from workers.writing.cin7_supplier_reasons import loop
from workers.writing.session import Session
from workers.writing.supplier_merging import Common


def common_of(link: Link | None) -> Common:
    """Return what both sides last had in common."""
    if link is None:
        return Common()
    return Common(
        supplier=_supplier(link.written),
        own=None if link.own is None else msgspec.json.decode(link.own, type=dict[str, str]),
        asserted=link.asserted,
        for_ifs=_supplier(link.for_ifs),
        for_cin7=_supplier(link.for_cin7),
    )


def link_with(link: Link, common: Common) -> Link:
    """Return the link that remembers `common`."""
    return msgspec.structs.replace(
        link,
        written=_body(common.supplier) or b"",
        own=None if common.own is None else msgspec.json.encode(common.own).decode(),
        asserted=common.asserted,
        for_ifs=_body(common.for_ifs),
        for_cin7=_body(common.for_cin7),
    )


def _supplier(body: bytes | None) -> Supplier | None:
    return msgspec.json.decode(body, type=Supplier) if body else None


def _body(supplier: Supplier | None) -> bytes | None:
    return None if supplier is None else canonical(supplier)


def ifs_stamp(stamp: str, settings: IfsSettings) -> datetime | None:
    """Return when IFS says that a header was changed; None where it does not.

    A stamp ends in `Z` and is the wall clock of the tenant all the same, unless it was asked for true UTC.
    Source: docs/apis/ifs.md#time-zones.
    """
    try:
        wall = datetime.fromisoformat(stamp.removesuffix("Z"))
    except ValueError:
        return None
    if settings.time_zone_aware:
        return wall.replace(tzinfo=UTC)
    return wall.replace(tzinfo=ZoneInfo(settings.time_zone)) if wall.tzinfo is None else wall


def hand_to_twin(session: Session, flow: str, link: Link, why: str) -> bool:
    """Leave a conflict to the entry of the other direction that is held for it, which is looked at anew.

    Returns:
        False where there is none: then this entry is to be held.
    """
    with session.ledger.transaction() as cur:
        held = conflicts.held_elsewhere(cur, flow, link.ifs_key, link.cin7_account)
    if not held:
        return False

    def replay(cur: Cur) -> None:
        session.messages += entries.send_again(cur, flow, held, actor=session.actor, why=why)

    session.later(replay)
    return True


def stop_a_loop(session: Session, policy: PolicySettings, link: Link, company: str) -> None:
    """Hold a supplier that was written too often within a short while, by either direction.

    Raises:
        Held: so it was.
    """
    with session.ledger.transaction() as cur:
        count = pairs.writes_since(cur, link, session.claim.id, policy.loop_window_s)
    if count >= policy.loop_changes:
        raise Held([loop(link.ifs_key, company, count, policy.loop_window_s)])
